import * as z from 'zod'
import { parseAddress } from '../core/massa/atoms.ts'
import { CHUNK_SIZE_BYTES, LEAF_SIZE_BYTES, THREAD_COUNT } from '../core/units.ts'
import { LOG_FORMATS, LOG_LEVELS, type LogLevel } from './log-choices.ts'

/** How a setting is written as text in an environment variable or a flag. */
export type SettingKind = 'boolean' | 'integer' | 'text' | 'list' | 'level' | 'tables'

interface SettingMeta {
  readonly kind: SettingKind
  /** What is allowed, as the end of the sentence "it must be ...". */
  readonly allowed: string
}

/** Kind and allowed values of each leaf of the schema: error messages and docs/CONFIG.md are made from it. */
export const settingMeta = z.registry<SettingMeta>()

/** More nodes than anyone runs; each costs a few connections. */
const MAX_NODES = 16
const MAX_CHAIN_RESTARTS = 64
const MAX_U64 = 18_446_744_073_709_551_615n
/** Ten million years. */
const MAX_PERIOD = 20_000_000_000_000
/** Every MAS there is, 10^9, in nanoMAS. */
const MAX_NANO_MAS = 1_000_000_000_000_000_000n

/** A number with underscores between thousands, as in our TOML. */
export function formatInteger(value: number | bigint): string {
  return value.toString().replace(/\B(?=(\d{3})+$)/g, '_')
}

// The loader hands integers over as bigint, so that 1.0 is refused and nothing beyond 2^53 is rounded.
function u64(min: bigint, max: bigint) {
  const allowed = `a whole number from ${formatInteger(min)} to ${formatInteger(max)}`
  return z.bigint().min(min).max(max).register(settingMeta, { kind: 'integer', allowed })
}

function integer(min: number, max: number) {
  const allowed = `a whole number from ${formatInteger(min)} to ${formatInteger(max)}`
  return z
    .bigint()
    .min(BigInt(min))
    .max(BigInt(max))
    .transform(Number)
    .register(settingMeta, { kind: 'integer', allowed })
}

/** 0 for none. */
function limit(min: number, max: number) {
  return z
    .bigint()
    .max(BigInt(max))
    .refine((value) => value === 0n || value >= BigInt(min))
    .transform(Number)
    .register(settingMeta, {
      kind: 'integer',
      allowed: `0, or a whole number from ${formatInteger(min)} to ${formatInteger(max)}`,
    })
}

function boolean() {
  return z.boolean().register(settingMeta, { kind: 'boolean', allowed: 'true or false' })
}

function text(isAllowed: (value: string) => boolean, allowed: string) {
  return z.string().refine(isAllowed).register(settingMeta, { kind: 'text', allowed })
}

interface HostPort {
  readonly host: string
  readonly port: number
}

/** Splits `host:port` or `[ipv6]:port`; undefined when it is neither. */
export function parseHostPort(value: string): HostPort | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)):(\d{1,5})$/.exec(value)
  const host = match?.[1] ?? match?.[2]
  const port = Number(match?.[3])
  if (host === undefined || host.length > 253 || port > 65_535) return undefined
  return { host, port }
}

/** The names and addresses that reach this machine wherever they are used; a port of 127.0.0.2 may be another program's. */
const LOOPBACK_HOSTS = ['localhost', 'ip6-localhost', '127.0.0.1', '[::1]', '[::ffff:7f00:1]', '0.0.0.0', '[::]']

/** The same text for addresses that are the same place in other words: case, loopback names, ways to write an IP address. */
function endpointOf(value: string): string {
  const address = parseHostPort(value)
  if (address === undefined) return value
  const host = address.host.includes(':') ? `[${address.host}]` : address.host
  const written = URL.canParse(`http://${host}/`) ? new URL(`http://${host}/`).hostname : host.toLowerCase()
  return `${LOOPBACK_HOSTS.includes(written) ? 'localhost' : written}:${address.port}`
}

function isNodeAddress(value: string): boolean {
  const port = parseHostPort(value)?.port
  return port !== undefined && port > 0
}

function isLoopbackBind(value: string): boolean {
  const host = parseHostPort(value)?.host
  if (host === undefined) return false
  if (host === 'localhost' || host === '::1') return true
  const parts = host.split('.')
  return parts.length === 4 && parts[0] === '127' && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256)
}

function loopbackBind() {
  return text(
    isLoopbackBind,
    'host:port with a host of this machine (127.0.0.1, [::1] or localhost), such as "127.0.0.1:33040"',
  )
}

function optionalLoopbackBind() {
  return text((value) => value === '' || isLoopbackBind(value), '"", or host:port with a host of this machine')
}

function isContractAddress(value: string): boolean {
  if (value === '') return true
  if (!value.startsWith('AS')) return false
  try {
    parseAddress(value)
    return true
  } catch {
    return false
  }
}

const nodeAddresses = z
  .array(z.string().refine(isNodeAddress))
  .max(MAX_NODES)
  // Twice in the agreement rule one machine would outvote others.
  .refine((urls) => new Set(urls.map(endpointOf)).size === urls.length)
  .register(settingMeta, {
    kind: 'list',
    allowed: `a list of at most ${MAX_NODES} different host:port (localhost is 127.0.0.1) without http://, such as ["127.0.0.1:33037"]`,
  })

