import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { type ConfigAnswers, KNOWN_NETWORKS, type KnownNetworkName, writeConfigFile } from '../../config/index.ts'
import { ArchiveError } from '../../core/index.ts'
import type { Context } from '../context.ts'
import { EXIT_CODES } from '../exit-codes.ts'

export interface InitOptions {
  readonly yes?: boolean
  readonly force?: boolean
  readonly grpcUrl?: readonly string[]
  readonly network?: string
  readonly storageGb?: string
  readonly retentionPeriods?: string
  readonly file?: string
}

const DEFAULT_NODE = '127.0.0.1:33037'

/** Asks what cannot be guessed and writes config/config.toml. */
export async function configInit(context: Context, options: InitOptions): Promise<number> {
  const path = options.file ?? join(context.cwd, 'config', 'config.toml')
  if (existsSync(path) && !options.force) {
    throw new ArchiveError('CONFIG_FILE_EXISTS', `${path} exists: --force overwrites it`, { path })
  }
  const interactive = !options.yes && process.stdin.isTTY === true
  const ask = interactive ? await createAsker() : undefined
  try {
    const answer = async (question: string, given: string | undefined, fallback: string): Promise<string> =>
      given ?? (ask ? await ask.question(question, fallback) : fallback)
    const nodes = await answer(
      'Public gRPC address of your massa-node, host:port',
      options.grpcUrl?.join(','),
      DEFAULT_NODE,
    )
    const network = await answer(
      'Network: mainnet, buildnet, or CHAIN_ID:GENESIS_TIMESTAMP_MS',
      options.network,
      'mainnet',
    )
    const storageGb = await answer('Disk to give, in GB', options.storageGb, '10')
    const retention = await answer('Periods to keep (16 s each, 0 keeps all for ever)', options.retentionPeriods, '0')
    const answers: ConfigAnswers = {
      enabled: true,
      grpcUrls: nodes.split(',').map((node) => node.trim()),
      network: parseNetwork(network),
      allocatedStorageGb: parseNumber(storageGb, 'allocated_storage_gb'),
      retentionPeriods: parseNumber(retention, 'retention_periods'),
    }
    writeConfigFile(path, answers, { force: options.force ?? false })
  } finally {
    ask?.close()
  }
  context.output.value({ file: path })
  context.output.line(`Wrote ${path}. Next: 'massa-storage doctor' checks it, 'massa-storage start' runs it.`)
  return EXIT_CODES.ok.code
}

/** Every setting with its value, and with --origin where it comes from. */
export function configShow(context: Context, options: { readonly origin?: boolean }): number {
  const { settings, origins } = context.load()
  const rows = [...origins].map(([path, origin]) => ({ path, value: valueAt(settings, path), origin }))
  context.output.value(
    Object.fromEntries(
      rows.map(({ path, value, origin }) => {
        const plain = typeof value === 'bigint' ? value.toString() : value
        return [path, options.origin ? { value: plain, origin } : plain]
      }),
    ),
  )
  context.output.table(
    rows.map(({ path, value, origin }) => [path, formatSetting(value), ...(options.origin ? [origin] : [])]),
  )
  return EXIT_CODES.ok.code
}

/** Says whether the settings are usable; what is wrong is thrown by the loader. */
export function configCheck(context: Context): number {
  const { file } = context.load()
  context.output.value({ ok: true, file: file ?? null })
  context.output.line(
    file ? `${file} is fine.` : `No configuration file: defaults only. 'massa-storage config init' writes one.`,
  )
  return EXIT_CODES.ok.code
}

function valueAt(settings: object, path: string): unknown {
  let value: unknown = settings
  for (const key of path.split('.')) value = (value as Record<string, unknown> | undefined)?.[key]
  return value
}

/** As the TOML has it. */
function formatSetting(value: unknown): string {
  return typeof value === 'bigint' ? value.toString() : JSON.stringify(value)
}

function parseNetwork(text: string): ConfigAnswers['network'] {
  if (Object.hasOwn(KNOWN_NETWORKS, text)) return text as KnownNetworkName
  const match = /^(\d{1,20}):(\d{1,20})$/.exec(text)
  if (!match?.[1] || !match[2]) {
    throw new ArchiveError(
      'CONFIG_VALUE_INVALID',
      `'${text}' is no network: mainnet, buildnet, or CHAIN_ID:GENESIS_TIMESTAMP_MS`,
    )
  }
  return { chainId: BigInt(match[1]), genesisTimestampMs: BigInt(match[2]) }
}

function parseNumber(text: string, key: string): number {
  if (!/^\d{1,15}$/.test(text))
    throw new ArchiveError('CONFIG_VALUE_INVALID', `${key}: '${text}' is not a whole number`)
  return Number(text)
}

async function createAsker() {
  const readline = createInterface({ input: process.stdin, output: process.stderr })
  return {
    question: async (question: string, fallback: string) =>
      (await readline.question(`${question} [${fallback}]: `)).trim() || fallback,
    close: () => readline.close(),
  }
}
