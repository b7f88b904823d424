import type { ErrorCode } from './error-codes.ts'
import { ArchiveError } from './errors.ts'

const U64_MAX = (1n << 64n) - 1n
/** They fit an integer of 32 bits. */
const SHORT_VARINT_BYTES = 4

/** Grows as needed; `finish` returns exactly the bytes written. Integers are big endian unless said. */
export class ByteWriter {
  private buffer: Uint8Array
  /** Made when an integer is first written: many a writer takes none. */
  private view: DataView | undefined
  private length = 0

  constructor(capacityBytes = 256) {
    this.buffer = new Uint8Array(capacityBytes)
  }

  get sizeBytes(): number {
    return this.length
  }

  u8(value: number): this {
    this.reserve(1)
    this.buffer[this.length++] = value
    return this
  }

  u16(value: number): this {
    this.reserve(2)
    this.viewed().setUint16(this.length, value)
    this.length += 2
    return this
  }

  u32(value: number): this {
    this.reserve(4)
    this.viewed().setUint32(this.length, value)
    this.length += 4
    return this
  }

  u64(value: bigint): this {
    if (value < 0n || value > U64_MAX) throw new ArchiveError('CORE_NUMBER_OUT_OF_RANGE', `${value} is not a u64`)
    this.reserve(8)
    this.viewed().setBigUint64(this.length, value)
    this.length += 8
    return this
  }

  /** Minimal unsigned LEB128, as Massa writes integers. */
  varint(value: bigint | number): this {
    this.reserve(10)
    if (typeof value === 'number' && value >= 0 && value < 0x8000_0000) {
      let rest = value
      while (rest >= 0x80) {
        this.buffer[this.length++] = (rest & 0x7f) | 0x80
        rest >>>= 7
      }
      this.buffer[this.length++] = rest
      return this
    }
    let rest = BigInt(value)
    if (rest < 0n || rest > U64_MAX) throw new ArchiveError('CORE_NUMBER_OUT_OF_RANGE', `${value} is not a u64`)
    while (rest >= 0x80n) {
      this.buffer[this.length++] = Number(rest & 0x7fn) | 0x80
      rest >>= 7n
    }
    this.buffer[this.length++] = Number(rest)
    return this
  }

  raw(bytes: Uint8Array): this {
    this.reserve(bytes.length)
    this.buffer.set(bytes, this.length)
    this.length += bytes.length
    return this
  }

  /** varint(length) || bytes */
  bytes(bytes: Uint8Array): this {
    return this.varint(bytes.length).raw(bytes)
  }

  /** u32 byte length || UTF-8 */
  string(text: string): this {
    const utf8 = new TextEncoder().encode(text)
    return this.u32(utf8.length).raw(utf8)
  }

  /** What was written so far, good until the next write: to be hashed at once, spares a copy. */
  written(): Uint8Array {
    return this.buffer.subarray(0, this.length)
  }

  /** Begins anew in the same memory. */
  reset(): this {
    this.length = 0
    return this
  }

  finish(): Uint8Array {
    return this.buffer.length === this.length ? this.buffer : this.buffer.slice(0, this.length)
  }

  private reserve(extra: number): void {
    const needed = this.length + extra
    if (needed <= this.buffer.length) return
    const grown = new Uint8Array(Math.max(needed, this.buffer.length * 2))
    grown.set(this.buffer.subarray(0, this.length))
    this.buffer = grown
    this.view = undefined
  }

  private viewed(): DataView {
    this.view ??= new DataView(this.buffer.buffer)
    return this.view
  }
}

/**
 * Bounded reader: it never reads past the end, refuses integers that are not minimal, and `end` refuses
 * trailing bytes. Every refusal is an ArchiveError with the code given to the constructor, whatever the cause.
 */
export class ByteReader {
  readonly bytes: Uint8Array
  private readonly view: DataView
  private readonly code: ErrorCode
  private offset = 0

  constructor(bytes: Uint8Array, code: ErrorCode = 'CORE_BYTES_INVALID') {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.code = code
  }

  get position(): number {
    return this.offset
  }

  get remaining(): number {
    return this.bytes.length - this.offset
  }

  u8(): number {
    this.need(1)
    return this.view.getUint8(this.offset++)
  }

  u16(): number {
    this.need(2)
    this.offset += 2
    return this.view.getUint16(this.offset - 2)
  }

  u32(): number {
    this.need(4)
    this.offset += 4
    return this.view.getUint32(this.offset - 4)
  }

  u64(): bigint {
    this.need(8)
    this.offset += 8
    return this.view.getBigUint64(this.offset - 8)
  }

  /** Minimal LEB128 up to `max` (default u64). */
  varint(max: bigint = U64_MAX): bigint {
    let value = 0n
    for (let i = 0; i < 10; i++) {
      if (this.remaining === 0) throw this.varintError('is truncated')
      const byte = this.view.getUint8(this.offset++)
      value |= BigInt(byte & 0x7f) << BigInt(7 * i)
      if (byte < 0x80) {
        if (byte === 0 && i > 0) throw this.varintError('is not minimal')
        if (value > max) throw this.varintError(`exceeds ${max}`)
        return value
      }
    }
    throw this.varintError('is longer than 10 bytes')
  }

  /** Minimal LEB128 up to `max`, as a number. */
  varintNumber(max: number): number {
    // Up to four bytes without a BigInt; what is longer or wrong is read once more, by who says what it is.
    let value = 0
    for (let i = 0; i < SHORT_VARINT_BYTES; i++) {
      const byte = this.bytes[this.offset + i]
      if (byte === undefined) break
      value |= (byte & 0x7f) << (7 * i)
      if (byte >= 0x80) continue
      if (value > max || (byte === 0 && i > 0)) break
      this.offset += i + 1
      return value
    }
    return Number(this.varint(BigInt(max)))
  }

  /** The next `length` bytes, a view into the input. */
  raw(length: number): Uint8Array {
    this.need(length)
    this.offset += length
    return this.bytes.subarray(this.offset - length, this.offset)
  }

  /** varint(length) || bytes, at most `maxLength` of them. */
  sized(maxLength: number): Uint8Array {
    return this.raw(this.varintNumber(maxLength))
  }

  /** u32 byte length || UTF-8 */
  string(maxLength: number): string {
    const length = this.u32()
    if (length > maxLength) throw this.error(`text of ${length} bytes, at most ${maxLength} allowed`)
    return this.utf8(this.raw(length))
  }

  utf8(bytes: Uint8Array): string {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    } catch (cause) {
      throw this.error('text is not UTF-8', cause)
    }
  }

  /** A reader of `bytes` whose errors carry the same code. */
  nested(bytes: Uint8Array): ByteReader {
    return new ByteReader(bytes, this.code)
  }

  /** Refuses trailing bytes. */
  end(): void {
    if (this.remaining > 0) throw this.error(`${this.remaining} trailing bytes`)
  }

  error(message: string, cause?: unknown): ArchiveError {
    return new ArchiveError(this.code, `${message} (at byte ${this.offset})`, { offset: this.offset }, cause)
  }

  private need(length: number): void {
    if (length > this.remaining) throw this.error(`truncated: ${length} bytes wanted, ${this.remaining} left`)
  }

  private varintError(what: string): ArchiveError {
    return new ArchiveError(this.code, `integer ${what} (at byte ${this.offset})`, { offset: this.offset })
  }
}
