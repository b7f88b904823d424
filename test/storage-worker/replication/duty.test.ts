import assert from 'node:assert/strict'
import { ArchiveError, ERA_PERIODS, type Period } from '../../../core/index.ts'
import { LevelSpool } from '../../../storage-worker/index.ts'
import { keyspaceRange } from '../../../storage-worker/keyspace.ts'
import { RECORDED_ERAS } from '../../../storage-worker/replication/assignment-record.ts'
import { Duty, type DutyTable } from '../../../storage-worker/replication/duty.ts'
import { SteppedClock } from '../../devnet/node/face.ts'
import { openMemoryLevel } from '../temp-store.ts'

const OWNER = { address: 'AU1', registry: 'AS1' }

function tableOf(era: number, slots: readonly number[], address = OWNER.address): DutyTable {
  return { era, listDutySlotsOf: (asked) => (asked === address ? slots : []) }
}

async function open() {
  const index = await openMemoryLevel('index')
  const spool = new LevelSpool(index)
  const placement = {
    inForce: undefined as DutyTable | undefined,
    next: undefined as DutyTable | undefined,
    isCurrent: true,
  }
  const state = { period: undefined as Period | undefined, standIns: new Set<number>() as ReadonlySet<number> }
  const make = (owner = OWNER): Duty =>
    new Duty(owner, {
      placement,
      standIns: () => state.standIns,
      finalPeriod: () => state.period,
      spool,
      clock: new SteppedClock(),
    })
  const duty = make()
  /** The chain is in the middle of this era, whose table is in force; the duty looks. */
  const at = async (era: number, slots: readonly number[], whose = duty): Promise<void> => {
    placement.inForce = tableOf(era, slots)
    placement.next = undefined
    state.period = era * ERA_PERIODS + 64
    await whose.look()
  }
  return { index, spool, placement, state, duty, make, at }
}

