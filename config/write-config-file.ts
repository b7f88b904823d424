import { isUtf8 } from 'node:buffer'
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { stringify } from 'smol-toml'
import { ArchiveError, type Network } from '../core/index.ts'
import { readBaseLayer, readBaseSettings } from './base-config.ts'
import { type ConfigFlags, type RawSetting, ROOT_TABLE, readFlagLayer, readTextLayer } from './layers.ts'
import { checkSettings } from './load.ts'
import { findNetworkName, KNOWN_NETWORKS, type KnownNetworkName } from './networks.ts'
import { hasOwnTables, OWN_COMMENT, putOwnTables } from './own-tables.ts'
import { guardWriting, replaceFile } from './replace-file.ts'
import { formatInteger, listSettings } from './schema.ts'

const BYTE_ORDER_MARK = '\uFEFF'

/** What `config init` asks; what is undefined keeps its default and is left out of the file. */
export interface ConfigAnswers {
  readonly enabled?: boolean | undefined
  /** host:port of each massa-node */
  readonly grpcUrls?: readonly string[] | undefined
  readonly network?: KnownNetworkName | Network | undefined
  readonly dataDir?: string | undefined
  readonly allocatedStorageGb?: number | undefined
  /** 0 for ever */
  readonly retentionPeriods?: number | undefined
  /** Any others, by dotted path, as flags give them; they win. */
  readonly settings?: ConfigFlags | undefined
}

/**
 * The text of a configuration file with these answers.
 *
 * @throws ArchiveError `CONFIG_VALUE_INVALID` when an answer is not allowed; `CONFIG_KEY_UNKNOWN` for `settings`
 */
export function renderConfigFile(answers: ConfigAnswers): string {
  const network = typeof answers.network === 'string' ? KNOWN_NETWORKS[answers.network] : answers.network
  const answered = listAnswers(answers, network)
  checkSettings(new Map([...readBaseLayer(), ...answered]))
  const comments = readBaseSettings()
  const lines = (path: string): string[] => {
    const setting = answered.get(path)
    if (setting === undefined) return []
    const isOfNetwork = path === 'node.chain_id' && network !== undefined && setting.value === network.chainId
    const comment = isOfNetwork ? (findNetworkName(network) ?? 'a private network') : comments.get(path)?.comment
    return [`# ${comment}`, `${path.slice(path.indexOf('.') + 1)} = ${formatToml(setting.value)}`]
  }
  const paths = listSettings().map(({ path }) => path)
  const tables = [...new Set(paths.flatMap((path) => (path.includes('.') ? [path.slice(0, path.indexOf('.'))] : [])))]
  const text = [OWN_COMMENT, `[${ROOT_TABLE}]`]
  text.push(...indent(1, paths.filter((path) => !path.includes('.')).flatMap(lines)))
  for (const table of tables) {
    const inside = paths.filter((path) => path.startsWith(`${table}.`)).flatMap(lines)
    if (inside.length > 0) text.push('', ...indent(1, [`[${ROOT_TABLE}.${table}]`]), ...indent(2, inside))
  }
  return `${text.join('\n')}\n`
}

function indent(depth: number, lines: readonly string[]): string[] {
  return lines.map((line) => ' '.repeat(4 * depth) + line)
}

/**
 * Finds out, before anything is asked, whether `writeConfigFile` would refuse a file.
 *
 * @throws ArchiveError `CONFIG_FILE_EXISTS`, `CONFIG_SYNTAX`, `CONFIG_FILE_UNWRITABLE`
 */
export function checkConfigFile(path: string, options: { readonly force?: boolean } = {}): void {
  const { text } = readOld(path)
  if (options.force !== true && hasOwnTables(text, path)) {
    const message = `${path} has [${ROOT_TABLE}] already: --force replaces it, and nothing else in the file`
    throw new ArchiveError('CONFIG_FILE_EXISTS', message, { file: path })
  }
}

/**
 * Writes our tables into a configuration file, which is made with the folders above it where there is none. It may be the
 * massa-node's: its other tables and their comments stay byte for byte, and it is never seen half written.
 *
 * @throws ArchiveError `CONFIG_FILE_EXISTS` when our tables are there and `force` is not set; `CONFIG_SYNTAX` and
 *   `CONFIG_KEY_UNKNOWN` of what is there; `CONFIG_FILE_UNWRITABLE`; `CONFIG_VALUE_INVALID`
 */
export function writeConfigFile(
  path: string,
  answers: ConfigAnswers,
  options: { readonly force?: boolean } = {},
): void {
  const own = renderConfigFile(answers)
  checkConfigFile(path, options)
  const old = readOld(path)
  const text = putOwnTables(old.text, own, path)
  // What is written must be read: a key before all tables, or a table named almost like ours, is refused there.
  readTextLayer(text, path)
  replaceFile(resolve(path), old.mark + text)
}

/** Its text without the byte order mark that it may begin with; both empty where there is none. */
function readOld(path: string): { readonly mark: string; readonly text: string } {
  return guardWriting(path, () => {
    if (!existsSync(path)) return { mark: '', text: '' }
    const bytes = readFileSync(path)
    if (!isUtf8(bytes)) throw new ArchiveError('CONFIG_SYNTAX', `${path} is not UTF-8, which TOML is`, { file: path })
    const text = bytes.toString('utf8')
    const mark = text.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK : ''
    return { mark, text: text.slice(mark.length) }
  })
}

/** As raw settings; `settings` win. */
function listAnswers(answers: ConfigAnswers, network: Network | undefined): Map<string, RawSetting> {
  const values = {
    enabled: answers.enabled,
    allocated_storage_gb: toInteger(answers.allocatedStorageGb),
    retention_periods: toInteger(answers.retentionPeriods),
    data_dir: answers.dataDir,
    'node.grpc_urls': answers.grpcUrls,
    'node.chain_id': network?.chainId,
    'node.genesis_timestamp_ms': network?.genesisTimestampMs,
  }
  const given = Object.entries(values).flatMap(([path, value]): [string, RawSetting][] =>
    value === undefined ? [] : [[path, { value, origin: 'answer', where: 'answer' }]],
  )
  return new Map([...given, ...readFlagLayer(answers.settings ?? {})])
}

// A fraction stays a number, which the schema refuses.
function toInteger(value: number | undefined): bigint | number | undefined {
  return Number.isInteger(value) ? BigInt(value as number) : value
}

/** A checked value on one line. */
function formatToml(value: unknown): string {
  if (typeof value === 'bigint') return formatInteger(value)
  if (Array.isArray(value)) return `[${value.map(formatToml).join(', ')}]`
  if (typeof value !== 'object' || value === null) return stringify({ value }).trim().slice('value = '.length)
  const entries = Object.entries(value).map(([key, inner]) => `${key} = ${formatToml(inner)}`)
  return `{ ${entries.join(', ')} }`
}
