import assert from 'node:assert/strict'
import fc from 'fast-check'
import { ByteReader, ByteWriter, isArchiveError, toHex } from '../../core/index.ts'

const U64_MAX = (1n << 64n) - 1n

describe('core/codec', () => {
  it('reads back everything it wrote, in order, to the last byte', () => {
    const field = fc.oneof(
      fc.record({ kind: fc.constant('u8' as const), value: fc.nat(0xff) }),
      fc.record({ kind: fc.constant('u16' as const), value: fc.nat(0xffff) }),
      fc.record({ kind: fc.constant('u32' as const), value: fc.nat(0xffff_ffff) }),
      fc.record({ kind: fc.constant('u64' as const), value: fc.bigInt(0n, U64_MAX) }),
      fc.record({ kind: fc.constant('varint' as const), value: fc.bigInt(0n, U64_MAX) }),
      fc.record({ kind: fc.constant('bytes' as const), value: fc.uint8Array({ maxLength: 300 }) }),
      fc.record({ kind: fc.constant('string' as const), value: fc.string({ unit: 'grapheme' }) }),
    )
    fc.assert(
      fc.property(fc.array(field), (fields) => {
        const writer = new ByteWriter(1)
        for (const one of fields) {
          if (one.kind === 'u64') writer.u64(one.value)
          else if (one.kind === 'varint') writer.varint(one.value)
          else if (one.kind === 'bytes') writer.bytes(one.value)
          else if (one.kind === 'string') writer.string(one.value)
          else writer[one.kind](one.value)
        }
        const reader = new ByteReader(writer.finish())
        assert.equal(writer.sizeBytes, reader.remaining)
        for (const one of fields) {
          if (one.kind === 'bytes') assert.equal(toHex(reader.sized(300)), toHex(one.value))
          else if (one.kind === 'string') assert.equal(reader.string(10_000), one.value)
          else assert.equal(reader[one.kind](), one.value)
        }
        reader.end()
      }),
    )
  })

  it('writes a number as the varint of the same bigint', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (value) => {
        assert.equal(
          toHex(new ByteWriter().varint(value).finish()),
          toHex(new ByteWriter().varint(BigInt(value)).finish()),
        )
      }),
    )
  })

  it('reads a number as the varint of the same bytes, or refuses both, whatever the bytes and the bound', () => {
    const read = (ask: (reader: ByteReader) => bigint | number, bytes: Uint8Array) => {
      const reader = new ByteReader(bytes)
      try {
        return [String(ask(reader)), reader.position]
      } catch (error) {
        return [isArchiveError(error) ? error.message : error]
      }
    }
    const anyBytes = fc.array(fc.constantFrom(0, 1, 0x7f, 0x80, 0x81, 0xff), { maxLength: 8 })
    const lengths = Array.from({ length: 8 }, (_, i) => 2 ** (7 * i))
    const bounds = fc.constantFrom(...lengths.flatMap((power) => [power - 1, power, power + 1]))
    fc.assert(
      fc.property(anyBytes, bounds, (numbers, max) => {
        const bytes = Uint8Array.from(numbers)
        assert.deepEqual(
          read((reader) => reader.varintNumber(max), bytes),
          read((reader) => reader.varint(BigInt(max)), bytes),
        )
      }),
      { numRuns: 2_000 },
    )
  })

  it('limit: takes u64 up to 2^64 - 1', () => {
    assert.equal(toHex(new ByteWriter().u64(U64_MAX).finish()), 'ffffffffffffffff')
    for (const value of [U64_MAX + 1n, -1n]) {
      assertCode('CORE_NUMBER_OUT_OF_RANGE', () => new ByteWriter().u64(value))
      assertCode('CORE_NUMBER_OUT_OF_RANGE', () => new ByteWriter().varint(value))
    }
  })

  it('limit: takes a varint, a sized string and a text at their bound and refuses one past it', () => {
    assert.equal(new ByteReader(Uint8Array.of(0x7f)).varintNumber(127), 127)
    assertCode('CORE_BYTES_INVALID', () => new ByteReader(Uint8Array.of(0x7f)).varintNumber(126))
    assert.equal(new ByteReader(Uint8Array.of(2, 9, 9)).sized(2).length, 2)
    assertCode('CORE_BYTES_INVALID', () => new ByteReader(Uint8Array.of(2, 9, 9)).sized(1))
    const text = new ByteWriter().string('ab').finish()
    assert.equal(new ByteReader(text).string(2), 'ab')
    assertCode('CORE_BYTES_INVALID', () => new ByteReader(text).string(1))
  })

  it('never reads past the end', () => {
    const reads = ['u8', 'u16', 'u32', 'u64', 'varint'] as const
    for (const read of reads) assertCode('CORE_BYTES_INVALID', () => new ByteReader(new Uint8Array(0))[read]())
    assertCode('CORE_BYTES_INVALID', () => new ByteReader(new Uint8Array(3)).raw(4))
    assertCode('CORE_BYTES_INVALID', () => new ByteReader(Uint8Array.of(5, 1)).sized(10))
  })

  it('refuses text that is not UTF-8 and keeps a byte order mark', () => {
    assertCode('CORE_BYTES_INVALID', () => new ByteReader(new Uint8Array(0)).utf8(Uint8Array.of(0xc3)))
    const mark = Uint8Array.of(0xef, 0xbb, 0xbf, 0x61)
    assert.equal(new ByteReader(new Uint8Array(0)).utf8(mark), '\ufeffa')
  })

  it('refuses with the code it was given', () => {
    const reader = new ByteReader(Uint8Array.of(1, 0x80), 'CORE_BODY_INVALID')
    reader.u8()
    assertCode('CORE_BODY_INVALID', () => reader.end())
    assertCode('CORE_BODY_INVALID', () => reader.varint())
  })
})

function assertCode(
  code: 'CORE_BYTES_INVALID' | 'CORE_NUMBER_OUT_OF_RANGE' | 'CORE_BODY_INVALID',
  act: () => unknown,
): void {
  assert.throws(act, (error) => isArchiveError(error, code))
}
