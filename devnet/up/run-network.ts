import { rmSync } from 'node:fs'
import { ArchiveError, type Clock, isArchiveError } from '../../core/index.ts'
import { findRunning, removeAbandoned } from './find-running.ts'
import { endLeftovers } from './leftovers.ts'
import { Network, type NetworkOptions, type StepName } from './network.ts'
import { startNetworkApi } from './network-api.ts'
import { makeTemporaryDirectory, makeToken, NetworkFiles } from './network-files.ts'
import { findCommonPeriod, type NetworkReport } from './network-report.ts'
import type { Program } from './program.ts'

const LOOK_MS = 1_000

/** What is told of a network while it runs. */
export interface NetworkListener {
  onStep(step: StepName | 'archived' | 'called', text: string): void
  /** Everything of the start is done. */
  onReady(report: NetworkReport): void
  onReport(report: NetworkReport): void
}

export interface RunOptions extends NetworkOptions {
  /** Absolute; without one the network is gone when it ends. */
  readonly directory?: string | undefined
}

/**
 * Brings a network up and keeps it running until the signal, or until somebody asks it to end.
 *
 * @throws ArchiveError DEVNET_*; everything that was started has ended then
 */
export async function runNetwork(
  options: RunOptions,
  modules: { readonly program: Program; readonly clock: Clock; readonly listener: NetworkListener },
  signal: AbortSignal,
): Promise<void> {
  const { listener, clock, program } = modules
  if (options.directory !== undefined) {
    await refuseRunning(options.directory)
    await endLeftovers(options.directory, clock)
  }
  if (options.directory === undefined) await removeAbandoned()
  const directory = options.directory ?? makeTemporaryDirectory()
  const files = new NetworkFiles(directory)
  const asked = new AbortController()
  const ending = AbortSignal.any([signal, asked.signal])
  try {
    let writeRunning = (): void => {}
    const onStep = (step: StepName, text: string) => {
      // The node may have had to take other ports than it was to have.
      if (step === 'node') writeRunning()
      listener.onStep(step, text)
    }
    const network = await Network.open(options, { files, program, clock, onStep }, ending)
    const token = makeToken()
    const api = await startNetworkApi(network, token, () => asked.abort())
    writeRunning = () =>
      files.writeRunning({ version: 1, pid: process.pid, url: api.url, token, node: network.nodeAccess })
    try {
      writeRunning()
      await keepRunning(network, { listener, clock }, ending)
    } finally {
      await network.down()
      files.removeRunning()
      await api.close()
    }
  } finally {
    if (options.directory === undefined) rmSync(directory, { recursive: true, force: true })
  }
}

async function keepRunning(
  network: Network,
  { listener, clock }: { readonly listener: NetworkListener; readonly clock: Clock },
  ending: AbortSignal,
): Promise<void> {
  let failure: unknown
  const failed = new AbortController()
  const over = AbortSignal.any([ending, failed.signal])
  const started = bringUp(network, listener, over).catch((error: unknown) => {
    failure = error
    failed.abort()
  })
  let hasArchived = false
  while (!over.aborted) {
    const report = await network.report()
    const period = findCommonPeriod(report)
    if (!hasArchived && period !== undefined && report.sidecars.length > 0) {
      hasArchived = true
      listener.onStep('archived', `period ${period} by every sidecar`)
    }
    listener.onReport(report)
    await clock.sleep(LOOK_MS, over)
  }
  await started
  // Who ended it knows why; what broke off because of it is no failure.
  if (failure !== undefined && !ending.aborted) throw failure
}

async function bringUp(network: Network, listener: NetworkListener, signal: AbortSignal): Promise<void> {
  await network.up(signal)
  await network.waitForFirstCall()
  listener.onStep('called', 'first contract call of the traffic is final')
  listener.onReady(await network.report())
}

/** @throws ArchiveError DEVNET_RUNNING */
async function refuseRunning(directory: string): Promise<void> {
  const found = await findRunning(directory).catch((error: unknown) => {
    if (isArchiveError(error, 'DEVNET_NOT_RUNNING')) return undefined
    throw error
  })
  if (!found) return
  const { pid, url } = found.running
  throw new ArchiveError('DEVNET_RUNNING', `${directory} is in use by process ${pid}`, { directory, pid, url })
}
