import { accessSync, constants, statSync } from 'node:fs'
import { kindOfOrigin, type LoadedConfig, makeFolder, PASSWORD_ENV, SECRET_KEY_ENV } from '../../config/index.ts'
import { ArchiveError, isArchiveError, parseSecretKey } from '../../core/index.ts'
import { startDaemon } from '../../daemon/index.ts'
import { readWalletKey } from '../../storage-worker/wallet-key.ts'
import { createLogger, type Logger } from '../../telemetry/index.ts'
import { askPassword, findKeySource } from '../chain-access.ts'
import type { Context } from '../context.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { readOwnAddress } from '../own-address.ts'
import { adviseSetting } from '../setting-advice.ts'
import { deployConfigured } from './contract-deploy.ts'

/** Everything finishes within this; what does not is cut off (docs/ARCHITECTURE.md, Start and stop). */
const STOP_LIMIT_MS = 9_500

const NO_REGISTRY =
  'no storage-registry is configured, so this only archives; ' +
  "to have one, set storage_registry_address, or run 'massa-storage contract deploy' or 'massa-storage start --auto-deploy'"

export interface StartOptions {
  /** End as on a signal when the process that started this one goes and closes the IPC channel to it. */
  readonly withParent?: boolean
  /** Deploy a registry first when none is configured. */
  readonly autoDeploy?: boolean
  /** With `autoDeploy`: TOML file with the settings of the registry. */
  readonly params?: string
  /** With `autoDeploy`: spend without asking. */
  readonly yes?: boolean
}

/**
 * Runs the sidecar until it is told to end.
 *
 * @param signal - aborted by SIGINT, SIGTERM or SIGHUP, whose name is in its reason; it may be before this is called
 */
export async function start(context: Context, options: StartOptions, signal: AbortSignal): Promise<number> {
  checkOptions(options)
  const loaded = await withRegistry(context, options, signal)
  const { config } = loaded
  if (signal.aborted) return EXIT_CODES.ok.code
  makeDataDir(config.dataDir)
  const log = createLogger({
    level: config.log.level,
    format: config.log.format,
    destination: process.stdout,
    noColor: context.env.NO_COLOR,
  })
  if (config.storageRegistryAddress === '') log.child({ module: 'daemon' }).info(NO_REGISTRY)
  const signalled = waitForEnd(signal, options.withParent ?? false)
  void signalled.then(() => setTimeout(() => process.exit(EXIT_CODES.failed.code), STOP_LIMIT_MS).unref())
  const isRetentionUnset = kindOfOrigin(loaded.origins.get('retention_periods') ?? 'default') === 'default'
  const massaSeed = await readMassaSeed(context, loaded)
  const address = await readPublicAddress(context, loaded, log)
  forgetSecrets()
  const daemon = await startDaemon(config, log, {
    massaSeed,
    address,
    retentionAdvice: isRetentionUnset ? adviseSetting(loaded, 'retention_periods', '0') : undefined,
  })
  void daemon.fatal.then(() => setTimeout(() => process.exit(EXIT_CODES.failed.code), STOP_LIMIT_MS).unref())
  const end = await Promise.race([signalled, daemon.fatal.then((error) => ({ error }))])
  if ('signal' in end) log.child({ module: 'daemon' }).info({ signal: end.signal }, 'stopping')
  await daemon.stop()
  log.child({ module: 'daemon' }).info('stopped')
  if ('error' in end) throw end.error
  return EXIT_CODES.ok.code
}

/** Without a deployment they say nothing: who gives them means one. */
function checkOptions({ autoDeploy, params, yes }: StartOptions): void {
  const lonely = autoDeploy ? undefined : params !== undefined ? '--params' : yes ? '--yes' : undefined
  if (lonely !== undefined) throw new ArchiveError('CLI_USAGE', `${lonely} goes with --auto-deploy, which is not given`)
}

