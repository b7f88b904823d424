/** Bytes that are no module a node would run; `message` says why. */
export class InvalidModule extends Error {}

const UTF8 = new TextDecoder('utf-8', { fatal: true })

/** Reads the integers and lengths of a wasm binary; every read is bounded by `end`. */
export class WasmReader {
  readonly bytes: Uint8Array
  readonly end: number
  position: number

  constructor(bytes: Uint8Array, position = 0, end = bytes.length) {
    this.bytes = bytes
    this.position = position
    this.end = end
  }

  get isAtEnd(): boolean {
    return this.position >= this.end
  }

  u8(): number {
    const byte = this.position < this.end ? this.bytes[this.position] : undefined
    if (byte === undefined) throw new InvalidModule(`unexpected end of module at byte ${this.position}`)
    this.position++
    return byte
  }

  u32(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.u8()
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) {
        if (value > 0xffff_ffff) break
        return value
      }
    }
    throw new InvalidModule(`integer is too large at byte ${this.position}`)
  }

  /** A signed integer of up to 64 bits, whose value nobody here needs. */
  skipInteger(): void {
    for (let i = 0; i < 10; i++) if (this.u8() < 0x80) return
    throw new InvalidModule(`integer is too long at byte ${this.position}`)
  }

  skip(count: number): void {
    if (count > this.end - this.position) throw new InvalidModule(`unexpected end of module at byte ${this.position}`)
    this.position += count
  }

  name(): string {
    const length = this.u32()
    const start = this.position
    this.skip(length)
    try {
      return UTF8.decode(this.bytes.subarray(start, this.position))
    } catch {
      throw new InvalidModule(`name at byte ${start} is not UTF-8`)
    }
  }

  /** A count of things that take at least one byte each, so it cannot exceed what is left. */
  count(): number {
    const count = this.u32()
    if (count > this.end - this.position)
      throw new InvalidModule(`count ${count} at byte ${this.position} is too large`)
    return count
  }
}

/** Writes a wasm binary into one growing buffer. */
export class WasmWriter {
  private buffer: Uint8Array
  length = 0

  constructor(capacity: number) {
    this.buffer = new Uint8Array(capacity)
  }

  u8(byte: number): void {
    this.reserve(1)
    this.buffer[this.length++] = byte
  }

  u32(value: number): void {
    let rest = value
    for (; rest > 0x7f; rest = Math.floor(rest / 128)) this.u8((rest & 0x7f) | 0x80)
    this.u8(rest)
  }

  /** A signed integer, here always positive. */
  positiveInteger(value: number): void {
    let rest = value
    for (; rest > 0x3f; rest = Math.floor(rest / 128)) this.u8((rest & 0x7f) | 0x80)
    this.u8(rest)
  }

  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length)
    this.buffer.set(bytes, this.length)
    this.length += bytes.length
  }

  name(text: string): void {
    const bytes = new TextEncoder().encode(text)
    this.u32(bytes.length)
    this.raw(bytes)
  }

  written(): Uint8Array {
    return this.buffer.subarray(0, this.length)
  }

  private reserve(count: number): void {
    if (this.length + count <= this.buffer.length) return
    const grown = new Uint8Array(Math.max(this.buffer.length * 2, this.length + count))
    grown.set(this.written())
    this.buffer = grown
  }
}