describe('storage-worker/replication/duty', () => {
  it('without a table there is no duty, and nothing is certain', async () => {
    const { duty, state } = await open()
    state.period = 5
    await duty.look()
    assert.deepEqual([duty.of(7), duty.listSlots()], [undefined, []])
    assert.equal(duty.wasNeverAssigned(7, 0), false)
  })

  it('is what the table in force gives, and the next one, and what we stand in for', async () => {
    const { duty, placement, state, at } = await open()
    await at(3, [16_383, 0])
    assert.deepEqual(duty.listSlots(), [0, 16_383])
    placement.next = tableOf(4, [0, 8])
    state.standIns = new Set([9, 0])
    assert.deepEqual(duty.listSlots(), [0, 8, 9, 16_383])
    assert.deepEqual(
      [0, 8, 9, 16_383, 10].map((hashSlot) => duty.of(hashSlot)),
      ['assigned', 'assigned', 'standIn', 'assigned', undefined],
    )
    placement.inForce = placement.next
    placement.next = undefined
    state.standIns = new Set()
    assert.deepEqual(duty.listSlots(), [0, 8])
  })

  it('gives the same list while nothing changes in it', async () => {
    const { duty, state, at } = await open()
    await at(3, [1, 2])
    const slots = duty.listSlots()
    await at(4, [2, 1])
    state.standIns = new Set([2])
    assert.equal(duty.listSlots(), slots)
    state.standIns = new Set([3])
    assert.notEqual(duty.listSlots(), slots)
  })

  describe('what was never assigned', () => {
    it('is known of eras whose table we saw, across restarts', async () => {
      const { duty, make, at } = await open()
      await at(10, [1])
      await at(11, [2])
      const restarted = make()
      assert.equal(restarted.wasNeverAssigned(5, 12), false, 'before it has looked')
      await at(12, [3], restarted)
      for (const [who, eras] of [
        [duty, [10, 11]],
        [restarted, [10, 11, 12]],
      ] as const) {
        if (who === duty) await at(11, [2])
        else await at(12, [3], restarted)
        for (const era of eras) assert.equal(who.wasNeverAssigned(5, era), true)
        assert.equal(who.wasNeverAssigned(5, 9), false)
      }
      assert.deepEqual(
        [10, 11, 12].map((era) => restarted.wasNeverAssigned(2, era)),
        [false, false, true],
      )
    })

    it('nothing is, of an era that nobody saw', async () => {
      const { duty, at } = await open()
      await at(10, [])
      await at(12, [])
      assert.deepEqual(
        [10, 11, 12].map((era) => duty.wasNeverAssigned(5, era)),
        [false, false, true],
      )
      assert.equal(duty.wasNeverAssigned(5, -1), false)
    })

    it('an era that has begun counts before its table is in force, and without it', async () => {
      const { duty, placement, state, at } = await open()
      await at(10, [])
      state.period = 11 * ERA_PERIODS
      assert.equal(duty.wasNeverAssigned(5, 10), false)
      placement.next = tableOf(11, [6])
      assert.equal(duty.wasNeverAssigned(5, 10), false, 'not noted yet')
      await duty.look()
      assert.deepEqual([duty.wasNeverAssigned(5, 10), duty.wasNeverAssigned(6, 10)], [true, false])
      assert.equal(duty.wasNeverAssigned(6, 99), false)
    })

    it('nothing is, while it is not known which table has to be in force, or where the chain is', async () => {
      const { duty, placement, state, at } = await open()
      await at(10, [])
      placement.isCurrent = false
      assert.equal(duty.wasNeverAssigned(5, 10), false)
      placement.isCurrent = true
      state.period = undefined
      assert.equal(duty.wasNeverAssigned(5, 10), false)
    })

    it('nothing is, by the record of another address or registry, or one that is damaged', async () => {
      const { index, duty, make, at } = await open()
      await at(10, [])
      await at(11, [])
      assert.equal(duty.wasNeverAssigned(5, 10), true)
      for (const owner of [
        { ...OWNER, address: 'AU2' },
        { ...OWNER, registry: 'AS2' },
      ]) {
        const other = make(owner)
        await at(12, [], other)
        assert.deepEqual([other.wasNeverAssigned(5, 11), other.wasNeverAssigned(5, 12)], [false, true])
      }
      for await (const [key, value] of index.entries(keyspaceRange('marks'))) {
        const damaged = Uint8Array.from(value)
        damaged[40] = (damaged[40] ?? 0) ^ 1
        await index.write([{ type: 'put', key, value: damaged }], { sync: false })
      }
      const restarted = make()
      await at(12, [], restarted)
      assert.deepEqual([restarted.wasNeverAssigned(5, 11), restarted.wasNeverAssigned(5, 12)], [false, true])
    })

    it('all tables of one era count', async () => {
      const { duty, make, at } = await open()
      await at(10, [1])
      await at(10, [2])
      const restarted = make()
      await at(10, [3], restarted)
      for (const each of [duty, restarted]) assert.equal(each.wasNeverAssigned(1, 10), false)
      assert.deepEqual(
        [1, 2, 3, 4].map((hashSlot) => restarted.wasNeverAssigned(hashSlot, 10)),
        [false, false, false, true],
      )
    })

    it('is certain only when it is written, and that is tried again', async () => {
      const { spool, duty, make, at } = await open()
      const putMark = spool.putMark.bind(spool)
      spool.putMark = async () => {
        throw new ArchiveError('STORE_WRITE_FAILED', 'injected', { database: 'index' })
      }
      await at(10, [1])
      assert.equal(duty.wasNeverAssigned(5, 10), false)
      spool.putMark = putMark
      await duty.look()
      assert.equal(duty.wasNeverAssigned(5, 10), true)
      const restarted = make()
      await at(11, [], restarted)
      assert.equal(restarted.wasNeverAssigned(5, 10), true)
    })

    it('limit: so many eras are remembered, and one more takes the place of the oldest', async () => {
      const { index, make, at } = await open()
      const writer = make()
      for (let era = 1; era <= RECORDED_ERAS; era++) await at(era, [], writer)
      assert.equal(writer.wasNeverAssigned(5, 1), true)
      const restarted = make()
      await at(RECORDED_ERAS + 1, [], restarted)
      for (const each of [restarted, make()]) {
        await at(RECORDED_ERAS + 1, [], each)
        assert.deepEqual([each.wasNeverAssigned(5, 1), each.wasNeverAssigned(5, 2)], [false, true])
      }
      let marks = 0
      for await (const _ of index.keys(keyspaceRange('marks'))) marks++
      assert.equal(marks, RECORDED_ERAS)
    })
  })

  it('looks by itself until it is stopped', async () => {
    const { duty, placement, state } = await open()
    placement.inForce = tableOf(1, [4])
    state.period = ERA_PERIODS + 9
    const ended = duty.start()
    while (!duty.wasNeverAssigned(5, 1)) await new Promise((resolve) => setImmediate(resolve))
    await duty.stop()
    await ended
  })
})