const chainRestart = z
  .strictObject({
    last_kept_period: z.bigint().min(0n).max(BigInt(MAX_PERIOD)).transform(Number),
    last_kept_thread: z
      .bigint()
      .min(0n)
      .max(BigInt(THREAD_COUNT - 1))
      .transform(Number),
    restart_period: z.bigint().min(1n).max(BigInt(MAX_PERIOD)).transform(Number),
  })
  .refine((restart) => restart.restart_period > restart.last_kept_period)

const chainRestarts = z
  .array(chainRestart)
  .max(MAX_CHAIN_RESTARTS)
  .refine((restarts) =>
    restarts.every((restart, i) => i === 0 || restart.last_kept_period >= (restarts[i - 1]?.restart_period ?? 0)),
  )
  .register(settingMeta, {
    kind: 'tables',
    allowed:
      `a list of at most ${MAX_CHAIN_RESTARTS} { last_kept_period, last_kept_thread (0 to ${THREAD_COUNT - 1}), restart_period } ` +
      'in the order of time, each restart_period after its last_kept_period',
  })

const logLevel = z
  .union([
    z.enum(LOG_LEVELS),
    z
      .bigint()
      .min(0n)
      .max(4n)
      .transform((level): LogLevel => LOG_LEVELS[Number(level)] ?? 'trace'),
  ])
  .register(settingMeta, { kind: 'level', allowed: `${LOG_LEVELS.map((level) => `"${level}"`).join(', ')}, or 0 to 4` })

const node = z.strictObject({
  grpc_urls: nodeAddresses,
  chain_id: u64(0n, MAX_U64),
  // The year 9999; JavaScript's dates end not far behind.
  genesis_timestamp_ms: u64(0n, 253_402_300_799_999n),
  poll_interval_ms: integer(100, 10_000),
  call_timeout_ms: integer(100, 60_000),
  stream_silence_ms: integer(1_000, 600_000),
  chain_restarts: chainRestarts,
})

function isJsonRpcUrl(value: string): boolean {
  if (value === '') return true
  const url = URL.canParse(value) ? new URL(value) : undefined
  return (url?.protocol === 'http:' || url?.protocol === 'https:') && url.username === '' && url.password === ''
}

const contract = z.strictObject({
  json_rpc_url: text(isJsonRpcUrl, '"" or a URL such as "http://127.0.0.1:33035"'),
  key_file: text((value) => value.length <= 4_096 && !value.includes('\0'), '"" or a path of at most 4_096 characters'),
  fee_nano_mas: u64(0n, MAX_NANO_MAS),
  max_fee_nano_mas: u64(0n, MAX_NANO_MAS),
  min_balance_nano_mas: u64(0n, MAX_NANO_MAS),
  max_challenge_fee_percent: integer(0, 1_000_000),
  claim_threshold_nano_mas: u64(0n, MAX_NANO_MAS),
  gas_margin_percent: integer(0, 1_000),
  call_timeout_ms: integer(100, 600_000),
})

const HOST_OF_MULTIADDR = '(?:ip4|ip6|dns|dns4|dns6)/[A-Za-z0-9.:_-]{1,253}'
const PEER_OF_MULTIADDR = '/p2p/[1-9A-HJ-NP-Za-km-z]{40,64}'
const MULTIADDR = new RegExp(`^/${HOST_OF_MULTIADDR}/tcp/(\\d{1,5})(?:${PEER_OF_MULTIADDR})?$`)
/** As the registry takes them of a node. */
const MAX_P2P_ADDRESSES = 8
const MAX_BOOTSTRAP_PEERS = 64

/** Whether a text is where a peer can be reached by TCP; `leastPort` 0 for a place to listen. */
function isMultiaddr(value: string, leastPort: number): boolean {
  const port = Number(MULTIADDR.exec(value)?.[1] ?? -1)
  return value.length <= 128 && port >= leastPort && port <= 65_535
}

function multiaddrs(options: { readonly max: number; readonly leastPort: number; readonly example: string }) {
  const { max, leastPort, example } = options
  return z
    .array(z.string().refine((value) => isMultiaddr(value, leastPort)))
    .max(max)
    .refine((addresses) => new Set(addresses).size === addresses.length)
    .register(settingMeta, {
      kind: 'list',
      allowed: `a list of at most ${max} different multiaddrs, such as ["${example}"]`,
    })
}

const p2p = z.strictObject({
  enabled: boolean(),
  listen: multiaddrs({ max: MAX_P2P_ADDRESSES, leastPort: 0, example: '/ip4/0.0.0.0/tcp/31500' }),
  announce: multiaddrs({ max: MAX_P2P_ADDRESSES, leastPort: 1, example: '/dns4/storage.example.org/tcp/31500' }),
  bootstrap: multiaddrs({ max: MAX_BOOTSTRAP_PEERS, leastPort: 1, example: '/ip4/203.0.113.7/tcp/31500' }),
  mdns: boolean(),
  max_bytes_per_second: limit(100_000, 10_000_000_000),
  max_connections: integer(1, 10_000),
  repair_delay_seconds: integer(1, 86_400),
  safe_prune_min_age_periods: integer(1, 1_000_000),
})

