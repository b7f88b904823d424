import { ARGS_INVALID } from './errors';

/** Longest text of an address: two letters and 37 bytes in base58. */
export const ADDRESS_CHARS: i32 = 53;

/**
 * Reads bytes in order and refuses, with the code it was given, whatever is not there.
 *
 * The SDK's `Args` lets lengths near 2^32 wrap, decodes bad UTF-8 and ignores trailing bytes.
 */
export class ByteReader {
  private at: usize;
  private limit: usize;

  /** @param error - message of every refusal */
  constructor(
    private bytes: StaticArray<u8>,
    private error: string = ARGS_INVALID,
  ) {
    this.at = changetype<usize>(bytes);
    this.limit = this.at + <usize>bytes.length;
  }

  hasNext(): bool {
    return this.at < this.limit;
  }

  /** Refuses trailing bytes. */
  end(): void {
    assert(this.at == this.limit, this.error);
  }

  /** Address in memory of the next `length` bytes, valid as long as the reader lives. */
  take(length: u32): usize {
    const at = this.at;
    assert(length <= <u32>(this.limit - at), this.error);
    this.at = at + length;
    return at;
  }

  u8(): u8 {
    return load<u8>(this.take(1));
  }

  bool(): bool {
    const value = this.u8();
    assert(value < 2, this.error);
    return value == 1;
  }

  u16Big(): u16 {
    return bswap<u16>(load<u16>(this.take(2)));
  }

  u32(): u32 {
    return load<u32>(this.take(4));
  }

  u32Big(): u32 {
    return bswap<u32>(load<u32>(this.take(4)));
  }

  u64(): u64 {
    return load<u64>(this.take(8));
  }

  u64Big(): u64 {
    return bswap<u64>(load<u64>(this.take(8)));
  }

  raw(length: u32): StaticArray<u8> {
    return copyBytes(this.take(length), length);
  }

  /** u32 length || bytes */
  byteString(): StaticArray<u8> {
    return this.raw(this.u32());
  }

  /** u32 length || ASCII; no text of the contract needs more, and so no UTF-8 can be invalid. */
  text(): string {
    const length = this.u32();
    return readAscii(this.take(length), length, this.error);
  }

  /** u32 byte length || texts */
  texts(maxItems: i32, tooMany: string): string[] {
    const limit = this.listLimit();
    const items = new Array<string>();
    while (this.at < limit) {
      assert(items.length < maxItems, tooMany);
      items.push(this.text());
    }
    assert(this.at == limit, this.error);
    return items;
  }

  /** u32 byte length || byte strings */
  byteStrings(maxItems: i32, tooMany: string): StaticArray<u8>[] {
    const limit = this.listLimit();
    const items = new Array<StaticArray<u8>>();
    while (this.at < limit) {
      assert(items.length < maxItems, tooMany);
      items.push(this.byteString());
    }
    assert(this.at == limit, this.error);
    return items;
  }

  /** u32 byte length || u64 each */
  u64s(maxItems: i32, tooMany: string): u64[] {
    const limit = this.listLimit();
    const items = new Array<u64>();
    while (this.at < limit) {
      assert(items.length < maxItems, tooMany);
      items.push(this.u64());
    }
    assert(this.at == limit, this.error);
    return items;
  }

  /** u8 length || 53 bytes: an address in a stored record. */
  paddedAddress(): string {
    const length = this.u8();
    return readAscii(this.take(ADDRESS_CHARS), length, this.error);
  }

  private listLimit(): usize {
    const length = this.u32();
    assert(length <= <u32>(this.limit - this.at), this.error);
    return this.at + length;
  }
}

/** Fills a buffer of a size known in advance; what is not written stays zero. */
export class ByteWriter {
  readonly bytes: StaticArray<u8>;
  private at: usize;

  constructor(size: i32) {
    this.bytes = new StaticArray<u8>(size);
    this.at = changetype<usize>(this.bytes);
  }

  u8(value: u8): this {
    store<u8>(this.grow(1), value);
    return this;
  }

  bool(value: bool): this {
    return this.u8(value ? 1 : 0);
  }

  u16Big(value: u16): this {
    store<u16>(this.grow(2), bswap<u16>(value));
    return this;
  }

  u32(value: u32): this {
    store<u32>(this.grow(4), value);
    return this;
  }

