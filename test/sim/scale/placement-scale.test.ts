import assert from 'node:assert/strict'
import { HASH_SLOTS } from '../../../core/index.ts'
import { makeAddress, makeSnapshot, REPLICAS, tabulate, tabulateSnapshot } from './made-nodes.ts'
import {
  computeDeathLoad,
  computeDrawnShare,
  computeExpectedLoss,
  computeFatalShare,
  computeLoadSpread,
  computeModuloMovedShare,
  computeMovedShare,
  countNeighbours,
  countSlots,
} from './placement-scale.ts'

const GOAL = 0.035

describe('sim/scale/placement-scale', () => {
  it('a 31st node moves at most 3.5 % of all placements, all of them to itself, whoever it is', () => {
    const before = tabulate({ nodes: 30 })
    const { nodes, ...rest } = makeSnapshot({ nodes: 40 })
    for (const newcomer of nodes.slice(30)) {
      const after = tabulateSnapshot({ ...rest, nodes: [...nodes.slice(0, 30), newcomer] })
      const share = computeMovedShare(before, after)
      assert(share > 0 && share <= GOAL, `${newcomer.address}: ${share}`)
      const taken = after.listSlotsOf(after.addresses.indexOf(newcomer.address)).length
      assert.equal(share, taken / (HASH_SLOTS * REPLICAS))
    }
  })

  it('what falls to a node by lot is what ranking gives it on average, whatever others offer', () => {
    assert.equal(computeDrawnShare([1, 1, 1, 1], 0, 3), 1 / 4)
    // By hand: drawn first in 3 of 4 cases, else second.
    assert.equal(computeDrawnShare([3, 1], 0, 2), 1 / 2)
    assert.equal(computeDrawnShare([2, 1, 1], 0, 2), (1 / 2 + (1 / 2) * (2 / 3)) / 2)
    const nodes = 8
    const placementGb = (number: number): bigint => [1n, 2n, 4n, 8n][number % 4] ?? 1n
    const table = tabulate({ nodes, placementGb })
    const weights = Array.from({ length: nodes }, (_, i) => Number(placementGb(i)))
    const counts = countSlots(table)
    for (const size of [1, 2, 4, 8]) {
      const alike = weights.flatMap((weight, i) => (weight === size ? [i] : []))
      const held = alike.reduce((sum, i) => sum + (counts[table.addresses.indexOf(makeAddress(i))] ?? 0), 0)
      const share = computeDrawnShare(weights, alike[0] ?? 0, REPLICAS) * alike.length
      assert.ok(Math.abs(held / (HASH_SLOTS * REPLICAS) - share) < 0.005, `${size}: ${held}, ${share}`)
    }
  })

  it('nothing moves but what a node of 4 TB takes over, among nodes of 1 to 8 TB', () => {
    const placementGb = (number: number): bigint => [1_000n, 2_000n, 4_000n, 8_000n][number % 4] ?? 0n
    const after = tabulate({ nodes: 31, placementGb })
    const taken = after.listSlotsOf(after.addresses.indexOf(makeAddress(30))).length
    assert.equal(computeMovedShare(tabulate({ nodes: 30, placementGb }), after), taken / (HASH_SLOTS * REPLICAS))
  })

  it('baseline: by plain modulo it would move more than 90 % of them', () => {
    assert(computeModuloMovedShare(30, 31, 3) > 0.9)
    // By hand: of ids 0 to 5 on 2 and then 3 nodes only 0 and 1 stay.
    assert.equal(computeModuloMovedShare(2, 3, 1), 4 / 6)
    assert.equal(computeModuloMovedShare(3, 3, 2), 0)
  })

  it('when one of 31 leaves, what it had moves and nothing else', () => {
    const before = tabulate({ nodes: 31 })
    const after = tabulate({ nodes: 30 })
    const left = before.listSlotsOf(before.addresses.indexOf(makeAddress(30))).length
    assert.equal(computeMovedShare(before, after), left / (HASH_SLOTS * REPLICAS))
  })

  it('loads are in the order of the table, and a multiple of what falls to each', () => {
    const table = tabulate({ nodes: 7 })
    const counts = countSlots(table)
    assert.equal(
      counts.reduce((sum, count) => sum + count, 0),
      HASH_SLOTS * REPLICAS,
    )
    for (const [number, count] of counts.entries()) assert.equal(table.listSlotsOf(number).length, count)
    const even = computeLoadSpread(table, counts)
    assert.deepEqual(
      [even.least, even.median, even.most].map((load) => load.toFixed(9)),
      ['1.000000000', '1.000000000', '1.000000000'],
    )
    const alike = computeLoadSpread(
      table,
      counts.map(() => 1),
    )
    assert.equal(alike.most, Math.max(...counts) / alike.mean)
  })

  it('of 4 nodes with 3 copies one stands in for another alone, and all are neighbours', () => {
    const table = tabulate({ nodes: 4 })
    const death = computeDeathLoad(table)
    assert.equal(death.lost, Math.max(...countSlots(table)))
    assert(death.standIns === 3 && death.mostFetched > death.lost / 4 && death.mostServed < death.lost)
    assert.deepEqual(countNeighbours(table), { median: 3, most: 3 })
    assert.equal(computeFatalShare(table, REPLICAS), 1)
    assert.equal(computeExpectedLoss(4, 3, REPLICAS), HASH_SLOTS / 4)
    assert.equal(computeExpectedLoss(4, 2, REPLICAS), 0)
  })
})
