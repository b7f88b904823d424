/** Arguments as massa-web3's `Args` encodes them, written out so that wrong ones can be made too. */
export class ArgsWriter {
  private readonly parts: Uint8Array[] = []

  u8(value: number): this {
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

  text(text: string): this {
    return this.bytes(new TextEncoder().encode(text))
  }

  texts(items: readonly string[]): this {
    const inner = new ArgsWriter()
    for (const item of items) inner.text(item)
    return this.bytes(inner.finish())
  }

  u64s(items: readonly (number | bigint)[]): this {
    const inner = new ArgsWriter()
    for (const item of items) inner.u64(item)
    return this.bytes(inner.finish())
  }

  /** One `bytes` argument that holds, per item, u32 length || bytes. */
  byteList(items: readonly Uint8Array[]): this {
    const inner = new ArgsWriter()
    for (const item of items) inner.bytes(item)
    return this.bytes(inner.finish())
  }

  finish(): Uint8Array {
    return Uint8Array.from(Buffer.concat(this.parts))
  }

  private integer(value: bigint, sizeBytes: number): this {
    const bytes = new Uint8Array(sizeBytes)
    for (let i = 0, rest = value; i < sizeBytes; i++, rest >>= 8n) bytes[i] = Number(rest & 255n)
    return this.raw(bytes)
  }
}

export const NO_ARGS = new Uint8Array()
export const u64Arg = (value: number | bigint): Uint8Array => new ArgsWriter().u64(value).finish()
export const textArg = (value: string): Uint8Array => new ArgsWriter().text(value).finish()
export const textsArg = (values: readonly string[]): Uint8Array => new ArgsWriter().texts(values).finish()
