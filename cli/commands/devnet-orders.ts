import { createReadStream, existsSync, statSync, watch } from 'node:fs'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ArchiveError, isArchiveError } from '../../core/index.ts'
import type { Speed } from '../../devnet/node/index.ts'
import { callLocalApi, findRunning, type NetworkReport, renderNetwork } from '../../devnet/up/index.ts'
import type { Context } from '../context.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { SplitLines } from '../split-lines.ts'

const WIDTH = 100
const DOWN_LIMIT_MS = 20_000
const LOOK_MS = 100
/** A wallet, coins and a registration, on a machine that is busy. */
const ADD_LIMIT_MS = 120_000
/** Chain time until both are final, several times over. */
const ADD_CHAIN_MS = 480_000
/** Longer, and the HTTP client gives up by itself. */
const MAX_ADD_LIMIT_MS = 290_000

export type NamedOrder = 'remove' | 'kill' | 'start' | 'pause' | 'resume'

const DONE: Readonly<Record<NamedOrder, string>> = {
  remove: 'has ended for good; its directory stays',
  kill: 'was killed, and is started again',
  start: 'is started again',
  pause: 'stands still',
  resume: 'goes on',
}

/** The running network on one screen. */
export async function devnetStatus(context: Context): Promise<number> {
  const { output } = context
  const { running, files } = await find(context)
  const report = (await callLocalApi(running, 'GET /network')) as NetworkReport
  output.value(report)
  output.line(`network in ${files.directory}, process ${running.pid}`)
  output.line(`registry ${report.registryAddress ?? '-'}`)
  output.line(`gRPC ${report.node.grpcUrl}, JSON-RPC ${report.node.jsonRpcUrl}`)
  for (const line of renderNetwork(report, (output.columns ?? WIDTH + 1) - 1)) output.line(line)
  return EXIT_CODES.ok.code
}

/** Ends the network and waits for its end. */
export async function devnetDown(context: Context, signal: AbortSignal): Promise<number> {
  const { output } = context
  const { running, files } = await find(context)
  await callLocalApi(running, 'POST /down')
  const deadlineMs = performance.now() + DOWN_LIMIT_MS
  // The last thing it does is to take this file away.
  while (existsSync(files.directory) && files.readRunning()?.token === running.token) {
    if (performance.now() > deadlineMs) {
      throw new ArchiveError('DEVNET_STEP_FAILED', `process ${running.pid} does not end`, { pid: running.pid })
    }
    await sleep(LOOK_MS, undefined, { signal })
  }
  output.value({ down: true })
  output.line('Everything has ended.')
  return EXIT_CODES.ok.code
}

export async function devnetAdd(context: Context, options: { readonly retention?: number }): Promise<number> {
  const { output } = context
  const { running } = await find(context)
  const { node } = (await callLocalApi(running, 'GET /network')) as NetworkReport
  output.remark('Making a wallet, funding and registering it.')
  const timeoutMs = chooseAddLimit(node.report?.speed ?? 1)
  let name: string
  try {
    name = (
      (await callLocalApi(running, 'POST /add', { body: { retentionPeriods: options.retention ?? 0 }, timeoutMs })) as {
        name: string
      }
    ).name
  } catch (error) {
    if (!isArchiveError(error, 'DEVNET_NO_ANSWER')) throw error
    const message = `the sidecar is not registered after ${timeoutMs / 1000} s, and goes on being added`
    throw new ArchiveError('DEVNET_ADD_UNFINISHED', message, { timeoutMs }, error)
  }
  output.value({ name })
  output.line(`${name} runs and is registered.`)
  return EXIT_CODES.ok.code
}

/** How long an added sidecar is waited for, in ms of real time. */
export function chooseAddLimit(speed: Speed): number {
  return Math.min(MAX_ADD_LIMIT_MS, ADD_LIMIT_MS + (speed === 'turbo' ? 0 : ADD_CHAIN_MS / speed))
}

/** @param name - `node` or a sidecar */
export async function devnetOrder(
  context: Context,
  order: NamedOrder,
  name: string,
  options: { readonly stay?: boolean; readonly empty?: boolean } = {},
): Promise<number> {
  const { running } = await find(context)
  const isToStay = order === 'kill' && options.stay === true
  const isEmpty = order === 'start' && options.empty === true
  const body = { name, ...(isToStay && { isToStay }), ...(isEmpty && { isEmpty }) }
  await callLocalApi(running, `POST /${order}`, { body })
  context.output.value({ name, order })
  context.output.line(
    `${name} ${isToStay ? 'was killed' : DONE[order]}${isEmpty ? ', with an empty data directory' : ''}.`,
  )
  return EXIT_CODES.ok.code
}

/** The log of the node or of a sidecar; an object for each line with --json. */
export async function devnetLogs(
  context: Context,
  name: string,
  options: { readonly follow?: boolean },
  signal: AbortSignal,
): Promise<number> {
  const { files } = await find(context)
  const path = files.logOf(name)
  if (!/^[a-z0-9-]+$/.test(name) || !existsSync(path)) {
    throw new ArchiveError('DEVNET_COMMAND_REFUSED', `there is no log of '${name}'`, { name })
  }
  const lines = context.output.json ? new SplitLines((line) => context.output.value({ name, line })) : undefined
  const write = (bytes: Buffer): void => {
    if (lines) lines.push(bytes)
    else process.stdout.write(bytes)
  }
  let at = await print(path, 0, write)
  if (!options.follow) {
    lines?.end()
    return EXIT_CODES.ok.code
  }
  const watcher = watch(path, { signal })
  await new Promise<void>((end) => {
    let printing = Promise.resolve()
    watcher.on('change', () => {
      printing = printing.then(async () => {
        at = await print(path, at, write)
      })
    })
    watcher.once('close', end)
  })
  return EXIT_CODES.ok.code
}

/** @returns how far it was printed */
async function print(path: string, from: number, write: (bytes: Buffer) => void): Promise<number> {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? from
  if (size <= from) return from
  for await (const bytes of createReadStream(path, { start: from, end: size - 1 })) write(bytes)
  return size
}

function find({ flags, cwd }: Context) {
  return findRunning(flags.data_dir === undefined ? undefined : resolve(cwd, `${flags.data_dir}`))
}
