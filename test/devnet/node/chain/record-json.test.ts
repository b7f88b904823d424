import assert from 'node:assert/strict'
import fc from 'fast-check'
import { decodeJson, encodeJson } from '../../../../devnet/node/chain/record-json.ts'

describe('devnet/node/chain/record-json', () => {
  it('gives back what it was given, bigints and bytes too (property)', () => {
    const leaf = fc.oneof(
      fc.string(),
      fc.boolean(),
      fc.integer(),
      fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
      fc.uint8Array(),
    )
    const value = fc.oneof(
      leaf,
      fc.array(leaf),
      fc.dictionary(fc.stringMatching(/^[a-z]+$/), leaf, { noNullPrototype: true }),
    )
    fc.assert(fc.property(value, (given) => assert.deepEqual(decodeJson(encodeJson(given)), given)))
  })

  it('keeps views and Buffers as the bytes that they show', () => {
    const bytes = Uint8Array.of(0, 1, 2, 3)
    const given = { view: bytes.subarray(1, 3), buffer: Buffer.from([9, 8]) }
    assert.deepEqual(decodeJson(encodeJson(given)), { view: Uint8Array.of(1, 2), buffer: Uint8Array.of(9, 8) })
  })
})
