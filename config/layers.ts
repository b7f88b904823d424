import { readFileSync } from 'node:fs'
import { parse, TomlError, type TomlTable } from 'smol-toml'
import { ArchiveError } from '../core/errors.ts'
import { computeEditDistance, findNearestKey } from './nearest-key.ts'
import { listSettings, type SettingKind } from './schema.ts'

/** The table of the TOML file that is ours; the others belong to massa-node. */
export const ROOT_TABLE = 'distributed_storage'
const ENV_PREFIX = 'MASSA_STORAGE_'
/** Names the configuration file; no setting. */
export const CONFIG_FILE_ENV = 'MASSA_STORAGE_CONFIG'

/** Holds the secret key that signs operations; no setting, for settings are shown. */
export const SECRET_KEY_ENV = 'MASSA_STORAGE_SECRET_KEY'

/** Opens the wallet; no setting, either. */
export const PASSWORD_ENV = 'MASSA_STORAGE_PASSWORD'

/** Origins that are neither a file nor a variable. */
export const DEFAULT_ORIGIN = 'default'
const FLAG_ORIGIN = 'flag'

/** A value as some source gives it, not yet checked against the schema. */
export interface RawSetting {
  readonly value: unknown
  /** 'default', the path of a file, the name of an environment variable, or 'flag'. */
  readonly origin: string
  /** For a message: file with line, variable or flag. */
  readonly where: string
  /** For a message: a number as the file has it; undefined when it cannot be told. */
  readonly findWritten?: () => string | undefined
}

/** Values of one source by dotted path below `distributed_storage`; only known paths. */
export type Layer = ReadonlyMap<string, RawSetting>

/** The CLI's word on some settings: dotted path below `distributed_storage` to value; undefined is not given. */
export type ConfigFlags = Readonly<Record<string, string | number | bigint | boolean | readonly string[] | undefined>>

const NO_SETTINGS = [CONFIG_FILE_ENV, SECRET_KEY_ENV, PASSWORD_ENV]
const KINDS: ReadonlyMap<string, SettingKind> = new Map(listSettings().map(({ path, kind }) => [path, kind]))
const KEYS = [...KINDS.keys()]
const TABLES = [...new Set(KEYS.flatMap((key) => (key.includes('.') ? [key.slice(0, key.lastIndexOf('.'))] : [])))]
const TOP_KEYS = KEYS.filter((key) => !key.includes('.'))
const ENV_NAMES: ReadonlyMap<string, string> = new Map(KEYS.map((key) => [envNameOf(key), key]))

/** Name of the environment variable of a setting: `node.grpc_urls` is MASSA_STORAGE_NODE__GRPC_URLS. */
export function envNameOf(path: string): string {
  return ENV_PREFIX + path.replaceAll('.', '__').toUpperCase()
}

/**
 * Reads a TOML file. Tables other than `[distributed_storage]` are left alone, so it may be the node's own config.toml.
 *
 * @throws ArchiveError `CONFIG_FILE_MISSING`, `CONFIG_SYNTAX`, `CONFIG_KEY_UNKNOWN`, `CONFIG_VALUE_INVALID` (a table that is none)
 */
export function readFileLayer(path: string, origin: string = path): Layer {
  return readTextLayer(readConfigText(path), path, origin)
}

/** The same of its text. @throws ArchiveError as `readFileLayer`, but for `CONFIG_FILE_MISSING` */
export function readTextLayer(text: string, path: string, origin: string = path): Layer {
  const document = parseToml(text, path)
  refuseStrayKeys(document, path)
  const layer = new Map<string, RawSetting>()
  const root = document[ROOT_TABLE]
  if (root === undefined) return layer
  const whereIs = (key: string) => {
    const line = findLine(text, key)
    return line === undefined ? path : `${path}:${line}`
  }
  const findWritten = (key: string, value: unknown) => findNumber(text, key, value)
  collectTable(root, '', { layer, origin, whereIs, findWritten })
  return layer
}

/** Where the value of a setting came from, by the `origin` of the setting. */
export function kindOfOrigin(origin: string): 'default' | 'file' | 'environment' | 'flag' {
  if (origin === DEFAULT_ORIGIN) return 'default'
  if (origin === FLAG_ORIGIN) return 'flag'
  return ENV_NAMES.has(origin) ? 'environment' : 'file'
}

