import { access, constants, stat, statfs } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname } from 'node:path'
import { NodeClient } from '../../archiver/index.ts'
import { type Config, type LoadedConfig, parseHostPort } from '../../config/index.ts'
import { isArchiveError } from '../../core/index.ts'
import { readDaemonInfo, readIdentity } from '../../storage-worker/index.ts'
import type { Context } from '../context.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { formatBytes } from '../output.ts'

/** A stream that broadcasts says something every half second. */
const STREAM_WAIT_MS = 4_000
const MAX_CLOCK_SKEW_MS = 2_000
const DOCTOR_CALL_TIMEOUT_MS = 5_000

interface Finding {
  readonly check: string
  readonly ok: boolean
  readonly detail: string
  /** The exact line to change, when something is wrong. */
  readonly fix?: string
}

/** Looks at everything that a newcomer gets wrong; exit code 1 when something is. */
export async function doctor(context: Context): Promise<number> {
  const { output } = context
  const findings: Finding[] = [{ check: 'node', ok: true, detail: `Node.js ${process.versions.node}` }]
  const loaded = readConfig(context, findings)
  if (loaded) {
    const { config } = loaded
    findings.push(
      ...checkSettings(loaded),
      await checkDataDir(config),
      await checkSpace(config),
      await checkIdentity(config),
    )
    const running = await isRunning(config)
    for (const bind of [config.api.bind, ...(config.metrics.enabled ? [config.metrics.bind] : [])]) {
      findings.push(await checkPort(bind, running))
    }
    for (const url of config.node.grpcUrls) findings.push(...(await checkNode(url, config)))
  }
  for (const { check, ok, detail, fix } of findings) {
    output.line(`${ok ? output.style('green', 'ok  ') : output.style('red', 'FAIL')} ${check.padEnd(10)} ${detail}`)
    if (fix) output.line(`     -> ${fix}`)
  }
  const ok = findings.every((finding) => finding.ok)
  output.value({ ok, findings })
  output.line(ok ? 'All is well.' : 'Change the lines above and run massa-storage doctor again.')
  return ok ? EXIT_CODES.ok.code : EXIT_CODES.failed.code
}

function readConfig(context: Context, findings: Finding[]): LoadedConfig | undefined {
  try {
    const loaded = context.load()
    findings.push({
      check: 'config',
      ok: true,
      detail: loaded.file ?? "no file, defaults only; 'massa-storage config init' writes one",
    })
    return loaded
  } catch (error) {
    if (!isArchiveError(error)) throw error
    findings.push({ check: 'config', ok: false, detail: error.message, fix: error.action })
    return undefined
  }
}

function checkSettings({ config }: LoadedConfig): Finding[] {
  return [
    config.enabled
      ? { check: 'enabled', ok: true, detail: 'true' }
      : {
          check: 'enabled',
          ok: false,
          detail: 'false: start would do nothing',
          fix: 'below [distributed_storage]: enabled = true',
        },
    config.node.grpcUrls.length > 0
      ? { check: 'nodes', ok: true, detail: config.node.grpcUrls.join(', ') }
      : {
          check: 'nodes',
          ok: false,
          detail: 'no massa-node is configured',
          fix: 'below [distributed_storage.node]: grpc_urls = ["127.0.0.1:33037"]',
        },
  ]
}

async function checkDataDir({ dataDir }: Config): Promise<Finding> {
  try {
    const folder = await findExisting(dataDir)
    if (!(await stat(folder)).isDirectory()) throw new Error(`${folder} is not a folder`)
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK)
    return { check: 'data_dir', ok: true, detail: folder === dataDir ? dataDir : `${dataDir}, which start makes` }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { check: 'data_dir', ok: false, detail: reason, fix: 'data_dir = a folder that this user may write' }
  }
}

/** The folder itself, or the nearest one above it: looking must not make any. */
async function findExisting(path: string): Promise<string> {
  try {
    await stat(path)
    return path
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if ((code !== 'ENOENT' && code !== 'ENOTDIR') || dirname(path) === path) throw error
    return findExisting(dirname(path))
  }
}

async function checkSpace(config: Config): Promise<Finding> {
  let freeBytes: number
  try {
    const { bavail, bsize } = await statfs(await findExisting(config.dataDir))
    freeBytes = bavail * bsize
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { check: 'disk', ok: false, detail: reason, fix: 'data_dir = a folder that this user may write' }
  }
  const wantedBytes = config.allocatedStorageGb * 1_000_000_000
  if (freeBytes < config.store.minFreeBytes) {
    return {
      check: 'disk',
      ok: false,
      detail: `only ${formatBytes(freeBytes)} free`,
      fix: `free at least ${formatBytes(config.store.minFreeBytes)}`,
    }
  }
  const enough = freeBytes >= wantedBytes
  const detail = `${formatBytes(freeBytes)} free, allocated_storage_gb = ${config.allocatedStorageGb}`
  return { check: 'disk', ok: true, detail: enough ? detail : `${detail}: the disk will be full before the quota is` }
}

