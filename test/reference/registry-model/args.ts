import { demand } from './refusal.ts'

/*
 * The argument bytes of contract calls as massa-web3's `Args` writes them, integers little endian (args-writer.ts).
 */

const U32_BYTES = 4
const U64_BYTES = 8

/** Reads argument bytes; every refusal is `REGISTRY_ARGS_INVALID`, but for lists with too many items. */
export class ArgsReader {
  private readonly bytes: Uint8Array
  private offset = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  /** No argument follows: optional ones may end here. */
  get atEnd(): boolean {
    return this.offset === this.bytes.length
  }

  u8(): number {
    return Number(this.integer(1))
  }

  u32(): number {
    return Number(this.integer(U32_BYTES))
  }

  u64(): bigint {
    return this.integer(U64_BYTES)
  }

  bool(): boolean {
    const value = this.u8()
    demand(value < 2, 'ARGS_INVALID')
    return value === 1
  }

  bytesField(): Uint8Array {
    return this.take(this.u32())
  }

  string(): string {
    const bytes = this.bytesField()
    demand(
      bytes.every((byte) => byte < 0x80),
      'ARGS_INVALID',
    )
    return Buffer.from(bytes).toString('latin1')
  }

  /** @param limit - more items are refused with `tooMany` as soon as one more begins */
  strings(limit: number, tooMany = 'BATCH_INVALID'): string[] {
    return this.list(limit, tooMany, (items) => items.string())
  }

  numbers(limit: number): bigint[] {
    return this.list(limit, 'BATCH_INVALID', (items) => items.u64())
  }

  /** One `bytes` argument that holds, per item, u32 length || bytes. */
  byteStrings(limit: number): Uint8Array[] {
    return this.list(limit, 'BATCH_INVALID', (items) => items.bytesField())
  }

  end(): void {
    demand(this.atEnd, 'ARGS_INVALID')
  }

  private list<T>(limit: number, tooMany: string, readItem: (items: ArgsReader) => T): T[] {
    const items = new ArgsReader(this.bytesField())
    const list: T[] = []
    while (!items.atEnd) {
      demand(list.length < limit, tooMany)
      list.push(readItem(items))
    }
    return list
  }

  private integer(size: number): bigint {
    let value = 0n
    for (const [i, byte] of this.take(size).entries()) value += BigInt(byte) << BigInt(8 * i)
    return value
  }

  private take(length: number): Uint8Array {
    demand(length <= this.bytes.length - this.offset, 'ARGS_INVALID')
    this.offset += length
    return this.bytes.subarray(this.offset - length, this.offset)
  }
}
