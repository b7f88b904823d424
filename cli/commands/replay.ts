import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ConfigFlags, findPackageRoot } from '../../config/index.ts'
import { ArchiveError, type Period } from '../../core/index.ts'
import {
  computeWholePeriods,
  type Recording,
  type ReplayServer,
  readRecording,
  startReplayServer,
} from '../../devnet/index.ts'
import { isHolderRunning, readDaemonInfo } from '../../storage-worker/index.ts'
import { ALLOCATOR_SETTINGS, HEAP_SETTINGS } from '../allocator-settings.ts'
import { callSidecar } from '../call-sidecar.ts'
import type { Context } from '../context.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { formatDuration } from '../output.ts'
import { ProgressWatch } from '../progress-watch.ts'
import { verify } from './verify.ts'

export interface ReplayCommandOptions {
  readonly file?: string | undefined
  readonly fast?: boolean
  readonly speed?: number
  readonly exitAtHead?: boolean
}

const OWN_RECORDING = 'devnet/recordings/sandbox.ndjson.gz'
const OWN_DATA_DIR = 'data/replay'
const LOOK_MS = 100
/** A sidecar that does not end takes nothing with it when it is killed. */
const STOP_LIMIT_MS = 15_000
/** When neither the recording nor the archive has moved for so long, neither ever will. */
const STUCK_MS = 60_000

/**
 * Serves a recording of a massa-node over real gRPC on loopback and runs a real sidecar beside it, as its own process.
 *
 * With exitAtHead it ends when the last whole period of the recording is archived, and verifies the archive.
 */
export async function replay(context: Context, options: ReplayCommandOptions, signal: AbortSignal): Promise<number> {
  const { output } = context
  const startedMs = performance.now()
  const file = options.file ?? join(findPackageRoot(), OWN_RECORDING)
  output.remark(`Reading ${options.file ?? relative(context.cwd, file)}`)
  const recording = await readRecording(file)
  const whole = computeWholePeriods(recording)
  if (!whole) throw new ArchiveError('DEVNET_RECORDING_EMPTY', `no period of ${file} was recorded whole`, { file })
  const { last: head, holes } = whole
  // Not before: a mistyped file must not cost the archive of the last replay.
  const dataDir = await chooseDataDir(context)
  const fast = options.fast ?? false
  const server = await startReplayServer({ recording, fast, speed: options.speed ?? 1 })
  output.remark(`A recorded massa-node answers at ${server.url} (chain ${recording.chainId}).`)
  output.remark(`Its last whole period is ${head}.`)
  if (holes.length > 0) {
    output.remark(`Of periods ${holes[0]} to ${holes.at(-1)}, ${holes.length} were not recorded whole: they stay gaps.`)
  }
  const sidecar = startSidecar(context, { url: server.url, recording, dataDir, fast })
  const ended = waitForExit(sidecar)
  try {
    const reached = await waitForHead({ dataDir, head, server, sidecar, ended, signal })
    if (reached && !options.exitAtHead) {
      output.remark(`The head of the recording is archived; the sidecar keeps running. Ctrl-C ends it.`)
      await Promise.race([ended, aborted(signal)])
    }
    await stopSidecar(sidecar, ended)
    if (signal.aborted) return EXIT_CODES.interrupted.code
    const exitCode = await ended
    if (!reached || exitCode !== EXIT_CODES.ok.code) {
      const how = exitCode === EXIT_CODES.ok.code ? '' : `; it ended with exit code ${exitCode}, for the reason above`
      throw new ArchiveError(
        'CLI_REPLAY_INCOMPLETE',
        `the sidecar did not archive period ${head} of the recording${how}`,
      )
    }
  } finally {
    await stopSidecar(sidecar, ended)
    await server.stop()
  }
  return finish(context, { dataDir, head, holes, elapsedMs: performance.now() - startedMs })
}

async function finish(
  context: Context,
  run: { dataDir: string; head: Period; holes: readonly Period[]; elapsedMs: number },
): Promise<number> {
  const { output } = context
  output.remark('')
  const at = context.at(run.dataDir)
  const code = await verify(at, {}, new AbortController().signal)
  if (code !== EXIT_CODES.ok.code) return code
  const place = relative(context.cwd, run.dataDir)
  const what = run.holes.length > 0 ? 'What was recorded whole' : 'The recording'
  output.line(`${what} was archived and verified in ${formatDuration(run.elapsedMs)}. Try next:`)
  output.line(`  npx massa-storage list-chunks --data-dir ${place}`)
  output.line(`  npx massa-storage inspect period ${run.head} --data-dir ${place}`)
  output.line(`  npx massa-storage config init`)
  output.line(`and beside your own massa-node: 'massa-storage doctor', then 'massa-storage start'.`)
  return code
}

