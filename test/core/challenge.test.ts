import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  type Challenge,
  computeAuditDraw,
  computeChallengeSeed,
  computeDraw,
  computeDrawChallengeId,
  computeDrawNonce,
  computeDrawNumber,
  computeHashSlot,
  computeSampleIndex,
  type DrawChunk,
  isArchiveError,
  selectDrawChunk,
  selectDrawEra,
  selectDrawNode,
  selectDrawTarget,
  toHex,
} from '../../core/index.ts'

const CHALLENGE: Challenge = {
  chainId: 77n,
  contract: 'AS12Z4zTFAaSoJtgbGdtqoAss9XF7JQ9EkS2b5xKX6Vmv8M3UJgdc',
  challengeId: 'c-1',
  nodeAddress: 'AU12UN5gcQ5gck2oCtw8YWEX9FcSXAxFVosCJiv7rXYK8qi68t268',
  chunkId: new Uint8Array(32).fill(5),
  nonce: 9n,
  issuedPeriod: 1000,
}
const draw = fc.uint8Array({ minLength: 32, maxLength: 32 })

describe('core/challenge', () => {
  it('gives another seed for each thing that differs, and for a rehearsal', () => {
    const others: Challenge[] = [
      { ...CHALLENGE, chainId: 78n },
      { ...CHALLENGE, contract: 'AS1' },
      { ...CHALLENGE, challengeId: 'c-2' },
      { ...CHALLENGE, nodeAddress: 'AU1' },
      { ...CHALLENGE, chunkId: new Uint8Array(32).fill(6) },
      { ...CHALLENGE, nonce: 10n },
      { ...CHALLENGE, issuedPeriod: 1001 },
    ]
    const seeds = [CHALLENGE, ...others].map((one) => toHex(computeChallengeSeed(one)))
    seeds.push(toHex(computeChallengeSeed(CHALLENGE, 'rehearsal')))
    assert.equal(new Set(seeds).size, seeds.length)
  })

  it('moves no byte between neighbouring texts unnoticed', () => {
    const a = computeChallengeSeed({ ...CHALLENGE, contract: 'AB', challengeId: 'C' })
    const b = computeChallengeSeed({ ...CHALLENGE, contract: 'A', challengeId: 'BC' })
    assert.notEqual(toHex(a), toHex(b))
  })

  it('draws samples within the leaves, and evenly', () => {
    const counts = new Array<number>(10).fill(0)
    for (let i = 0; i < 2000; i++) {
      const index = computeSampleIndex(CHALLENGE.chunkId, i, 10)
      counts[index] = (counts[index] ?? 0) + 1
    }
    assert.equal(counts.length, 10)
    assert(
      counts.every((count) => count > 150 && count < 250),
      `${counts}`,
    )
  })

  it('draws a node whatever the order of the list, and none from an empty one', () => {
    fc.assert(
      fc.property(draw, fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1 }), (one, addresses) => {
        const node = selectDrawNode(one, addresses)
        assert(node !== undefined && addresses.includes(node))
        assert.equal(selectDrawNode(one, [...addresses].reverse()), node)
      }),
    )
    assert.equal(selectDrawNode(new Uint8Array(32), []), undefined)
  })

  it('draws by byte: an era or chunk without bytes never, one with all of them always', () => {
    fc.assert(
      fc.property(draw, fc.nat(63), (one, attempt) => {
        const eras = [0n, 7n, 0n].map((totalBytes, era) => ({ era, totalBytes }))
        assert.equal(selectDrawEra(one, attempt, eras), 1)
        const chunks = [chunk(0, 0), chunk(1, 1), chunk(2, 0)]
        assert.equal(selectDrawChunk(one, attempt, chunks)?.period, 1)
        assert.equal(selectDrawEra(one, attempt, [{ era: 1, totalBytes: 0n }]), undefined)
        assert.equal(selectDrawChunk(one, attempt, []), undefined)
      }),
    )
  })

  it('draws the same chunk whatever the order of eras and chunks, and only from the given hash slots', () => {
    fc.assert(
      fc.property(draw, (one) => {
        const chunks = Array.from({ length: 40 }, (_, i) => chunk(i >> 1, 100 + i, i & 1))
        const own = chunks.filter((_, i) => i % 3 === 0)
        const hashSlots = new Set(own.map(({ chunkId }) => computeHashSlot(chunkId)))
        const eras = [4, 5].map((era) => ({ era, totalBytes: 10n }))
        const target = selectDrawTarget(one, { eras, hashSlots }, () => chunks)
        assert(target && own.includes(target.chunk))
        const again = selectDrawTarget(one, { eras: [...eras].reverse(), hashSlots }, () => [...chunks].reverse())
        assert.deepEqual(again, target)
      }),
    )
  })

  it('tries 64 times, each with two draws of its own, before no challenge is due', () => {
    const one = new Uint8Array(32).fill(1)
    const eras = [1, 2].map((era) => ({ era, totalBytes: 5n }))
    const asked: number[] = []
    const target = selectDrawTarget(one, { eras, hashSlots: new Set() }, (era) => {
      asked.push(era)
      return [chunk(1, 1)]
    })
    assert.equal(target, undefined)
    assert.deepEqual(
      asked,
      Array.from({ length: 64 }, (_, t) => Number(computeDrawNumber(one, 1 + 2 * t) % 10n < 5n ? 1 : 2)),
    )
  })

  it('finds a chunk at a later try when the first era has none', () => {
    const hashSlots = new Set([computeHashSlot(chunk(9, 1).chunkId)])
    const eras = [1, 2].map((era) => ({ era, totalBytes: 5n }))
    let later = 0
    for (let i = 0; i < 40; i++) {
      const target = selectDrawTarget(new Uint8Array(32).fill(i), { eras, hashSlots }, (era) =>
        era === 2 ? [chunk(9, 1)] : [],
      )
      assert.equal(target?.era, 2)
      if (target.attempt > 0) later++
    }
    assert(later > 5, `${later}`)
  })

  it('limit: an audit has draws 0 to 7, each another, and none beyond', () => {
    const one = computeDraw(new Uint8Array(64).fill(8))
    const draws = Array.from({ length: 8 }, (_, j) => toHex(computeAuditDraw(one, j)))
    assert.equal(new Set([...draws, toHex(one)]).size, 9)
    for (const j of [-1, 8, 0.5]) assert.throws(() => computeAuditDraw(one, j), isArchiveError)
  })

  it('limit: a draw is made of exactly 64 bytes; nonce and id follow from it', () => {
    for (const length of [63, 65]) assert.throws(() => computeDraw(new Uint8Array(length)), isArchiveError)
    const one = computeDraw(new Uint8Array(64))
    assert(computeDrawNonce(one) < 1n << 64n)
    assert.match(computeDrawChallengeId(one), /^[0-9a-f]{64}$/)
  })
})

function chunk(period: number, byteLength: number, index = 0): DrawChunk {
  const chunkId = new Uint8Array(32).fill(period * 2 + index)
  return { period, index, byteLength, chunkId }
}
