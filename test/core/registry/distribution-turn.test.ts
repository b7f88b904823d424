import assert from 'node:assert/strict'
import { computeDistributionTurn, computeDuePeriod } from '../../../core/index.ts'
import { userOf } from '../../sc/registry-world.ts'

const ADDRESSES = Array.from({ length: 5 }, (_, i) => userOf(i).address)

function turnsOf(duePeriod: number, addresses: readonly string[] = ADDRESSES): (number | undefined)[] {
  return ADDRESSES.map((address) => computeDistributionTurn({ duePeriod, address }, addresses))
}

describe('core/registry/distribution-turn', () => {
  it('the newest multiple that is over is due', () => {
    const due = [0, 1, 100, 101, 200, 201, 250].map((period) => computeDuePeriod(period, 100))
    assert.deepEqual(due, [undefined, undefined, undefined, 100, 100, 200, 200])
    assert.equal(computeDuePeriod(7, 1), 6)
  })

  it('everybody has a turn of his own, two periods apart, the first one in the period behind', () => {
    for (const duePeriod of [100, 200]) {
      assert.deepEqual(
        turnsOf(duePeriod).sort(),
        [1, 3, 5, 7, 9].map((wait) => duePeriod + wait),
      )
    }
  })

  it('the order is another one each time, and the same however the nodes are listed', () => {
    const orders = [100, 200, 300, 400].map((duePeriod) => turnsOf(duePeriod).map((turn) => (turn ?? 0) - duePeriod))
    assert.ok(new Set(orders.map((order) => order.join())).size > 1)
    assert.deepEqual(turnsOf(100, [...ADDRESSES].reverse()), turnsOf(100))
  })

  it('who is no node has no turn', () => {
    const wish = { duePeriod: 100, address: userOf(9).address }
    assert.equal(computeDistributionTurn(wish, ADDRESSES), undefined)
    assert.equal(computeDistributionTurn(wish, []), undefined)
  })
})
