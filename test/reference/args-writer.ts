/** Arguments as massa-web3's `Args` encodes them, written out so that wrong ones can be made too. */
export class ArgsWriter {
  private readonly parts: Uint8Array[] = []

  u8(value: number | bigint): this {
    return this.integer(BigInt(value), 1)
  }

  u32(value: number | bigint): this {
    return this.integer(BigInt(value), 4)
  }

  u64(value: number | bigint): this {
    return this.integer(BigInt(value), 8)
  }

  bool(value: boolean): this {
    return this.u8(value ? 1 : 0)
  }

  raw(bytes: Uint8Array): this {
    this.parts.push(bytes)
    return this
  }

  bytes(bytes: Uint8Array): this {
    return this.u32(bytes.length).raw(bytes)
  }

  string(text: string): this {
    return this.bytes(new TextEncoder().encode(text))
  }

  strings(items: readonly string[]): this {
    return this.list(items, (list, item) => list.string(item))
  }

  numbers(items: readonly (number | bigint)[]): this {
    return this.list(items, (list, item) => list.u64(item))
  }

  /** One `bytes` argument that holds, per item, u32 length || bytes. */
  byteStrings(items: readonly Uint8Array[]): this {
    return this.list(items, (list, item) => list.bytes(item))
  }

  finish(): Uint8Array {
    return Uint8Array.from(Buffer.concat(this.parts))
  }

  private list<T>(items: readonly T[], write: (list: ArgsWriter, item: T) => void): this {
    const list = new ArgsWriter()
    for (const item of items) write(list, item)
    return this.bytes(list.finish())
  }

  private integer(value: bigint, sizeBytes: number): this {
    if (value < 0n || value >= 1n << BigInt(8 * sizeBytes))
      throw new RangeError(`${value} does not fit ${sizeBytes} bytes`)
    const bytes = new Uint8Array(sizeBytes)
    for (let i = 0, rest = value; i < sizeBytes; i++, rest >>= 8n) bytes[i] = Number(rest & 255n)
    return this.raw(bytes)
  }
}

export const NO_ARGS = new Uint8Array()
export const u64Arg = (value: number | bigint): Uint8Array => new ArgsWriter().u64(value).finish()
export const stringArg = (value: string): Uint8Array => new ArgsWriter().string(value).finish()
export const stringsArg = (values: readonly string[]): Uint8Array => new ArgsWriter().strings(values).finish()
