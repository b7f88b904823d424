import assert from 'node:assert/strict'
import type { Clock } from '../../core/index.ts'
import { GuardedLevel } from '../../storage-worker/guarded-level.ts'
import { type Damage, LevelChunkStore, Scrub } from '../../storage-worker/index.ts'
import { encodeBodyKey } from '../../storage-worker/keyspace.ts'
import { sealValue } from '../../storage-worker/sealed-value.ts'
import { makePeriod, noise, TEST_IDENTITY } from '../storage-worker/synthetic-period.ts'
import { createMemoryLevel, openMemoryLevel } from '../storage-worker/temp-store.ts'
import { createFaultyLevels } from './faulty-level.ts'

/** No chunk of a synthetic period has this place: the scrub deletes what stands there. */
const ORPHAN_PLACE = 99

describe('fault: the scrub while the disk is full', () => {
  it('goes on, calls nothing damaged for want of room, and deletes the orphan once there is room', async () => {
    let isFull = false
    let refused = 0
    const create = createFaultyLevels(
      ({ done }) => {
        if (done || !isFull) return
        refused++
        throw Object.assign(new Error('IO error: No space left on device'), { code: 'ENOSPC' })
      },
      () => createMemoryLevel() as never,
    )
    const level = create('bodies', {})
    const bodies = await GuardedLevel.open({ name: 'bodies', create: () => level })
    const store = new LevelChunkStore(TEST_IDENTITY, { bodies, index: await openMemoryLevel('index') })
    for (let number = 0; number < 4; number++) await store.writePeriod(makePeriod(number))
    const orphan = encodeBodyKey(2, ORPHAN_PLACE)
    await bodies.write([{ type: 'put', key: orphan, value: sealValue(noise('orphan', 9)) }], { sync: true })

    const damages: Damage[] = []
    const rounds: number[] = []
    const rested = new Rests()
    const scrub = new Scrub(
      { onDamage: (damage) => damages.push(damage), onRound: ({ periods }) => rounds.push(periods), roundMs: 1_000 },
      { store, clock: rested.clock, readUsedBytes: async () => 1e9 },
    )
    isFull = true
    scrub.start()
    await rested.next()
    assert.ok(refused > 0, 'the scrub tried to delete')
    await rested.next()
    assert.deepEqual(damages, [])
    assert.ok(await bodies.get(orphan))
    isFull = false
    await rested.next()
    assert.deepEqual(
      damages.map(({ period, code, repaired }) => ({ period, code, repaired })),
      [{ period: 2, code: 'STORE_VALUE_ORPHANED', repaired: true }],
    )
    assert.equal(await bodies.get(orphan), undefined)
    assert.equal(rounds.at(-1), 4)
    await rested.end(scrub)
  })
})

/** The scrub rests between two rounds: each `next` lets it begin one and waits for its end. */
class Rests {
  private arrived: () => void = () => {}
  private leave: (() => void) | undefined
  private over = false

  readonly clock: Clock = {
    nowMs: () => 0,
    monotonicMs: () => 0,
    sleep: (durationMs, signal) => {
      // Shorter pauses set the pace within a round.
      if (durationMs < 60_000 || this.over || signal?.aborted) return Promise.resolve()
      return new Promise((resolve) => {
        this.leave = resolve
        this.arrived()
      })
    },
  }

  async next(): Promise<void> {
    const arrived = new Promise<void>((resolve) => {
      this.arrived = resolve
    })
    const { leave } = this
    this.leave = undefined
    leave?.()
    await arrived
  }

  async end(scrub: Scrub): Promise<void> {
    this.over = true
    const stopped = scrub.stop()
    this.leave?.()
    await stopped
  }
}
