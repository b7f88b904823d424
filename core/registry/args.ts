import { concatBytes, fromHex } from '../bytes.ts'
import type { ErrorCode } from '../error-codes.ts'
import { ArchiveError } from '../errors.ts'
import { parseAddress } from '../massa/atoms.ts'

/*
 * Massa's `Args`: how arguments and results of contracts stand in bytes (facts: contract-platform 4.2). Integers are
 * little endian, texts and byte strings have a u32 length before them, lists a u32 length in bytes.
 */

const U32_MAX = 0xffff_ffff

/**
 * One type of argument or result. `write` refuses with the code that the registry would, `read` with CORE_BYTES_INVALID,
 * `parse` with CONTRACT_ARGUMENT_INVALID.
 */
export interface ArgsCodec<T> {
  /** As signatures name it: `u64`, `string[]`. */
  readonly type: string
  /** The value that somebody wrote as a text. */
  parse(text: string): T
  write(writer: ArgsWriter, value: T): void
  read(reader: ArgsReader): T
}

export class ArgsWriter {
  private readonly parts: Uint8Array[] = []

  /** Of `sizeBytes` bytes, little endian. */
  integer(value: bigint, sizeBytes: number): this {
    const part = new Uint8Array(sizeBytes)
    let rest = value
    for (let i = 0; i < sizeBytes; i++) {
      part[i] = Number(rest & 0xffn)
      rest >>= 8n
    }
    return this.raw(part)
  }

  raw(bytes: Uint8Array): this {
    this.parts.push(bytes)
    return this
  }

  /** u32 length || bytes */
  sized(bytes: Uint8Array): this {
    return this.integer(BigInt(bytes.length), 4).raw(bytes)
  }

  finish(): Uint8Array {
    return concatBytes(...this.parts)
  }
}

/** Never reads past the end. Every refusal is an ArchiveError CORE_BYTES_INVALID. */
export class ArgsReader {
  private readonly bytes: Uint8Array
  private offset = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.offset === this.bytes.length
  }

  integer(sizeBytes: number): bigint {
    const bytes = this.raw(sizeBytes)
    let value = 0n
    for (let i = sizeBytes - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] ?? 0)
    return value
  }

  /** A view into the input. */
  raw(length: number): Uint8Array {
    if (length > this.bytes.length - this.offset) throw this.error(`${length} bytes wanted, fewer left`)
    this.offset += length
    return this.bytes.subarray(this.offset - length, this.offset)
  }

  sized(): Uint8Array {
    return this.raw(Number(this.integer(4)))
  }

  end(): void {
    if (!this.isAtEnd) throw this.error(`${this.bytes.length - this.offset} trailing bytes`)
  }

  error(message: string): ArchiveError {
    return new ArchiveError('CORE_BYTES_INVALID', `${message} (at byte ${this.offset})`, { offset: this.offset })
  }
}

export function refuse(code: ErrorCode, message: string): never {
  throw new ArchiveError(code, message)
}

/** @throws ArchiveError CONTRACT_ARGUMENT_INVALID */
function refuseText(value: string, what: string): never {
  throw new ArchiveError('CONTRACT_ARGUMENT_INVALID', `'${value.slice(0, 80)}' is not ${what}`)
}

const INTEGER = /^-?\d{1,80}$/

function parseInteger(value: string, type: string, [min, max]: readonly [bigint, bigint]): bigint {
  const number = INTEGER.test(value) ? BigInt(value) : undefined
  if (number === undefined || number < min || number > max) refuseText(value, `a ${type}, from ${min} to ${max}`)
  return number
}

/** Of up to 256 bits, two's complement. */
export function integerCodec(bits: number, isSigned: boolean): ArgsCodec<bigint> {
  const type = `${isSigned ? 'i' : 'u'}${bits}`
  const span = 1n << BigInt(bits)
  const bounds = isSigned ? ([-span / 2n, span / 2n - 1n] as const) : ([0n, span - 1n] as const)
  const [min, max] = bounds
  return {
    type,
    parse: (value) => parseInteger(value, type, bounds),
    write: (writer, value) => {
      if (value < min || value > max) refuse('REGISTRY_ARGS_INVALID', `${value} is not from ${min} to ${max}`)
      writer.integer(value, bits / 8)
    },
    read: (reader) => {
      const value = reader.integer(bits / 8)
      return value > max ? value - span : value
    },
  }
}