const store = z.strictObject({
  min_free_bytes: integer(1_048_576, 1_000_000_000_000),
  ballast_bytes: integer(1_048_576, 1_073_741_824),
  scrub_interval_hours: integer(1, 720),
})

const history = z.strictObject({ enabled: boolean() })

const cpu = z.strictObject({ threads: integer(0, 256) })

/** Of pages, as browsers name them: no path, no port that is the usual one. */
const MAX_ORIGINS = 64

function isOrigin(value: string): boolean {
  return value === '*' || (/^https?:/.test(value) && URL.canParse(value) && new URL(value).origin === value)
}

const origins = z
  .array(z.string().refine(isOrigin))
  .max(MAX_ORIGINS)
  .refine((all) => new Set(all).size === all.length)
  .register(settingMeta, {
    kind: 'list',
    allowed: `a list of at most ${MAX_ORIGINS} different origins, such as ["https://wallet.example"], or ["*"]`,
  })

const api = z.strictObject({
  allowed_origins: origins,
  bind: loopbackBind(),
  fetch: boolean(),
  grpc_bind: optionalLoopbackBind(),
  max_requests_per_second: integer(0, 1_000_000),
  proxy_node: boolean(),
  proxy_node_url: text((value) => value !== '' && isJsonRpcUrl(value), 'a URL such as "http://127.0.0.1:33035"'),
})

const metrics = z.strictObject({ enabled: boolean(), bind: loopbackBind() })

const log = z.strictObject({
  level: logLevel,
  format: z.enum(LOG_FORMATS).register(settingMeta, {
    kind: 'text',
    allowed: LOG_FORMATS.map((format) => `"${format}"`).join(', '),
  }),
})

/**
 * `[distributed_storage]` and its tables, as in the TOML file. Integers come in as bigint (TOML read with
 * `integersAsBigInt`) and go out as number, but for what is u64 or an amount.
 */
export const settingsSchema = z
  .strictObject({
    enabled: boolean(),
    allocated_storage_gb: integer(1, 1_000_000),
    retention_periods: integer(0, 1_000_000_000),
    replication_factor: integer(3, 5),
    chunk_size: z
      .bigint()
      .min(BigInt(LEAF_SIZE_BYTES))
      .max(BigInt(CHUNK_SIZE_BYTES))
      .multipleOf(BigInt(LEAF_SIZE_BYTES))
      .transform(Number)
      .register(settingMeta, {
        kind: 'integer',
        allowed: `a multiple of ${formatInteger(LEAF_SIZE_BYTES)} from ${formatInteger(LEAF_SIZE_BYTES)} to ${formatInteger(CHUNK_SIZE_BYTES)}`,
      }),
    challenge_frequency_periods: integer(1, 1_000_000),
    reward_distribution_periods: integer(1, 1_000_000),
    reward_per_gb_per_period: u64(0n, MAX_NANO_MAS),
    min_challenge_interval: integer(1_000, 604_800_000),
    challenge_response_timeout: integer(1_000, 3_600_000),
    storage_registry_address: text(isContractAddress, '"" or the address of a contract (AS1...)'),
    data_dir: text(
      (value) => value.length > 0 && value.length <= 4_096 && !value.includes('\0'),
      'a path of 1 to 4_096 characters',
    ),
    node,
    contract,
    p2p,
    store,
    history,
    cpu,
    api,
    metrics,
    log,
  })
  .superRefine(({ api, metrics }, context) => {
    const binds = [
      { path: 'api.bind', bind: api.bind },
      { path: 'api.grpc_bind', bind: api.grpc_bind },
      { path: 'metrics.bind', bind: metrics.enabled ? metrics.bind : '' },
    ].filter(({ bind }) => bind !== '' && parseHostPort(bind)?.port !== 0)
    for (const [i, { path, bind }] of binds.entries()) {
      const other = binds.slice(0, i).find((earlier) => endpointOf(earlier.bind) === endpointOf(bind))
      if (!other) continue
      context.addIssue({
        code: 'custom',
        path: path.split('.'),
        params: { other: other.path },
        message: `another port than ${other.path}`,
      })
    }
  })

/** Settings as the TOML names them, checked. */
export type Settings = z.output<typeof settingsSchema>

/** One leaf of the schema. */
export interface SettingDescription extends SettingMeta {
  /** Dotted path below `distributed_storage`. */
  readonly path: string
}

/** Every setting, in the order of the schema. */
export function listSettings(): SettingDescription[] {
  return listLeaves(settingsSchema, [])
}

function listLeaves(table: z.ZodObject, prefix: readonly string[]): SettingDescription[] {
  return Object.entries(table.shape).flatMap(([key, schema]) => {
    const path = [...prefix, key]
    if (schema instanceof z.ZodObject) return listLeaves(schema, path)
    const meta = settingMeta.get(schema as z.ZodType)
    return meta === undefined ? [] : [{ path: path.join('.'), ...meta }]
  })
}