  u32Big(value: u32): this {
    store<u32>(this.grow(4), bswap<u32>(value));
    return this;
  }

  u64(value: u64): this {
    store<u64>(this.grow(8), value);
    return this;
  }

  u64Big(value: u64): this {
    store<u64>(this.grow(8), bswap<u64>(value));
    return this;
  }

  raw(bytes: StaticArray<u8>): this {
    return this.copy(changetype<usize>(bytes), bytes.length);
  }

  copy(from: usize, length: i32): this {
    memory.copy(this.grow(length), from, length);
    return this;
  }

  /** The characters of an ASCII text, without a length. */
  ascii(text: string): this {
    writeAscii(this.grow(text.length), text);
    return this;
  }

  /** u32 length || ASCII */
  text(text: string): this {
    return this.u32(text.length).ascii(text);
  }

  /** u32 big endian length || ASCII, as in everything that is hashed */
  textBig(text: string): this {
    return this.u32Big(text.length).ascii(text);
  }

  /** u32 length || bytes */
  byteString(bytes: StaticArray<u8>): this {
    return this.u32(bytes.length).raw(bytes);
  }

  /** u8 length || 53 bytes */
  paddedAddress(text: string): this {
    this.u8(<u8>text.length);
    writeAscii(this.grow(ADDRESS_CHARS), text);
    return this;
  }

  private grow(length: i32): usize {
    const at = this.at;
    assert(
      at + length <= changetype<usize>(this.bytes) + this.bytes.length,
      ARGS_INVALID,
    );
    this.at = at + length;
    return at;
  }
}

export function copyBytes(from: usize, length: i32): StaticArray<u8> {
  const bytes = new StaticArray<u8>(length);
  memory.copy(changetype<usize>(bytes), from, length);
  return bytes;
}

/** Whether two stretches of 32 bytes are the same. */
export function equalHashes(a: usize, b: usize): bool {
  return (
    load<u64>(a) == load<u64>(b) &&
    load<u64>(a, 8) == load<u64>(b, 8) &&
    load<u64>(a, 16) == load<u64>(b, 16) &&
    load<u64>(a, 24) == load<u64>(b, 24)
  );
}

/** Lower-case hex of the first `length` bytes. */
export function toHex(bytes: StaticArray<u8>, length: i32): string {
  const text = changetype<string>(__new(length << 2, idof<string>()));
  const from = changetype<usize>(bytes);
  const to = changetype<usize>(text);
  for (let i = 0; i < length; i++) {
    const byte = <u32>load<u8>(from + i);
    const digits = hexDigit(byte >> 4) | (hexDigit(byte & 15) << 16);
    store<u32>(to + (i << 2), digits);
  }
  return text;
}

/** 32 bytes of 64 lower-case hex digits. */
export function parseHash(text: string, error: string): StaticArray<u8> {
  assert(text.length == 64, error);
  const bytes = new StaticArray<u8>(32);
  const from = changetype<usize>(text);
  const to = changetype<usize>(bytes);
  for (let i = 0; i < 32; i++) {
    const high = hexValue(load<u16>(from + (i << 2)), error);
    const low = hexValue(load<u16>(from + (i << 2), 2), error);
    store<u8>(to + i, (high << 4) | low);
  }
  return bytes;
}

export function readAscii(from: usize, length: u32, error: string): string {
  const text = changetype<string>(__new(length << 1, idof<string>()));
  const to = changetype<usize>(text);
  let seen: u32 = 0;
  for (let i: u32 = 0; i < length; i++) {
    const char = <u32>load<u8>(from + i);
    seen |= char;
    store<u16>(to + (i << 1), <u16>char);
  }
  assert(seen < 0x80, error);
  return text;
}

export function writeAscii(to: usize, text: string): void {
  const from = changetype<usize>(text);
  const length = text.length;
  for (let i = 0; i < length; i++) {
    store<u8>(to + i, <u8>load<u16>(from + (i << 1)));
  }
}

// @ts-ignore: decorator
@inline
function hexDigit(value: u32): u32 {
  return value + (value < 10 ? 48 : 87);
}

// @ts-ignore: decorator
@inline
function hexValue(char: u32, error: string): u32 {
  if (char - 48 < 10) return char - 48;
  assert(char - 97 < 6, error);
  return char - 87;
}