function smallUnsigned(sizeBytes: number, max: number): ArgsCodec<number> {
  const type = `u${sizeBytes * 8}`
  return {
    type,
    parse: (value) => Number(parseInteger(value, type, [0n, BigInt(max)])),
    write: (writer, value) => {
      if (!Number.isInteger(value) || value < 0 || value > max) {
        refuse('REGISTRY_ARGS_INVALID', `${value} is not a whole number from 0 to ${max}`)
      }
      writer.integer(BigInt(value), sizeBytes)
    },
    read: (reader) => Number(reader.integer(sizeBytes)),
  }
}

export const u64 = integerCodec(64, false)
export const u32 = smallUnsigned(4, U32_MAX)
export const u8 = smallUnsigned(1, 0xff)

export const bool: ArgsCodec<boolean> = {
  type: 'bool',
  parse: (value) => value === 'true' || (value !== 'false' && refuseText(value, 'true or false')),
  write: (writer, value) => {
    writer.integer(value ? 1n : 0n, 1)
  },
  read: (reader) => {
    const byte = reader.integer(1)
    if (byte > 1n) throw reader.error(`${byte} is no truth value`)
    return byte === 1n
  },
}

/** A text of ASCII, as all texts of the registry are. */
export const text: ArgsCodec<string> = {
  type: 'string',
  parse: (value) => value,
  write: (writer, value) => {
    writer.sized(toAscii(value))
  },
  read: (reader) => {
    const bytes = reader.sized()
    if (bytes.some((byte) => byte >= 0x80)) throw reader.error('a text is not ASCII')
    return new TextDecoder().decode(bytes)
  },
}

function toAscii(value: string): Uint8Array {
  if ([...value].some((character) => character.charCodeAt(0) >= 0x80)) {
    refuse('REGISTRY_ARGS_INVALID', `'${value.slice(0, 80)}' is not ASCII`)
  }
  return new TextEncoder().encode(value)
}

/** A text that has to look so. */
export function textOf(pattern: RegExp, code: ErrorCode, what: string): ArgsCodec<string> {
  return {
    ...text,
    write: (writer, value) => {
      if (!pattern.test(value)) refuse(code, `'${value.slice(0, 80)}' is not ${what}`)
      text.write(writer, value)
    },
  }
}

/** The text of an address, checked whole before it is sent. */
export const address: ArgsCodec<string> = {
  ...text,
  write: (writer, value) => {
    try {
      parseAddress(value)
    } catch {
      refuse('REGISTRY_ADDRESS_INVALID', `'${value.slice(0, 80)}' is no address`)
    }
    text.write(writer, value)
  },
}

/** Hex digits, with or without `0x`. */
function parseHex(value: string): Uint8Array {
  const digits = value.replace(/^0x/, '')
  if (digits.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(digits)) refuseText(value, 'bytes in hex')
  return fromHex(digits.toLowerCase())
}

export const bytes: ArgsCodec<Uint8Array> = {
  type: 'bytes',
  parse: parseHex,
  write: (writer, value) => {
    writer.sized(value)
  },
  read: (reader) => reader.sized(),
}

export const hash: ArgsCodec<Uint8Array> = {
  type: 'bytes',
  parse: parseHex,
  write: (writer, value) => {
    if (value.length !== 32) refuse('REGISTRY_ARGS_INVALID', `a hash of ${value.length} bytes`)
    writer.sized(value)
  },
  read: (reader) => {
    const value = reader.sized()
    if (value.length !== 32) throw reader.error(`a hash of ${value.length} bytes`)
    return value
  },
}

export interface ListBounds {
  readonly min: number
  readonly max: number
  readonly code: ErrorCode
}

const UNBOUNDED: ListBounds = { min: 0, max: Number.POSITIVE_INFINITY, code: 'REGISTRY_BATCH_INVALID' }

/** u32 length in bytes || items */
export function list<T>(item: ArgsCodec<T>, bounds: ListBounds = UNBOUNDED): ArgsCodec<readonly T[]> {
  return {
    type: `${item.type}[]`,
    parse: (value) => splitItems(value).map((part) => item.parse(part)),
    write: (writer, values) => {
      if (values.length < bounds.min || values.length > bounds.max) {
        refuse(bounds.code, `${values.length} items; ${bounds.min} to ${bounds.max} are allowed`)
      }
      const inner = new ArgsWriter()
      for (const value of values) item.write(inner, value)
      writer.sized(inner.finish())
    },
    read: (reader) => {
      const inner = new ArgsReader(reader.sized())
      const values: T[] = []
      while (!inner.isAtEnd) values.push(item.read(inner))
      return values
    },
  }
}

