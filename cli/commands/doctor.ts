import { existsSync } from 'node:fs'
import { access, constants, lstat, readlink, stat, statfs } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, join, resolve } from 'node:path'
import { NodeClient } from '../../archiver/index.ts'
import { type Config, type LoadedConfig, parseHostPort } from '../../config/index.ts'
import { isArchiveError, type Network, type Slot, slotIndex } from '../../core/index.ts'
import {
  findAccessProblem,
  isHolderRunning,
  quotePath,
  readDaemonInfo,
  readIdentity,
} from '../../storage-worker/index.ts'
import { checkArchive, checkKeys, type Finding } from '../check-archive.ts'
import { checkRegistry } from '../check-registry.ts'
import type { Context } from '../context.ts'
import { describeClock } from '../describe-clock.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { findAnswering } from '../find-sidecar.ts'
import { formatBytes } from '../output.ts'
import { adviseSetting } from '../setting-advice.ts'

/** A stream that broadcasts says something every half second. */
const STREAM_WAIT_MS = 4_000
const DOCTOR_CALL_TIMEOUT_MS = 5_000

/** Looks at everything that a newcomer gets wrong; exit code 1 when something is. */
export async function doctor(context: Context): Promise<number> {
  const { output } = context
  const findings: Finding[] = [{ check: 'node', ok: true, detail: `Node.js ${process.versions.node}` }]
  const loaded = readConfig(context, findings)
  if (loaded) {
    const { config } = loaded
    const running = await isRunning(config)
    findings.push(
      ...checkSettings(loaded),
      await checkDataDir(config, running),
      await checkSpace(loaded),
      ...(await checkArchive(loaded)),
      ...(await checkKeys(config)),
    )
    for (const [path, bind] of listBinds(config)) findings.push(await checkPort(loaded, [path, bind], running))
    for (const url of config.node.grpcUrls) findings.push(...(await checkNode(url, config)))
    findings.push(...(await checkRegistry(context, loaded)))
  }
  for (const { check, ok, detail, fix } of findings) {
    output.markedLine(ok ? 'green' : 'red', ok ? 'ok  ' : 'FAIL', ` ${check.padEnd(10)} ${detail}`)
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

function checkSettings(loaded: LoadedConfig): Finding[] {
  const { config } = loaded
  return [
    config.enabled
      ? { check: 'enabled', ok: true, detail: 'true' }
      : {
          check: 'enabled',
          ok: false,
          detail: 'false: start would do nothing',
          fix: adviseSetting(loaded, 'enabled', 'true'),
        },
    config.node.grpcUrls.length > 0
      ? { check: 'nodes', ok: true, detail: config.node.grpcUrls.join(', ') }
      : {
          check: 'nodes',
          ok: false,
          detail: 'no massa-node is configured',
          fix: adviseSetting(loaded, 'node.grpc_urls', '["127.0.0.1:33037"]', '127.0.0.1:33037'),
        },
  ]
}

async function checkDataDir({ dataDir }: Config, running: boolean): Promise<Finding> {
  const check = 'data_dir'
  try {
    const folder = await findExisting(dataDir)
    const dangling = await findDangling(dataDir, folder)
    if (dangling) return { check, ok: false, ...dangling }
    if (!(await stat(folder)).isDirectory()) throw new Error(`${folder} is not a folder`)
    // Also a folder of ours may hold databases of another user.
    const denied = folder === dataDir ? findAccessProblem(dataDir) : undefined
    if (denied) {
      const inUse = 'a massa-storage of another user has it open: run this as that user'
      return { check, ok: false, detail: denied.message, fix: running ? inUse : denied.action }
    }
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK)
    return { check, ok: true, detail: folder === dataDir ? dataDir : `${dataDir}, which start makes` }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { check, ok: false, detail: reason, fix: 'data_dir = a folder that this user may write' }
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

/** A link that leads nowhere: nothing can be made in its place. @param existing - the folder above it that is there */
async function findDangling(path: string, existing: string): Promise<{ detail: string; fix: string } | undefined> {
  let link = path
  while (link !== existing && dirname(link) !== existing) link = dirname(link)
  if (link === existing || !(await lstat(link).catch(() => undefined))?.isSymbolicLink()) return undefined
  const target = resolve(dirname(link), await readlink(link))
  return { detail: `${link} is a link to ${target}, which is not there`, fix: `mkdir -p ${quotePath(target)}` }
}

async function checkSpace(loaded: LoadedConfig): Promise<Finding> {
  const { config } = loaded
  let freeBytes: number
  try {
    const { bavail, bsize } = await statfs(await findExisting(config.dataDir))
    freeBytes = bavail * bsize
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { check: 'disk', ok: false, detail: reason, fix: 'data_dir = a folder that this user may write' }
  }
  const wantedBytes = config.allocatedStorageGb * 1_000_000_000
  const { minFreeBytes, ballastBytes } = config.store
  if (freeBytes < minFreeBytes) {
    return {
      check: 'disk',
      ok: false,
      detail: `only ${formatBytes(freeBytes)} free, and no period is archived below ${formatBytes(minFreeBytes)}`,
      fix: `free disk space, or ${adviseSetting(loaded, 'store.min_free_bytes', '1_048_576')}, the least that it may be`,
    }
  }
  if (freeBytes < minFreeBytes + ballastBytes && !existsSync(join(config.dataDir, 'ballast'))) {
    return {
      check: 'disk',
      ok: false,
      detail: `${formatBytes(freeBytes)} free: too little for what is kept free, and for the ballast`,
      fix: `free ${formatBytes(minFreeBytes + ballastBytes)} (store.min_free_bytes + store.ballast_bytes), or lower both`,
    }
  }
  const enough = freeBytes >= wantedBytes
  const detail = `${formatBytes(freeBytes)} free, allocated_storage_gb = ${config.allocatedStorageGb}`
  return { check: 'disk', ok: true, detail: enough ? detail : `${detail}: the disk will be full before the quota is` }
}

async function isRunning(config: Config): Promise<boolean> {
  try {
    const info = await readDaemonInfo(config.dataDir)
    return info !== undefined && isHolderRunning(info)
  } catch (error) {
    // Said where the folder is looked at.
    if (isArchiveError(error, 'CONFIG_VALUE_INVALID')) return false
    if (!isArchiveError(error, 'STORE_ACCESS_DENIED')) throw error
    return (await findAnswering(config)) !== undefined
  }
}

/** What is listened on. */
function listBinds({ api, metrics }: Config): [path: string, bind: string][] {
  return [
    ['api.bind', api.bind],
    ...(api.grpcBind === '' ? [] : [['api.grpc_bind', api.grpcBind] satisfies [string, string]]),
    ...(metrics.enabled ? [['metrics.bind', metrics.bind] satisfies [string, string]] : []),
  ]
}

function checkPort(loaded: LoadedConfig, [path, bind]: [string, string], running: boolean): Promise<Finding> {
  const address = parseHostPort(bind)
  const check = 'port'
  const named = `${path} = ${bind}`
  if (running || !address)
    return Promise.resolve({ check, ok: true, detail: `${named}, not tried while massa-storage runs` })
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', ({ code }: NodeJS.ErrnoException) =>
      resolve({
        check,
        ok: false,
        detail: `${named} ${code === 'EADDRINUSE' ? 'is in use by another program' : `cannot be listened on (${code})`}`,
        fix: `${adviseSetting(loaded, path, '"127.0.0.1:0"', '127.0.0.1:0')}; port 0 is any free one`,
      }),
    )
    server.listen(address.port, address.host, () =>
      server.close(() => resolve({ check, ok: true, detail: `${named} is free` })),
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
    const heardAtMs = Date.now()
    const streams = await hearStream(client, status.lastFinalSlot)
    return [
      { check: 'massa-node', ok: true, detail: `${url} answers, version ${status.version}` },
      same
        ? { check: 'network', ok: true, detail: `chain ${network.chainId}, genesis ${network.genesisTimestampMs}` }
        : {
            check: 'network',
            ok: false,
            detail: `the node is on chain ${network.chainId}, genesis ${network.genesisTimestampMs}`,
            fix: `${await adviseNetwork(network, config)}, if that is the chain you want`,
          },
      describeClock(status.version, status.currentTimeMs - heardAtMs),
      describeStreams(streams),
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

/** An archive of another chain in `data_dir` would be refused with these two settings. */
async function adviseNetwork(network: Network, { dataDir }: Config): Promise<string> {
  const settings = [`chain_id = ${network.chainId}`, `genesis_timestamp_ms = ${network.genesisTimestampMs}`]
  const found = await findNetwork(dataDir)
  const isOther =
    found && (found.chainId !== network.chainId || found.genesisTimestampMs !== network.genesisTimestampMs)
  if (!isOther) return settings.join(' and ')
  const archive = `this one holds an archive of chain ${found.chainId}, genesis ${found.genesisTimestampMs}`
  return `${settings.join(', ')} and another data_dir (${archive})`
}

async function findNetwork(dataDir: string): Promise<Network | undefined> {
  try {
    return (await readIdentity(dataDir))?.identity.network
  } catch (error) {
    // Said where the archive is looked at.
    if (isArchiveError(error)) return undefined
    throw error
  }
}

type Streams = 'heard' | 'idle' | 'silent'

function describeStreams(streams: Streams): Finding {
  const check = 'streams'
  if (streams === 'heard') return { check, ok: true, detail: 'the node broadcasts' }
  if (streams === 'idle') {
    const detail = 'nothing to hear: the final slot of the node stands still. Whether it broadcasts shows when it moves'
    return { check, ok: true, detail }
  }
  return {
    check,
    // Archiving works by polling; only latency suffers.
    ok: true,
    detail: 'the node does not broadcast: blocks are polled every second, which works but is slower',
    fix: 'in the config.toml of the massa-node, below [api]: enable_broadcast = true',
  }
}

/** A node that says nothing while its final slot moves does not broadcast; where it stands still there is nothing to say. */
async function hearStream(client: NodeClient, finalSlot: Slot): Promise<Streams> {
  const end = await listen(client)
  if (end !== 'nothing') return end
  const { lastFinalSlot } = await client.getStatus()
  return slotIndex(lastFinalSlot) > slotIndex(finalSlot) ? 'silent' : 'idle'
}

function listen(client: NodeClient): Promise<'heard' | 'silent' | 'nothing'> {
  return new Promise((resolve) => {
    const stream = client.openFinalOutputs()
    const end = (result: 'heard' | 'silent' | 'nothing'): void => {
      clearTimeout(timer)
      stream.cancel()
      resolve(result)
    }
    const timer = setTimeout(() => end('nothing'), STREAM_WAIT_MS)
    stream.once('data', () => end('heard'))
    stream.on('error', () => end('silent'))
  })
}