async function checkIdentity(config: Config): Promise<Finding> {
  try {
    const stored = await readIdentity(config.dataDir)
    if (!stored) return { check: 'archive', ok: true, detail: 'none yet' }
    const { network } = stored.identity
    const same =
      network.chainId === config.node.chainId && network.genesisTimestampMs === config.node.genesisTimestampMs
    const detail = `of chain ${network.chainId}, genesis ${network.genesisTimestampMs}`
    return same
      ? { check: 'archive', ok: true, detail }
      : {
          check: 'archive',
          ok: false,
          detail: `${detail}: not the configured network`,
          fix: 'another data_dir, or this chain_id and genesis_timestamp_ms',
        }
  } catch (error) {
    if (!isArchiveError(error)) throw error
    return { check: 'archive', ok: false, detail: error.message, fix: error.action }
  }
}

async function isRunning(config: Config): Promise<boolean> {
  const info = await readDaemonInfo(config.dataDir)
  if (!info) return false
  try {
    process.kill(info.pid, 0)
    return true
  } catch {
    return false
  }
}

function checkPort(bind: string, running: boolean): Promise<Finding> {
  const address = parseHostPort(bind)
  const check = 'port'
  if (running || !address)
    return Promise.resolve({ check, ok: true, detail: `${bind}, not tried while massa-storage runs` })
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () =>
      resolve({
        check,
        ok: false,
        detail: `${bind} is in use by another program`,
        fix: `bind = "127.0.0.1:0" (any free port) in place of "${bind}"`,
      }),
    )
    server.listen(address.port, address.host, () =>
      server.close(() => resolve({ check, ok: true, detail: `${bind} is free` })),
    )
  })
}

async function checkNode(url: string, config: Config): Promise<Finding[]> {
  const client = new NodeClient({ url, timeoutMs: DOCTOR_CALL_TIMEOUT_MS })
  try {
    const status = await client.getStatus()
    const { network } = status
    const same =
      network.chainId === config.node.chainId && network.genesisTimestampMs === config.node.genesisTimestampMs
    const skewMs = Math.abs(status.currentTimeMs - Date.now())
    const streams = await hearStream(client)
    return [
      { check: 'massa-node', ok: true, detail: `${url} answers, version ${status.version}` },
      same
        ? { check: 'network', ok: true, detail: `chain ${network.chainId}, genesis ${network.genesisTimestampMs}` }
        : {
            check: 'network',
            ok: false,
            detail: `the node is on chain ${network.chainId}, genesis ${network.genesisTimestampMs}`,
            fix: `chain_id = ${network.chainId} and genesis_timestamp_ms = ${network.genesisTimestampMs}, if that is the chain you want`,
          },
      {
        check: 'clock',
        ok: skewMs <= MAX_CLOCK_SKEW_MS,
        detail: `${skewMs} ms from the node's`,
        ...(skewMs <= MAX_CLOCK_SKEW_MS ? {} : { fix: 'set the clock of this machine (NTP)' }),
      },
      streams
        ? { check: 'streams', ok: true, detail: 'the node broadcasts' }
        : {
            check: 'streams',
            // Archiving works by polling; only latency suffers.
            ok: true,
            detail: 'the node does not broadcast: blocks are polled every second, which works but is slower',
            fix: 'in the config.toml of the massa-node, below [api]: enable_broadcast = true',
          },
    ]
  } catch (error) {
    if (!isArchiveError(error)) throw error
    return [
      {
        check: 'massa-node',
        ok: false,
        detail: error.message,
        fix: 'start the massa-node, or set grpc_urls to its public gRPC address; in its config.toml: [grpc.public] enabled = true',
      },
    ]
  } finally {
    client.close()
  }
}

function hearStream(client: NodeClient): Promise<boolean> {
  return new Promise((resolve) => {
    const stream = client.openFinalOutputs()
    const end = (heard: boolean): void => {
      clearTimeout(timer)
      stream.cancel()
      resolve(heard)
    }
    const timer = setTimeout(() => end(false), STREAM_WAIT_MS)
    stream.once('data', () => end(true))
    stream.on('error', () => end(false))
  })
}