/** `a,b,c`, or a JSON array where an item holds a comma. */
function splitItems(value: string): string[] {
  if (!value.startsWith('[')) return value === '' ? [] : value.split(',')
  try {
    const items: unknown = JSON.parse(value)
    if (Array.isArray(items) && items.every(isItem)) return items.map(String)
  } catch {
    // Said below.
  }
  return refuseText(value, 'a list such as a,b,c or ["a","b"]')
}

/** A number beyond 2^53 has lost digits by now. */
function isItem(item: unknown): boolean {
  return typeof item === 'string' || typeof item === 'boolean' || Number.isSafeInteger(item)
}

/** A list of texts, as massa-web3's deployer names the contracts it made. */
export const textListCodec: ArgsCodec<readonly string[]> = list(text)

/** `none` in the place of a value that is not there. */
export function optionalAs<T>(codec: ArgsCodec<T>, none: T): ArgsCodec<T | undefined> {
  return {
    type: codec.type,
    parse: (value) => codec.parse(value),
    write: (writer, value) => codec.write(writer, value ?? none),
    read: (reader) => {
      const value = codec.read(reader)
      return value === none ? undefined : value
    },
  }
}

/** 64 lower-case hex digits, as text. */
export const chunkIdHex = textOf(
  /^[0-9a-f]{64}$/,
  'REGISTRY_CHUNK_ID_INVALID',
  'a chunk id of 64 lower-case hex digits',
)

type Fields = Readonly<Record<string, ArgsCodec<never> | ArgsCodec<unknown>>>
type ValueOf<C> = C extends ArgsCodec<infer T> ? T : never
// biome-ignore lint/complexity/noBannedTypes: no optional fields is what most have
type None = {}

export type StructOf<R, O = None> = { readonly [K in keyof R]: ValueOf<R[K]> } & {
  readonly [K in keyof O]?: ValueOf<O[K]> | undefined
}

/** A field of a struct, or an argument of a function. */
export interface ArgsField {
  readonly name: string
  readonly type: string
  readonly isOptional: boolean
  parse(text: string): unknown
}

export interface ArgsStruct<T> extends ArgsCodec<T> {
  /** In their order. */
  readonly fields: readonly ArgsField[]
}

/**
 * Fields one after the other. Those of `optional` may be left out from the end; one that is left out before one that is
 * given is refused (REGISTRY_ARGS_INVALID).
 */
export function struct<R, O = None>(required: R, optional?: O): ArgsStruct<StructOf<R, O>> {
  const fixed = Object.entries(required as Fields) as [string, ArgsCodec<unknown>][]
  const extra = Object.entries((optional ?? {}) as Fields) as [string, ArgsCodec<unknown>][]
  const toField =
    (isOptional: boolean) =>
    ([name, { type, parse }]: [string, ArgsCodec<unknown>]): ArgsField => ({
      name,
      type,
      isOptional,
      parse,
    })
  return {
    type: 'struct',
    parse: (value) => refuseText(value, 'a value that can be written as a text'),
    fields: [...fixed.map(toField(false)), ...extra.map(toField(true))],
    write: (writer, value) => {
      const values = value as Readonly<Record<string, unknown>>
      for (const [name, codec] of fixed) codec.write(writer, values[name])
      let missing: string | undefined
      for (const [name, codec] of extra) {
        if (values[name] === undefined) missing ??= name
        else if (missing !== undefined) refuse('REGISTRY_ARGS_INVALID', `${name} is given and ${missing} is not`)
        else codec.write(writer, values[name])
      }
    },
    read: (reader) => {
      const values: Record<string, unknown> = {}
      for (const [name, codec] of fixed) values[name] = codec.read(reader)
      for (const [name, codec] of extra) {
        if (reader.isAtEnd) break
        values[name] = codec.read(reader)
      }
      return values as StructOf<R, O>
    },
  }
}

export function encodeArgs<T>(codec: ArgsCodec<T>, value: T): Uint8Array {
  const writer = new ArgsWriter()
  codec.write(writer, value)
  return writer.finish()
}

/** @throws ArchiveError CORE_BYTES_INVALID also for trailing bytes */
export function decodeArgs<T>(codec: ArgsCodec<T>, input: Uint8Array): T {
  const reader = new ArgsReader(input)
  const value = codec.read(reader)
  reader.end()
  return value
}
