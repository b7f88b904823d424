import assert from 'node:assert/strict'
import fc from 'fast-check'
import { JsonRpcError } from '../../../telemetry/json-rpc/index.ts'
import { amount, slot } from '../../../telemetry/json-rpc/massa-shapes.ts'
import { boolean, bytes, listOf, optional, string, struct, u8, u32, u64 } from '../../../telemetry/json-rpc/shapes.ts'
import { type Shape, TypedJson } from '../../../telemetry/json-rpc/typed-json.ts'

const pair = struct('Pair', { first: u64, second: optional(string) })

/** As serde_json, which a node reads with, says it of the same text. */
const REFUSALS: readonly (readonly [shape: Shape<unknown>, text: string, words: string])[] = [
  [u64, '"x"', 'invalid type: string "x", expected u64 at line 1 column 3'],
  [u64, '"a\\n\\u0001\'"', 'invalid type: string "a\\n\\u{1}\'", expected u64 at line 1 column 12'],
  [u64, '-1', 'invalid value: integer `-1`, expected u64 at line 1 column 2'],
  [u64, '1.5', 'invalid type: floating point `1.5`, expected u64 at line 1 column 3'],
  [u64, '1e300', 'invalid type: floating point `1e300`, expected u64 at line 1 column 5'],
  [
    u64,
    '18446744073709551616',
    'invalid type: floating point `1.8446744073709552e19`, expected u64 at line 1 column 20',
  ],
  [u64, 'null', 'invalid type: null, expected u64 at line 1 column 4'],
  [u8, '256', 'invalid value: integer `256`, expected u8 at line 1 column 3'],
  [u32, '[1]', 'invalid type: sequence, expected u32 at line 1 column 0'],
  [boolean, '0', 'invalid type: integer `0`, expected a boolean at line 1 column 1'],
  [string, 'true', 'invalid type: boolean `true`, expected a string at line 1 column 4'],
  [bytes, '[1,256]', 'invalid value: integer `256`, expected u8 at line 1 column 6'],
  [bytes, '[1,[2]]', 'invalid type: sequence, expected u8 at line 1 column 3'],
  [bytes, '{}', 'invalid type: map, expected a sequence at line 1 column 0'],
  [listOf(u64), '[1, 2, "3"]', 'invalid type: string "3", expected u64 at line 1 column 10'],
  [pair, '5', 'invalid type: integer `5`, expected struct Pair at line 1 column 1'],
  [pair, '{"second":"x"}', 'missing field `first` at line 1 column 14'],
  [pair, '{"first":1,"first":2}', 'duplicate field `first` at line 1 column 19'],
  [pair, '[1]', 'invalid length 1, expected struct Pair with 2 elements at line 1 column 3'],
  [slot, '{"period":1,"thread":300}', 'invalid value: integer `300`, expected u8 at line 1 column 24'],
  [slot, '{"period":1,\n "thread":"é"}', 'invalid type: string "é", expected u8 at line 2 column 14'],
  [
    amount,
    '"1.0000000001"',
    'invalid value: string "1.0000000001", expected an Amount type representing a fixed-point currency amount at line 1 column 14',
  ],
]

describe('telemetry/json-rpc/typed-json', () => {
  for (const [shape, text, words] of REFUSALS) {
    it(`error: ${JSON.stringify(text)} is refused: ${words}`, () => {
      assert.throws(
        () => shape(new TypedJson(text)),
        (error) =>
          error instanceof JsonRpcError && error.code === -32602 && assert.equal(error.data, words) === undefined,
      )
    })
  }

  it('integers keep all their digits', () => {
    assert.equal(u64(new TypedJson('18446744073709551615')), 2n ** 64n - 1n)
  })

  it('a map may have more members, and be a list of them', () => {
    assert.deepEqual(pair(new TypedJson('{"other":{"a":["]}"]},"first":1}')), { first: 1n, second: undefined })
    assert.deepEqual(pair(new TypedJson('[1,"x"]')), { first: 1n, second: 'x' })
    assert.deepEqual(pair(new TypedJson('[1,null]')), { first: 1n, second: undefined })
  })

  it('amounts are decimal MAS', () => {
    const read = (text: string) => amount(new TypedJson(JSON.stringify(text)))
    assert.deepEqual(['1', '0.5', '1.000000001', '1.50000000000'].map(read), [
      10n ** 9n,
      5n * 10n ** 8n,
      10n ** 9n + 1n,
      15n * 10n ** 8n,
    ])
  })

  it('a value that is passed over is passed over whole', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(0, 1), (value, indent) => {
        const text = JSON.stringify(value, undefined, indent)
        const json = new TypedJson(` ${text} ,`)
        assert.equal(json.skip(), text)
        assert.equal(json.peek(), ',')
      }),
    )
  })

  it('strings and bytes are read as they are', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.uint8Array(), (text, data) => {
        assert.equal(string(new TypedJson(JSON.stringify(text))), text)
        assert.deepEqual(bytes(new TypedJson(JSON.stringify([...data]))), data)
      }),
    )
  })
})