/** @throws ArchiveError `CONFIG_KEY_UNKNOWN` for a variable that begins like ours and is none. */
export function readEnvLayer(env: Readonly<Record<string, string | undefined>>): Layer {
  const layer = new Map<string, RawSetting>()
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith(ENV_PREFIX) || NO_SETTINGS.includes(name) || text === undefined) continue
    const path = ENV_NAMES.get(name)
    if (path === undefined) throw unknownVariable(name)
    layer.set(path, { value: parseText(text, KINDS.get(path)), origin: name, where: `environment variable ${name}` })
  }
  return layer
}

/** @throws ArchiveError `CONFIG_KEY_UNKNOWN` */
export function readFlagLayer(flags: ConfigFlags): Layer {
  const layer = new Map<string, RawSetting>()
  for (const [path, given] of Object.entries(flags)) {
    if (given === undefined) continue
    const kind = KINDS.get(path)
    if (kind === undefined) throw unknownKey(path, 'flag')
    const value =
      typeof given === 'string' ? parseText(given, kind) : Number.isInteger(given) ? BigInt(given as number) : given
    layer.set(path, { value, origin: FLAG_ORIGIN, where: `flag ${path}` })
  }
  return layer
}

function readConfigText(path: string): string {
  try {
    return readFileSync(path, 'utf8').replace(/^\uFEFF/, '')
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? 'unreadable'
    throw new ArchiveError('CONFIG_FILE_MISSING', `cannot read ${path} (${reason})`, { file: path, reason }, cause)
  }
}

/** @throws ArchiveError `CONFIG_SYNTAX` */
export function parseToml(text: string, file: string): TomlTable {
  try {
    return parse(text, { integersAsBigInt: true, unsafeKeyBehaviour: 'throw' })
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause
    const reason = (cause.message.split('\n')[0] ?? '').replace('Invalid TOML document: ', '')
    const { line, column } = cause
    throw new ArchiveError('CONFIG_SYNTAX', `${file}:${line}:${column}: ${reason}`, { file, line, column }, cause)
  }
}

/** massa-node has only tables at the top: a key there, or a table named almost like ours, is a slip that would be ignored. */
function refuseStrayKeys(document: TomlTable, file: string): void {
  for (const [key, value] of Object.entries(document)) {
    if (key === ROOT_TABLE) continue
    if (!isTable(value) && !Array.isArray(value)) {
      const hint = `it stands before any table; settings stand below [${ROOT_TABLE}]`
      throw unknownKey(key, file, { hint })
    }
    if (/^distributed/i.test(key) || computeEditDistance(key, ROOT_TABLE) <= 3) {
      throw misspelledTable(key, file)
    }
  }
}

/** However it is written: no other table of a massa-node's file begins so. */
function misspelledTable(key: string, where: string): ArchiveError {
  const message = `${where}: there is no table ${key}; the nearest is ${ROOT_TABLE}`
  return new ArchiveError('CONFIG_KEY_UNKNOWN', message, { where, key, nearest: ROOT_TABLE })
}

interface Collector {
  readonly layer: Map<string, RawSetting>
  readonly origin: string
  readonly whereIs: (key: string) => string
  readonly findWritten: (key: string, value: unknown) => string | undefined
}

function collectTable(table: unknown, prefix: string, collector: Collector): void {
  const where = collector.whereIs(prefix)
  if (!isTable(table)) {
    const name = prefix === '' ? ROOT_TABLE : `${ROOT_TABLE}.${prefix}`
    throw new ArchiveError('CONFIG_VALUE_INVALID', `${where}: ${name} must be a table`, { where, key: name })
  }
  for (const [key, value] of Object.entries(table)) {
    const path = prefix === '' ? key : `${prefix}.${key}`
    if (TABLES.includes(path)) collectTable(value, path, collector)
    else if (KINDS.has(path)) {
      const findWritten = () => collector.findWritten(path, value)
      collector.layer.set(path, { value, origin: collector.origin, where: collector.whereIs(path), findWritten })
    } else if (isTable(value) && !TABLES.some((known) => path.startsWith(`${known}.`))) {
      const others = `the tables are ${TABLES.join(', ')}`
      throw unknownKey(path, collector.whereIs(path), { candidates: TABLES, others })
    } else throw unknownKey(path, collector.whereIs(path))
  }
}

