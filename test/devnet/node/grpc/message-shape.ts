import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { ByteReader } from '../../../../core/index.ts'

const FIXTURES = new URL('../../../fixtures/sandbox-grpc/', import.meta.url)
/** By type and number: `name`, or `name:Type` of a message. From massa-proto, not from our own schema. */
const FIELDS = JSON.parse(readFileSync(new URL('fields.json', FIXTURES), 'utf8')) as Readonly<
  Record<string, Readonly<Record<string, string>>>
>

export interface RecordedCase {
  readonly case: string
  readonly rpc: string
  /** Base64, like `response`. */
  readonly request: string
  readonly response?: string
  /** The response was cut to its first entries. */
  readonly cut?: boolean
  readonly error?: { readonly code: number; readonly details: string }
}

export function readCases(): RecordedCase[] {
  const text = gunzipSync(readFileSync(new URL('cases.ndjson.gz', FIXTURES))).toString()
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as RecordedCase)
}

export interface Visit {
  /** Names from the top, such as `status.config.t0`. */
  readonly path: string
  /** Of the message that the field is in. */
  readonly parent: string
  /** A number, or a text, or bytes. */
  readonly isScalar: boolean
  readonly isNumber: boolean
  readonly isDefault: boolean
  readonly value: bigint | Uint8Array
  /** Of this name in this message. */
  readonly isFirst: boolean
  /** It comes before a field of a lower number. */
  readonly isOutOfOrder: boolean
}

/** Every field of a message and of those in it, in order. Throws for one that massa-proto does not have. */
export function walkFields(type: string, bytes: Uint8Array, visit: (field: Visit) => void, parent = ''): void {
  const reader = new ByteReader(bytes, 'CORE_PROTOBUF_INVALID')
  let last = 0
  const seen = new Set<number>()
  while (reader.remaining > 0) {
    const key = reader.varintNumber(0xffff_ffff)
    const number = key >>> 3
    const [name, inner] = (FIELDS[type]?.[number] ?? '').split(':')
    if (!name) throw new Error(`${type} has no field ${number}`)
    const path = parent === '' ? name : `${parent}.${name}`
    const isNumber = (key & 7) === 0
    const value = isNumber ? reader.varint() : reader.sized(bytes.length)
    const isDefault = typeof value === 'bigint' ? value === 0n : (value as Uint8Array).length === 0
    const isScalar = inner === undefined
    visit({
      path,
      parent,
      value,
      isScalar,
      isNumber,
      isDefault,
      isOutOfOrder: number < last,
      isFirst: !seen.has(number),
    })
    seen.add(number)
    last = Math.max(last, number)
    if (inner !== undefined) walkFields(inner, value as Uint8Array, visit, path)
  }
}

/** Each single value under a path, as text: numbers in digits, texts and bytes in hex. */
export function listValues(type: string, bytes: Uint8Array, under: string): Map<string, string> {
  const values = new Map<string, string>()
  walkFields(type, bytes, ({ path, value, isScalar }) => {
    if (!isScalar || !path.startsWith(`${under}.`)) return
    values.set(path, typeof value === 'bigint' ? `${value}` : Buffer.from(value).toString('hex'))
  })
  return values
}

/** What many messages of one type have in common. */
export class ShapeSurvey {
  readonly counts = new Map<string, number>([['', 0]])
  /** Messages that have it, once or several times. */
  private readonly holders = new Map<string, number>()
  readonly numbers = new Set<string>()
  readonly defaults = new Set<string>()
  readonly disorders = new Set<string>()

  add(type: string, bytes: Uint8Array): void {
    this.counts.set('', (this.counts.get('') ?? 0) + 1)
    walkFields(type, bytes, (field) => {
      this.counts.set(field.path, (this.counts.get(field.path) ?? 0) + 1)
      if (field.isFirst) this.holders.set(field.path, (this.holders.get(field.path) ?? 0) + 1)
      if (field.isNumber) this.numbers.add(field.path)
      if (field.isDefault && field.isScalar) this.defaults.add(field.path)
      if (field.isOutOfOrder) this.disorders.add(field.path)
    })
  }

  get paths(): string[] {
    return [...this.counts.keys()].filter((path) => path !== '')
  }

  /** In every message that it can be in. */
  isAlwaysSet(path: string): boolean {
    const parent = path.includes('.') ? path.slice(0, path.lastIndexOf('.')) : ''
    return this.holders.get(path) === this.counts.get(parent)
  }
}

/**
 * How a message differs in shape from another: fields set or unset, order, defaults written out. A number that is zero is
 * absent; one of `mayBeZero` (the end of its path) may be that on one side. Entries of a list count as one.
 */
export function findShapeDifferences(
  type: string,
  { ours, recorded }: { readonly ours: Uint8Array; readonly recorded: Uint8Array },
  mayBeZero: readonly string[],
): string[] {
  const [a, b] = [new ShapeSurvey(), new ShapeSurvey()]
  a.add(type, ours)
  b.add(type, recorded)
  const paths = new Set([...a.paths, ...b.paths])
  const differences: string[] = []
  for (const path of paths) {
    const isEither = mayBeZero.some((end) => path === end || path.endsWith(`.${end}`))
    if (a.counts.has(path) !== b.counts.has(path) && !isEither) {
      differences.push(`${path}: ${a.counts.has(path) ? 'set here only' : 'set by the node only'}`)
    }
    if (a.defaults.has(path) !== b.defaults.has(path)) differences.push(`${path}: default written out on one side`)
    if (a.disorders.has(path) !== b.disorders.has(path)) differences.push(`${path}: other order`)
  }
  return differences
}
