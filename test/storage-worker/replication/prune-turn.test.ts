import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { ERA_PERIODS } from '../../../core/index.ts'
import { PruneTurns, SPREAD_PERIODS } from '../../../storage-worker/replication/prune-turn.ts'

describe('storage-worker/replication: turns to let go', () => {
  it('a turn lasts 128 periods and comes every 37,800', () => {
    const turns = new PruneTurns('node', SPREAD_PERIODS)
    const isTurn = (finalPeriod: number): boolean => turns.has(7, finalPeriod)
    const week = Array.from({ length: SPREAD_PERIODS }, (_, i) => 100_000 + i)
    const turn = week.filter(isTurn)
    assert.equal(turn.length, ERA_PERIODS)
    const first = turn[0] ?? 0
    for (const begin of [first, first + SPREAD_PERIODS, first + 5 * SPREAD_PERIODS]) {
      const around = [-1, 0, ERA_PERIODS - 1, ERA_PERIODS].map((offset) => isTurn(begin + offset))
      assert.deepEqual(around, [false, true, true, false])
    }
  })

  it('a turn is where docs/PROTOCOL.md has it', () => {
    const turns = new PruneTurns('AU1', SPREAD_PERIODS)
    const hash = createHash('sha256').update('massa-storage/prune/1:AU1:9').digest()
    const begin = 2 * SPREAD_PERIODS + (hash.readUInt32BE(0) % SPREAD_PERIODS)
    assert.deepEqual([turns.has(9, begin - 1), turns.has(9, begin)], [false, true])
  })

  it('of 100 nodes no three have the same turn for an era, nor one node for many eras', () => {
    const nodes = Array.from({ length: 100 }, (_, i) => new PruneTurns(`node ${i}`, SPREAD_PERIODS))
    for (let era = 0; era < 20; era++) {
      const count = nodes.filter((turns) => turns.has(era, 300_000)).length
      assert.ok(count < 4, `era ${era}: ${count}`)
    }
    const [turns] = nodes
    const eras = Array.from({ length: 3_000 }, (_, era) => era).filter((era) => turns?.has(era, 300_000))
    // 3,000 * 128 / 37,800 = 10
    assert.ok(eras.length >= 2 && eras.length <= 25, `${eras.length}`)
  })

  it('where a week is shorter than an era it is always the turn', () => {
    const turns = new PruneTurns('node', 70)
    for (let finalPeriod = 0; finalPeriod < 300; finalPeriod++) assert.ok(turns.has(3, finalPeriod))
  })
})
