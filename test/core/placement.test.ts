import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  computeHashSlot,
  computeLn,
  computeScore,
  computeScores,
  HASH_SLOTS,
  isArchiveError,
  rankNodes,
  toHex,
} from '../../core/index.ts'

/** docs/FORMAT.md, Placement. */
const GOLDEN = [
  {
    address: 'AU12UN5gcQ5gck2oCtw8YWEX9FcSXAxFVosCJiv7rXYK8qi68t268',
    placementGb: 100n,
    scores: ['3f6ec6553a8fa333', '3fa6b01c0a5d9e14', '3fa0bb825cbc9371'],
    firstRanks: 14_747,
  },
  {
    address: 'AU12dG5xP1RDEB5ocdHkymNVvvSJmUL9BgHwCksDowqmGWxfpm93x',
    placementGb: 10n,
    scores: ['3fc07fbb833dcc1a', '3f903f234e0f0c00', '3fb7f33a3e0bfacd'],
    firstRanks: 1_486,
  },
  {
    address: 'AU1NQmBA9yg9T45RKtqpCyfk3bBuKxAWi8pz9huMqjRU22Y2y2ji',
    placementGb: 1n,
    scores: ['3fc6c81b8932a700', '3facca93e3540400', '3ffe406a85e382e0'],
    firstRanks: 151,
  },
]

describe('core/placement', () => {
  it('gives the golden scores, bit for bit', () => {
    for (const { address, placementGb, scores } of GOLDEN) {
      const ours = [0, 1, 16_383].map((hashSlot) => doubleHex(computeScore(address, placementGb, hashSlot)))
      assert.deepEqual(ours, scores)
    }
  })

  it('ranks the three golden nodes first in 14,747, 1,486 and 151 hash slots', () => {
    const nodes = GOLDEN.map(({ address, placementGb }) => ({ address, scores: computeScores(address, placementGb) }))
    const firsts = new Map<string, number>()
    for (let hashSlot = 0; hashSlot < HASH_SLOTS; hashSlot++) {
      const first = rankNodes(hashSlot, nodes)[0]?.address ?? ''
      firsts.set(first, (firsts.get(first) ?? 0) + 1)
    }
    assert.deepEqual(
      GOLDEN.map(({ address }) => firsts.get(address)),
      GOLDEN.map(({ firstRanks }) => firstRanks),
    )
  })

  it('computes logarithms within the error of eleven terms, 2 x 10^-12', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.5, max: 2 ** 52, noNaN: true }), (value) => {
        const error = Math.abs(computeLn(value) - Math.log(value))
        assert(error < 2e-12, `${error}`)
      }),
    )
  })

  it('takes the hash slot from the chunk id as a big-endian integer', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (id) => {
        assert.equal(BigInt(computeHashSlot(id)), BigInt(`0x${toHex(id)}`) % 16_384n)
      }),
    )
    assert.throws(() => computeHashSlot(new Uint8Array(31)), isArchiveError)
  })

  it('orders equal scores by address and does not change its input', () => {
    const scores = new Float64Array(HASH_SLOTS).fill(1)
    const nodes = ['b', 'c', 'a'].map((address) => ({ address, scores }))
    assert.deepEqual(
      rankNodes(7, nodes).map(({ address }) => address),
      ['a', 'b', 'c'],
    )
    assert.deepEqual(
      nodes.map(({ address }) => address),
      ['b', 'c', 'a'],
    )
  })

  it('refuses a node without weight and a hash slot that does not exist', () => {
    assert.throws(() => computeScores('AU1', 0n), isArchiveError)
    assert.throws(() => computeScore('AU1', 1n, HASH_SLOTS), isArchiveError)
  })

  it('a node that joins takes its share and moves nothing between the others', () => {
    const nodes = Array.from({ length: 30 }, (_, i) => ({
      address: `node-${i}`,
      scores: computeScores(`node-${i}`, 5n),
    }))
    const others = nodes.slice(0, -1)
    let taken = 0
    for (let hashSlot = 0; hashSlot < HASH_SLOTS; hashSlot++) {
      const after = rankNodes(hashSlot, nodes)
      if (after[0]?.address === 'node-29') taken++
      assert.deepEqual(
        after.filter(({ address }) => address !== 'node-29').map(({ address }) => address),
        rankNodes(hashSlot, others).map(({ address }) => address),
      )
    }
    assert(Math.abs(taken - HASH_SLOTS / 30) < 100, `${taken} of ${HASH_SLOTS}`)
  }).timeout(30_000)
})

function doubleHex(value: number): string {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setFloat64(0, value)
  return toHex(bytes)
}
