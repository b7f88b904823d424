import assert from 'node:assert/strict'
import { Args, ArrayTypes } from '@massalabs/massa-web3'
import fc from 'fast-check'
import { isArchiveError, toHex } from '../../../core/index.ts'
import {
  type ArgsCodec,
  bool,
  bytes,
  decodeArgs,
  encodeArgs,
  list,
  optionalAs,
  struct,
  text,
  u8,
  u32,
  u64,
} from '../../../core/registry/args.ts'

const anyU64 = fc.bigInt(0n, (1n << 64n) - 1n)
const ascii = fc.string({
  unit: fc.integer({ min: 0, max: 0x7f }).map((code) => String.fromCharCode(code)),
  maxLength: 40,
})

interface Pair<T> {
  readonly codec: ArgsCodec<T>
  readonly values: fc.Arbitrary<T>
  readonly theirs: (value: T) => Args
}

function pair<T>(codec: ArgsCodec<T>, values: fc.Arbitrary<T>, theirs: (value: T) => Args): Pair<unknown> {
  return { codec, values, theirs } as unknown as Pair<unknown>
}

const TYPES: Readonly<Record<string, Pair<unknown>>> = {
  u8: pair(u8, fc.nat(0xff), (value) => new Args().addU8(BigInt(value))),
  u32: pair(u32, fc.nat(0xffff_ffff), (value) => new Args().addU32(BigInt(value))),
  u64: pair(u64, anyU64, (value) => new Args().addU64(value)),
  bool: pair(bool, fc.boolean(), (value) => new Args().addBool(value)),
  text: pair(text, ascii, (value) => new Args().addString(value)),
  bytes: pair(bytes, fc.uint8Array({ maxLength: 300 }), (value) => new Args().addUint8Array(value)),
  'list of texts': pair(list(text), fc.array(ascii, { maxLength: 9 }), (value) =>
    new Args().addArray([...value], ArrayTypes.STRING),
  ),
  'list of u64': pair(list(u64), fc.array(anyU64, { maxLength: 9 }), (value) =>
    new Args().addArray([...value], ArrayTypes.U64),
  ),
}

describe('core/registry/args', () => {
  for (const [name, { codec, values, theirs }] of Object.entries(TYPES)) {
    it(`${name}: the same bytes as massa-web3's Args, which read back`, () => {
      fc.assert(
        fc.property(values, (value) => {
          const encoded = encodeArgs(codec, value)
          assert.equal(toHex(encoded), toHex(theirs(value).serialize()))
          assert.deepEqual(decodeArgs(codec, encoded), value)
        }),
      )
    })

    it(`${name}: refuses every truncation and a byte too many`, () => {
      fc.assert(
        fc.property(values, fc.nat(), (value, cut) => {
          const encoded = encodeArgs(codec, value)
          const refused = (input: Uint8Array) =>
            assert.throws(
              () => decodeArgs(codec, input),
              (error) => isArchiveError(error, 'CORE_BYTES_INVALID'),
            )
          refused(encoded.subarray(0, cut % encoded.length))
          refused(Uint8Array.from([...encoded, 0]))
        }),
      )
    })
  }

  it('limit: integers at and one past their bounds', () => {
    const refused = <T>(codec: ArgsCodec<T>, value: T) =>
      assert.throws(
        () => encodeArgs(codec, value),
        (error) => isArchiveError(error, 'REGISTRY_ARGS_INVALID'),
      )
    assert.equal(toHex(encodeArgs(u64, (1n << 64n) - 1n)), 'ff'.repeat(8))
    refused(u64, 1n << 64n)
    refused(u64, -1n)
    assert.equal(toHex(encodeArgs(u32, 0xffff_ffff)), 'ffffffff')
    refused(u32, 0x1_0000_0000)
    refused(u32, 1.5)
    refused(u8, 256)
    refused(text, 'grün')
  })

  it('refuses a truth value of 2 and a text with a byte of 128', () => {
    assert.throws(() => decodeArgs(bool, Uint8Array.of(2)), /no truth value/)
    assert.throws(() => decodeArgs(text, Uint8Array.of(1, 0, 0, 0, 128)), /not ASCII/)
  })

  it('leaves out optional fields from the end only', () => {
    const codec = struct({ a: u8 }, { b: u8, c: u8 })
    assert.equal(toHex(encodeArgs(codec, { a: 1 })), '01')
    assert.equal(toHex(encodeArgs(codec, { a: 1, b: 2 })), '0102')
    assert.deepEqual(decodeArgs(codec, Uint8Array.of(1, 2)), { a: 1, b: 2 })
    assert.throws(
      () => encodeArgs(codec, { a: 1, c: 3 }),
      (error) => isArchiveError(error, 'REGISTRY_ARGS_INVALID'),
    )
  })

  it('a value that stands for none is undefined', () => {
    const codec = optionalAs(u8, 255)
    assert.equal(decodeArgs(codec, encodeArgs(codec, undefined)), undefined)
    assert.equal(decodeArgs(codec, encodeArgs(codec, 254)), 254)
  })
})
