import assert from 'node:assert/strict'
import { computeDistributionWait, computeDuePeriod } from '../../../core/index.ts'
import { userOf } from '../../sc/registry-world.ts'

const ADDRESSES = Array.from({ length: 5 }, (_, i) => userOf(i).address)

function waitsOf(duePeriod: number, addresses: readonly string[] = ADDRESSES): (number | undefined)[] {
  return ADDRESSES.map((address) => computeDistributionWait({ duePeriod, address }, addresses))
}

describe('core/registry/distribution-turn', () => {
  it('the newest multiple that is over is due', () => {
    const due = [0, 1, 100, 101, 200, 201, 250].map((period) => computeDuePeriod(period, 100))
    assert.deepEqual(due, [undefined, undefined, undefined, 100, 100, 200, 200])
    assert.equal(computeDuePeriod(7, 1), 6)
  })

  it('everybody has a turn of his own, four periods apart, the first one at once', () => {
    for (const duePeriod of [100, 200]) {
      assert.deepEqual(
        waitsOf(duePeriod).sort((a, b) => Number(a) - Number(b)),
        [0, 4, 8, 12, 16],
      )
    }
  })

  it('the order is another one each time, and the same however the nodes are listed', () => {
    const orders = [100, 200, 300, 400].map((duePeriod) => waitsOf(duePeriod))
    assert.ok(new Set(orders.map((order) => order.join())).size > 1)
    assert.deepEqual(waitsOf(100, [...ADDRESSES].reverse()), waitsOf(100))
  })

  it('who is no node has no turn', () => {
    const wish = { duePeriod: 100, address: userOf(9).address }
    assert.equal(computeDistributionWait(wish, ADDRESSES), undefined)
    assert.equal(computeDistributionWait(wish, []), undefined)
  })
})
