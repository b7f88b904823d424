import assert from 'node:assert/strict'
import { makeKey } from '../../../../devnet/index.ts'
import { Draw } from '../../../../devnet/node/chain/draw.ts'

const STAKERS = [1n, 3n, 0n, 4n].map((rolls, i) => ({ key: makeKey(`staker ${i}`), rolls }))

describe('devnet/node/chain/draw', () => {
  it('draws by rolls: who has none never, who has half of them half of the time', () => {
    const draw = new Draw('seed', STAKERS)
    const counts = new Map<string, number>()
    for (let index = 32; index < 2032; index++) {
      const { producer, endorsers } = draw.at(index)
      assert.equal(endorsers.length, 16)
      for (const address of [producer, ...endorsers]) counts.set(address, (counts.get(address) ?? 0) + 1)
    }
    const shares = draw.stakers.map(({ address }) => (counts.get(address) ?? 0) / (17 * 2000))
    for (const [i, share] of [1 / 8, 3 / 8, 0, 1 / 2].entries()) {
      assert(Math.abs((shares[i] ?? 0) - share) < 0.02, `${shares}`)
    }
  })

  it('a slot has one draw, whenever it is asked for, and another with another seed', () => {
    const addresses = (seed: string, index: number) => {
      const { producer, endorsers } = new Draw(seed, STAKERS).at(index)
      return [producer, ...endorsers]
    }
    assert.deepEqual(addresses('a', 1_000_000), addresses('a', 1_000_000))
    assert.notDeepEqual(addresses('a', 1_000_000), addresses('a', 1_000_001))
    assert.notDeepEqual(addresses('a', 1_000_000), addresses('b', 1_000_000))
    const draw = new Draw('seed', STAKERS)
    for (let index = 32; index < 96; index++) assert.equal(draw.producerAt(index), draw.at(index).producer)
  })

  it('misses and rivals come at their rates', () => {
    const draw = new Draw('seed', STAKERS)
    const share = (happens: (index: number) => boolean) =>
      Array.from({ length: 4000 }, (_, index) => happens(index)).filter(Boolean).length / 4000
    assert.equal(
      share((index) => draw.isMissed(index, 0)),
      0,
    )
    assert.equal(
      share((index) => draw.isMissed(index, 1)),
      1,
    )
    assert(Math.abs(share((index) => draw.isMissed(index, 0.12)) - 0.12) < 0.02)
    assert(Math.abs(share((index) => draw.hasRival(index, 0.3)) - 0.3) < 0.03)
  })
})
