import assert from 'node:assert/strict'
import { CYCLE_SLOTS, RollHistory } from '../../../../devnet/node/chain/roll-history.ts'

const BEGINNING = [
  ['AU-own-1', 5n],
  ['AU-own-2', 5n],
] as const

/** One that has seen cycles with this many rolls of a user at their ends. */
function makeHistory(rolls: readonly bigint[]): RollHistory {
  const history = new RollHistory(BEGINNING)
  for (const [cycle, count] of rolls.entries()) history.add(cycle, new Map([...BEGINNING, ['AU-user', count]]))
  return history
}

const userRolls = (history: RollHistory, cycle: number) =>
  history.activeIn(cycle).find(([address]) => address === 'AU-user')?.[1] ?? 0n

describe('devnet/node/chain/roll-history', () => {
  it('a cycle goes by the rolls at the end of the third one before it, the first three by those of the beginning', () => {
    const history = makeHistory([10n, 11n, 12n, 13n])
    const active = [0, 1, 2, 3, 4, 5, 6].map((cycle) => userRolls(history, cycle))
    assert.deepEqual(active, [0n, 0n, 0n, 10n, 11n, 12n, 13n])
  })

  it('knows the draws of three cycles after the last one that has ended, and goes on with its rolls after that', () => {
    assert.equal(makeHistory([]).lastDrawnIndex, 3 * CYCLE_SLOTS - 1)
    const history = makeHistory([10n, 11n])
    assert.equal(history.lastDrawnIndex, 5 * CYCLE_SLOTS - 1)
    assert.deepEqual(
      [5, 9].map((cycle) => userRolls(history, cycle)),
      [11n, 11n],
    )
  })

  it('a cycle at whose end no staker of the chain has a roll goes by the rolls before, also when users have some', () => {
    const history = makeHistory([10n])
    const users = new Map([['AU-user', 99n]])
    const { counts } = history.add(1, users)
    assert.deepEqual(counts, history.activeIn(3))
    assert.equal(userRolls(history, 4), 10n)
    history.add(2, new Map([...users, ['AU-own-2', 1n]]))
    assert.deepEqual(history.activeIn(5), [
      ['AU-own-1', 0n],
      ['AU-own-2', 1n],
      ['AU-user', 99n],
    ])
    assert.deepEqual(new RollHistory(BEGINNING).add(0, new Map()).counts, BEGINNING)
  })

  it('limit: forgets the oldest of eleven cycles', () => {
    const history = new RollHistory(BEGINNING)
    const dropped = Array.from({ length: 12 }, (_, cycle) =>
      history.add(cycle, new Map([['AU-own-1', BigInt(cycle + 1)]])),
    )
    assert.deepEqual(
      dropped.map(({ droppedCycle }) => droppedCycle).filter((cycle) => cycle >= 0),
      [0, 1],
    )
    assert.deepEqual(history.activeIn(4), BEGINNING)
    assert.equal(history.activeIn(5)[0]?.[1], 3n)
  })
})