/** The demonstration's own folder begins anew each time; a folder that somebody named is continued. */
async function chooseDataDir(context: Context): Promise<string> {
  const { config, origins } = context.load()
  if (origins.get('data_dir') !== 'default') return config.dataDir
  const dataDir = join(context.cwd, OWN_DATA_DIR)
  if (existsSync(dataDir)) {
    const info = await readDaemonInfo(dataDir)
    if (info && isHolderRunning(info)) {
      throw new ArchiveError('STORE_LOCKED', `${dataDir} is in use by process ${info.pid}`, { pid: info.pid })
    }
    await rm(dataDir, { recursive: true })
  }
  return dataDir
}

function startSidecar(
  context: Context,
  node: { readonly url: string; readonly recording: Recording; readonly dataDir: string; readonly fast: boolean },
): ChildProcess {
  const { config, origins } = context.load()
  const unlessAsked = (key: string, value: string) => (origins.get(key) === 'default' ? { [key]: value } : {})
  // Above all other sources, as the options of this command are.
  const settings: ConfigFlags = {
    ...context.flags,
    enabled: true,
    data_dir: node.dataDir,
    'node.grpc_urls': node.url,
    'node.chain_id': node.recording.chainId,
    'node.genesis_timestamp_ms': node.recording.genesisTimestampMs,
    ...(node.fast ? unlessAsked('node.poll_interval_ms', '100') : {}),
    ...unlessAsked('retention_periods', '0'),
    ...unlessAsked('api.bind', '127.0.0.1:0'),
    ...unlessAsked('metrics.enabled', 'false'),
    'log.format': origins.get('log.format') !== 'default' ? config.log.format : context.output.json ? 'json' : 'human',
    ...unlessAsked('log.level', context.output.quiet ? 'warn' : 'info'),
  }
  const args = Object.entries(settings).flatMap(([key, value]) =>
    value === undefined ? [] : ['--set', `${key}=${value}`],
  )
  const file = context.file === undefined ? [] : ['--config', context.file]
  const bin = join(findPackageRoot(), 'bin', 'massa-storage.js')
  return spawn(process.execPath, [...HEAP_SETTINGS, bin, 'start', '--with-parent', ...file, ...args], {
    env: { ...ALLOCATOR_SETTINGS, ...context.env } as NodeJS.ProcessEnv,
    // The channel closes when this process goes, however it goes: the sidecar must not outlive its recorded node.
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    // A Ctrl-C reaches the whole group of a terminal: the sidecar is told by us alone, once.
    detached: true,
  })
}

/** True once the archive reaches the head; false when that can no longer happen. */
async function waitForHead(run: {
  readonly dataDir: string
  readonly head: Period
  readonly server: ReplayServer
  readonly sidecar: ChildProcess
  readonly ended: Promise<number | null>
  readonly signal: AbortSignal
}): Promise<boolean> {
  let over = false
  void run.ended.then(() => {
    over = true
  })
  const progress = new ProgressWatch(STUCK_MS)
  while (!over && !run.signal.aborted) {
    const last = await readLastArchived(run)
    if (last !== undefined && last >= run.head) return true
    if (!progress.goesOn([run.server.playedMs(), last], performance.now())) break
    await sleep(LOOK_MS)
  }
  return false
}

async function readLastArchived(run: {
  readonly dataDir: string
  readonly sidecar: ChildProcess
  readonly signal: AbortSignal
}): Promise<Period | undefined> {
  const { dataDir, sidecar, signal } = run
  const info = await readDaemonInfo(dataDir)
  // Another process may hold the folder: what it has archived is not what this one has.
  if (!info?.apiUrl || info.pid !== sidecar.pid) return undefined
  try {
    const answer = (await callSidecar({ url: info.apiUrl, dataDir }, '/v1/status', { signal })) as {
      archived: { last: Period } | null
    }
    return answer.archived?.last
  } catch {
    // Starting or stopping: asked again in a moment.
    return undefined
  }
}

function waitForExit(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => {
    child.once('exit', (code) => resolve(code))
    child.once('error', () => resolve(null))
  })
}

async function stopSidecar(child: ChildProcess, ended: Promise<number | null>): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
  // It cuts itself off before that, if it can.
  const giveUp = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS)
  await ended
  clearTimeout(giveUp)
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
