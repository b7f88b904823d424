import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { ArchiveError } from '../core/errors.ts'
import { readBaseLayer } from './base-config.ts'
import { formatValue, shorten } from './format-value.ts'
import {
  CONFIG_FILE_ENV,
  type ConfigFlags,
  DEFAULT_ORIGIN,
  kindOfOrigin,
  type Layer,
  type RawSetting,
  ROOT_TABLE,
  readEnvLayer,
  readFileLayer,
  readFlagLayer,
} from './layers.ts'
import { listSettings, type Settings, settingsSchema } from './schema.ts'

type CamelCase<S extends string> = S extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<CamelCase<Tail>>}` : S

type CamelCased<T> = T extends readonly (infer Item)[]
  ? readonly CamelCased<Item>[]
  : T extends object
    ? { readonly [K in keyof T & string as CamelCase<K>]: CamelCased<T[K]> }
    : T

/** The settings of a running sidecar: names of the TOML in camelCase, frozen; `dataDir` is absolute. */
export type Config = CamelCased<Settings>

export interface ConfigSources {
  /** Value of `--config`; relative to `cwd`. Else env MASSA_STORAGE_CONFIG, else config/config.toml below `cwd` if it exists. */
  readonly file?: string | undefined
  readonly env: Readonly<Record<string, string | undefined>>
  readonly flags: ConfigFlags
  /** Absolute. */
  readonly cwd: string
}

export interface LoadedConfig {
  readonly config: Config
  /** Dotted path below `distributed_storage` to 'default', path of the file, name of the variable, or 'flag'. */
  readonly origins: ReadonlyMap<string, string>
  /** The same settings as the TOML names them; `data_dir` as it was written. */
  readonly settings: Settings
  /** The file that was read, absolute; undefined when there was none. */
  readonly file: string | undefined
}

/**
 * Settings from the shipped defaults, the file, the environment and the flags; the later wins.
 *
 * @throws ArchiveError `CONFIG_FILE_MISSING`, `CONFIG_SYNTAX`, `CONFIG_KEY_UNKNOWN`, `CONFIG_VALUE_INVALID`
 */
export function loadConfig(sources: ConfigSources): LoadedConfig {
  const file = findConfigFile(sources)
  const layers = [
    readBaseLayer(),
    file === undefined ? new Map<string, RawSetting>() : readFileLayer(file),
    readEnvLayer(sources.env),
    readFlagLayer(sources.flags),
  ]
  const raw = new Map(layers.flatMap((layer) => [...layer]))
  const settings = checkSettings(raw)
  const config = toCamelCase({ ...settings, data_dir: resolve(sources.cwd, settings.data_dir) }) as Config
  const origins = new Map([...raw].map(([path, { origin }]) => [path, origin]))
  return Object.freeze({ config, origins, settings, file })
}

const ORIGIN_RANKS = { default: 0, file: 1, environment: 2, flag: 3 } as const

/** The file that `loadConfig` reads, absolute; undefined: none was named and the usual one does not exist. */
export function findConfigFile(sources: Omit<ConfigSources, 'flags'>): string | undefined {
  const named = sources.file ?? (sources.env[CONFIG_FILE_ENV] || undefined)
  if (named !== undefined) return resolve(sources.cwd, named)
  const usual = join(sources.cwd, 'config', 'config.toml')
  return existsSync(usual) ? usual : undefined
}

/**
 * Checks values of all sources together.
 *
 * @throws ArchiveError `CONFIG_VALUE_INVALID` naming where the value stands and what is allowed
 */
export function checkSettings(raw: Layer): Settings {
  const tree: Record<string, unknown> = {}
  for (const [path, { value }] of raw) {
    const [first = '', second] = path.split('.')
    if (second === undefined) tree[first] = value
    else tree[first] = { ...(tree[first] as object | undefined), [second]: value }
  }
  const result = settingsSchema.safeParse(tree)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  const leaf = listSettings().find(({ path }) => isInside(issue?.path ?? [], path))
  const path = leaf?.path ?? issue?.path.join('.') ?? ''
  const other = issue?.code === 'custom' ? issue.params?.other : undefined
  if (typeof other === 'string') throw refuseBoth(raw, [path, other])
  throw refuse(raw, path, leaf?.allowed ?? issue?.message ?? '', result.error)
}

/** Of two settings that do not go together the later word is refused: a default can never be wrong. */
function refuseBoth(raw: Layer, paths: readonly [string, string]): ArchiveError {
  const rank = (path: string) => ORIGIN_RANKS[kindOfOrigin(raw.get(path)?.origin ?? DEFAULT_ORIGIN)]
  const [one, other] = paths
  return rank(one) >= rank(other)
    ? refuse(raw, one, `another port than ${other}`)
    : refuse(raw, other, `another port than ${one}`)
}

function refuse(raw: Layer, path: string, allowed: string, cause?: unknown): ArchiveError {
  const setting = raw.get(path)
  const where = setting?.where ?? 'base_config.toml'
  const value = shorten(setting?.findWritten?.() ?? formatValue(setting?.value))
  const message = `${where}: ${ROOT_TABLE}.${path} = ${value} is not allowed; it must be ${allowed}`
  return new ArchiveError('CONFIG_VALUE_INVALID', message, { where, key: path, value, allowed }, cause)
}

function isInside(issuePath: readonly PropertyKey[], leafPath: string): boolean {
  return leafPath.split('.').every((part, i) => issuePath[i] === part)
}

function toCamelCase(value: unknown): unknown {
  if (Array.isArray(value)) return Object.freeze(value.map(toCamelCase))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, inner]) => [
    key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()),
    toCamelCase(inner),
  ])
  return Object.freeze(Object.fromEntries(entries))
}
