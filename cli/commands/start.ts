import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { LoadedConfig } from '../../config/index.ts'
import { ArchiveError, isArchiveError } from '../../core/index.ts'
import { startDaemon } from '../../daemon/index.ts'
import { createLogger } from '../../telemetry/index.ts'
import type { Context } from '../context.ts'
import { EXIT_CODES } from '../exit-codes.ts'

/** Everything finishes within this; what does not is cut off (docs/ARCHITECTURE.md, Start and stop). */
const STOP_LIMIT_MS = 9_500

/** Runs the sidecar until SIGINT or SIGTERM. */
export async function start(context: Context): Promise<number> {
  const loaded = context.load()
  const { config } = loaded
  checkStartable(loaded)
  await makeDataDir(config.dataDir)
  const log = createLogger({
    level: config.log.level,
    format: config.log.format,
    destination: process.stdout,
    noColor: context.env.NO_COLOR,
  })
  // Listening before anything starts: an early signal must not leave a lock behind.
  const signalled = waitForSignal()
  void signalled.then(() => setTimeout(() => process.exit(EXIT_CODES.failed.code), STOP_LIMIT_MS).unref())
  const daemon = await startDaemon(config, log)
  const end = await Promise.race([signalled, daemon.fatal.then((error) => ({ error }))])
  if ('signal' in end) log.child({ module: 'daemon' }).info({ signal: end.signal }, 'stopping')
  await daemon.stop()
  log.child({ module: 'daemon' }).info('stopped')
  if ('error' in end) throw end.error
  return EXIT_CODES.ok.code
}

function checkStartable({ config, file }: LoadedConfig): void {
  const where = file ?? 'config/config.toml'
  if (!config.enabled) {
    throw new ArchiveError(
      'CLI_DISABLED',
      `massa-storage is disabled: set 'enabled = true' below [distributed_storage] in ${where}, or run 'massa-storage config init'`,
    )
  }
  if (config.node.grpcUrls.length === 0) {
    throw new ArchiveError(
      'CLI_NO_NODE',
      `no massa-node is configured: add 'grpc_urls = ["127.0.0.1:33037"]' below [distributed_storage.node] in ${where}`,
    )
  }
}

/**
 * A file in the way, or a place where nothing can be made, is a mistake in the settings and not a damaged archive.
 *
 * Folders are made one by one: Node's recursive mkdir never ends where the kernel makes no folders (/proc).
 */
async function makeDataDir(dataDir: string): Promise<void> {
  const found = await stat(dataDir).catch(() => undefined)
  if (found?.isDirectory()) return
  try {
    if (!found) {
      await makeDataDir(dirname(dataDir))
      await mkdir(dataDir)
      return
    }
  } catch (cause) {
    if (isArchiveError(cause)) throw cause
    throw new ArchiveError('CONFIG_VALUE_INVALID', `data_dir: ${dataDir} cannot be made`, { dataDir }, cause)
  }
  throw new ArchiveError('CONFIG_VALUE_INVALID', `data_dir: ${dataDir} is not a folder`, { dataDir })
}

function waitForSignal(): Promise<{ signal: string }> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve({ signal }))
  })
}