/** The configuration, with a registry if that was asked for; an archive alone needs none. */
async function withRegistry(context: Context, options: StartOptions, signal: AbortSignal): Promise<LoadedConfig> {
  const loaded = context.load()
  checkStartable(loaded)
  if (loaded.config.storageRegistryAddress === '' && options.autoDeploy) {
    const { params, yes = false } = options
    const given = { yes, ...(params === undefined ? {} : { params }) }
    const { deployed } = await deployConfigured(context, loaded, given, signal)
    return context.load({ storage_registry_address: deployed.address })
  }
  return loaded
}

function checkStartable(loaded: LoadedConfig): void {
  const { config } = loaded
  if (!config.enabled) {
    throw new ArchiveError('CLI_DISABLED', `massa-storage is disabled: ${adviseSetting(loaded, 'enabled', 'true')}`)
  }
  if (config.node.grpcUrls.length === 0) {
    throw new ArchiveError(
      'CLI_NO_NODE',
      `no massa-node is configured: ${adviseSetting(loaded, 'node.grpc_urls', '["127.0.0.1:33037"]', '127.0.0.1:33037')}`,
    )
  }
}

/** Of the key that this sidecar speaks for among others; without one it speaks for nobody who has a stake. */
async function readMassaSeed(context: Context, loaded: LoadedConfig): Promise<Uint8Array | undefined> {
  if (!loaded.config.p2p.enabled) return undefined
  const source = findKeySource(context, loaded)
  const secretKey = await readWalletKey({ ...source, readPassword: (file) => askPassword(context, file) })
  return secretKey === undefined ? undefined : parseSecretKey(secretKey).subarray(1)
}

/** They were read: worker threads, child processes and diagnostic reports get the environment as it is then. */
function forgetSecrets(): void {
  for (const name of [SECRET_KEY_ENV, PASSWORD_ENV]) delete process.env[name]
}

/** Without `p2p` it is only told beside what this archive holds: a key that cannot be read keeps nothing from starting. */
async function readPublicAddress(context: Context, loaded: LoadedConfig, log: Logger): Promise<string | undefined> {
  if (loaded.config.p2p.enabled) return undefined
  try {
    return await readOwnAddress(context, loaded)
  } catch (error) {
    if (!isArchiveError(error)) throw error
    log.child({ module: 'daemon' }).warn({ err: error, code: error.code }, 'it is not known which node this is')
    return undefined
  }
}

/** A file in the way, or a place where nothing can be made, is a mistake in the settings and not a damaged archive. */
function makeDataDir(dataDir: string): void {
  let found = false
  try {
    const stats = statSync(dataDir, { throwIfNoEntry: false })
    found = stats !== undefined
    if (stats && !stats.isDirectory()) {
      throw new ArchiveError('CONFIG_VALUE_INVALID', `data_dir: ${dataDir} is not a folder`, { dataDir })
    }
    makeFolder(dataDir)
    accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (cause) {
    if (isArchiveError(cause)) throw cause
    const reason = (cause as NodeJS.ErrnoException).code ?? 'unknown'
    const what = found ? 'cannot be read and written by this user' : 'cannot be made'
    throw new ArchiveError(
      'CONFIG_VALUE_INVALID',
      `data_dir: ${dataDir} ${what} (${reason})`,
      { dataDir, reason },
      cause,
    )
  }
}

function waitForEnd(signal: AbortSignal, withParent: boolean): Promise<{ signal: string }> {
  return new Promise((resolve) => {
    const end = (): void => resolve({ signal: signal.reason instanceof Error ? signal.reason.message : 'unknown' })
    if (signal.aborted) end()
    else signal.addEventListener('abort', end, { once: true })
    if (!withParent) return
    process.once('disconnect', () => resolve({ signal: 'disconnect' }))
    // A listener would keep the process alive for the channel's sake.
    process.channel?.unref()
    if (!process.connected) resolve({ signal: 'disconnect' })
  })
}