function isTable(value: unknown): value is TomlTable {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
}

/** Names the nearest of `candidates`; where none is near, what stands where the key was looked for. */
function unknownKey(
  key: string,
  where: string,
  options: { readonly candidates?: readonly string[]; readonly others?: string; readonly hint?: string } = {},
): ArchiveError {
  const { candidates = KEYS, others = listAround(key), hint } = options
  const nearest = TABLES.includes(key) ? undefined : findNearestKey(key, candidates)
  const advice = nearest === undefined ? others : `the nearest is ${nearest}`
  const message = `${where}: there is no setting ${key}; ${advice}${hint === undefined ? '' : ` (${hint})`}`
  return new ArchiveError('CONFIG_KEY_UNKNOWN', message, { where, key, nearest })
}

function unknownVariable(name: string): ArchiveError {
  const others = listAround(name.slice(ENV_PREFIX.length).toLowerCase().replaceAll('__', '.'), envNameOf)
  return unknownKey(name, 'environment', { candidates: [...ENV_NAMES.keys(), ...NO_SETTINGS], others })
}

/** The settings of the table that a key names or stands in; where there is no such table, what there is instead. */
function listAround(key: string, format = (path: string): string => path): string {
  const table = TABLES.find((known) => key === known || key.startsWith(`${known}.`))
  const listed = (paths: readonly string[]): string => paths.map(format).join(', ')
  if (table !== undefined) {
    const settings = listed(listBelow(table))
    return key === table
      ? `${key} is a table; its settings are ${settings}`
      : `the settings of ${table} are ${settings}`
  }
  const tables = `the tables are ${listed(TABLES)}`
  return key.includes('.') ? tables : `the settings outside of tables are ${listed(TOP_KEYS)}; ${tables}`
}

function listBelow(table: string): string[] {
  return KEYS.filter((key) => key.startsWith(`${table}.`))
}

/** Text of a variable or flag as TOML would give it. What does not fit stays text, and the schema refuses it. */
function parseText(text: string, kind: SettingKind | undefined): unknown {
  switch (kind) {
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : text
    case 'integer':
    case 'level':
      return /^-?\d+(?:_\d+)*$/.test(text) ? BigInt(text.replaceAll('_', '')) : text
    case 'list':
      return text.trim() === '' ? [] : text.split(',').map((part) => part.trim())
    case 'tables':
      try {
        return parse(`value = ${text}`, { integersAsBigInt: true }).value
      } catch {
        return text
      }
    default:
      return text
  }
}

/** Line of a key or table header below `[distributed_storage]`, found by its text; undefined when written in an unusual way. */
function findLine(text: string, path: string): number | undefined {
  const wanted = path === '' ? ROOT_TABLE : `${ROOT_TABLE}.${path}`
  let table = ''
  for (const [i, line] of text.split('\n').entries()) {
    const header = /^\s*\[+\s*([^\]]+?)\s*\]/.exec(line)?.[1]
    const key = /^\s*([A-Za-z0-9_.-]+)\s*=/.exec(line)?.[1]
    if (header !== undefined) table = header
    if (header === wanted || (key !== undefined && `${table}.${key}` === wanted)) return i + 1
  }
  return undefined
}

/** The text of a number that stands alone on its line: `1.0`, `1_000` and `0x10` are other words for what they say. */
function findNumber(text: string, path: string, value: unknown): string | undefined {
  if (typeof value !== 'number' && typeof value !== 'bigint') return undefined
  const line = findLine(text, path)
  const written = /=\s*([^\s#]+)\s*(?:#.*)?$/.exec(text.split('\n')[(line ?? 0) - 1] ?? '')?.[1]
  try {
    return Object.is(parse(`value = ${written}`, { integersAsBigInt: true }).value, value) ? written : undefined
  } catch {
    return undefined
  }
}
