import assert from 'node:assert/strict'
import { ArchiveError, type Period } from '../../../core/index.ts'
import type { PullResult, WantedChunk } from '../../../storage-worker/replication/chunk-puller.ts'
import { OwnHoldings } from '../../../storage-worker/replication/own-holdings.ts'
import { Patrol } from '../../../storage-worker/replication/patrol.ts'
import { createLogger } from '../../../telemetry/index.ts'
import { SetClock } from '../../devnet/set-clock.ts'
import { settle } from '../../turns.ts'
import { MadeArchive } from './made-archive.ts'

const MINUTE_MS = 60_000
const SLOTS = [7, 9]

/** Peers that give all but what is kept back. */
class Stage {
  readonly archive = new MadeArchive()
  readonly clock = new SetClock()
  readonly duty = { slots: SLOTS as readonly number[], kind: 'assigned' as const }
  readonly batches: (readonly WantedChunk[])[] = []
  /** `period index` of what nobody gives. */
  readonly keptBack = new Set<string>()
  readonly lines: string[] = []
  readonly results: PullResult[] = []
  readonly failure: { error: ArchiveError | undefined } = { error: undefined }
  beforePull: () => Promise<void> | void = () => undefined
  readonly holdings = new OwnHoldings(this.archive, this.clock)
  readonly patrol: Patrol

  constructor() {
    const { failure, duty } = this
    this.patrol = new Patrol({
      store: this.archive,
      duty: {
        of: (hashSlot) => (duty.slots.includes(hashSlot) ? duty.kind : undefined),
        listSlots: () => duty.slots,
      },
      holdings: this.holdings,
      puller: {
        pull: (wanted) => this.pull(wanted),
        get failing() {
          return failure.error
        },
      },
      clock: this.clock,
      log: createLogger({
        level: 'info',
        format: 'json',
        destination: { write: (text) => this.lines.push(JSON.parse(text).msg) },
      }),
      onPulled: (result) => this.results.push(result),
    })
  }

  async pull(wanted: readonly WantedChunk[]): Promise<PullResult> {
    this.batches.push(wanted)
    await this.beforePull()
    const result = { pulled: 0, bytes: 0, failed: 0, failedBytes: 0 }
    for (const { period, index } of wanted) {
      const made = this.archive.periods.get(period)
      if (!made) continue
      if (this.keptBack.has(`${period} ${index}`) || this.failure.error) {
        result.failed++
        result.failedBytes += Number(made.missing.has(index))
        continue
      }
      if (index === 0) {
        made.hasSeals = true
        result.bytes += 64
      }
      if (!made.missing.delete(index)) continue
      result.pulled++
      result.bytes++
    }
    return result
  }

  /** Drops without a word. */
  drop(period: Period, ...indexes: number[]): void {
    for (const index of indexes) this.archive.drop(period, index)
  }

  /** What was asked for since the last time. */
  takeAsked(): WantedChunk[] {
    return this.batches.splice(0).flat()
  }

  async at(advanceMs: number): Promise<WantedChunk[]> {
    this.clock.timeMs += advanceMs
    await this.patrol.look()
    return this.takeAsked()
  }
}

/** Four eras of periods with chunks of the hash slots 7, 8, 9; nothing lacks. */
function open(): Stage {
  const stage = new Stage()
  stage.archive.fill(100, 500, () => [7, 8, 9])
  return stage
}

const wanted = (period: Period, ...indexes: number[]): WantedChunk[] => indexes.map((index) => ({ period, index }))

describe('storage-worker/replication/patrol', () => {
  it('where nothing lacks nothing is asked for, and that is known after one round', async () => {
    const stage = open()
    assert.equal(stage.patrol.report().isKnown, false)
    assert.deepEqual(await stage.at(0), [])
    assert.deepEqual(stage.patrol.report(), {
      isKnown: true,
      missingChunks: 0,
      missingBytes: 0,
      missingForMs: undefined,
      failedChunks: 0,
      pulledChunks: 0,
      pulledBytes: 0,
    })
    assert.deepEqual(stage.lines, [])
  })

  it('asks for what is its duty and lacks, the newest era first, and for nothing else', async () => {
    const stage = open()
    stage.drop(110, 0, 1, 2)
    stage.drop(498, 0, 1)
    stage.drop(499, 2)
    assert.deepEqual(await stage.at(0), [...wanted(499, 2), ...wanted(498, 0), ...wanted(110, 0, 2)])
    const report = stage.patrol.report()
    assert.deepEqual([report.isKnown, report.missingChunks, report.pulledChunks], [true, 0, 4])
    assert.deepEqual(stage.lines, [
      'fetching chunks that are to be held here',
      'all chunks that are to be held here are held',
    ])
    assert.deepEqual(
      stage.results.map(({ pulled }) => pulled),
      [4],
    )
  })

  it('a chunk 0 that is held without SEALS is missing', async () => {
    const stage = open()
    const made = stage.archive.periods.get(200)
    assert.ok(made)
    made.hasSeals = false
    stage.keptBack.add('200 0')
    assert.deepEqual(await stage.at(0), wanted(200, 0))
    assert.equal(stage.patrol.report().missingChunks, 1)
    stage.keptBack.clear()
    assert.deepEqual(await stage.at(MINUTE_MS), wanted(200, 0))
    assert.equal(made.hasSeals, true)
    assert.equal(stage.patrol.report().missingChunks, 0)
  })

  it('a round begins at once when the duty changes, else five minutes after the last one', async () => {
    const stage = open()
    stage.drop(300, 1)
    assert.deepEqual(await stage.at(0), [])
    stage.duty.slots = [8]
    assert.deepEqual(await stage.at(0), wanted(300, 1))
    stage.drop(301, 1)
    stage.holdings.note(301)
    assert.deepEqual(await stage.at(4 * MINUTE_MS), [])
    assert.deepEqual(await stage.at(MINUTE_MS), wanted(301, 1))
  })

  it('an era of which something went is looked at soon', async () => {
    const stage = open()
    await stage.at(0)
    stage.archive.reads.length = 0
    stage.drop(301, 0)
    stage.patrol.note(301)
    assert.deepEqual(await stage.at(0), wanted(301, 0))
    assert.ok(stage.archive.reads.every((from) => from === 256))
    assert.deepEqual(stage.lines.at(-1), 'all chunks that are to be held here are held')
    assert.deepEqual(await stage.at(0), [])
  })

  it('limit: of 1,024 eras that are noted each is looked at; of one more all there are', async () => {
    for (const [count, isAll] of [
      [1_024, false],
      [1_025, true],
    ] as const) {
      const stage = open()
      await stage.at(0)
      stage.drop(300, 0)
      stage.holdings.note(300)
      for (let era = 10; era < 10 + count; era++) stage.patrol.note(era * 128)
      assert.equal((await stage.at(0)).length, isAll ? 1 : 0)
    }
  })

  it('what somebody announces is asked for at once where it lacks, and nothing else of its era', async () => {
    const stage = open()
    await stage.at(0)
    stage.drop(300, 0)
    stage.drop(301, 0, 1)
    stage.drop(302, 2)
    stage.patrol.hear(301, 302)
    assert.deepEqual(await stage.at(1_000), [...wanted(302, 2), ...wanted(301, 0)])
    assert.deepEqual(await stage.at(1_000), [])
    // Not visible here.
    stage.patrol.hear(501, 502)
    assert.deepEqual(await stage.at(1_000), [])
  })

  it('limit: of 1,024 periods that are announced each is looked at, what is more waits for the next round', async () => {
    const stage = new Stage()
    stage.archive.fill(0, 2_000, () => [7])
    await stage.at(0)
    stage.drop(877, 0)
    stage.drop(876, 0)
    stage.patrol.hear(0, 1_900)
    assert.deepEqual(await stage.at(1_000), wanted(877, 0))
    assert.deepEqual(await stage.at(5 * MINUTE_MS), wanted(876, 0))
  })

  it('what nobody gives is asked for again a minute later, said once, and counted', async () => {
    const stage = open()
    stage.drop(300, 0, 2)
    stage.keptBack.add('300 2')
    await stage.at(0)
    const report = stage.patrol.report()
    assert.deepEqual(
      [report.isKnown, report.missingChunks, report.missingBytes, report.failedChunks, report.pulledChunks],
      [true, 1, 1, 1, 1],
    )
    stage.patrol.note(300)
    assert.deepEqual(await stage.at(MINUTE_MS / 2), wanted(300, 2))
    assert.deepEqual(await stage.at(MINUTE_MS / 4), [])
    assert.deepEqual(await stage.at(MINUTE_MS / 4), wanted(300, 2))
    assert.equal(stage.lines.filter((line) => line === 'chunks that are to be held here cannot be had now').length, 1)
    assert.ok((stage.patrol.report().missingForMs ?? 0) >= MINUTE_MS)
    stage.keptBack.clear()
    await stage.at(MINUTE_MS)
    assert.deepEqual(
      [stage.patrol.report().missingForMs, stage.lines.at(-1)],
      [undefined, 'all chunks that are to be held here are held'],
    )
  })

  it('limit: asks for 512 chunks at a time', async () => {
    const stage = open()
    for (let period = 100; period <= 500; period++) stage.drop(period, 0, 2)
    await stage.patrol.look()
    assert.deepEqual(
      stage.batches.map(({ length }) => length),
      [512, 290],
    )
  })

  it('a store without room ends the round, which is made again a minute later', async () => {
    const stage = open()
    for (let period = 100; period <= 500; period++) stage.drop(period, 0, 2)
    stage.failure.error = new ArchiveError('STORE_DISK_FULL', 'injected')
    assert.equal((await stage.at(0)).length, 512)
    assert.equal(stage.patrol.report().isKnown, false)
    stage.failure.error = undefined
    assert.equal((await stage.at(MINUTE_MS)).length, 802)
    assert.equal(stage.patrol.report().isKnown, true)
  })

  it('a duty that changes meanwhile makes a round of its own, and the long one before gives way', async () => {
    const stage = open()
    stage.drop(110, 0, 1)
    stage.beforePull = () => {
      stage.clock.timeMs += MINUTE_MS
      stage.duty.slots = [8]
    }
    for (let period = 200; period <= 500; period++) stage.drop(period, 0, 2)
    const first = await stage.at(0)
    assert.ok(first.every(({ period }) => period >= 200))
    assert.equal(stage.patrol.report().isKnown, false)
    stage.beforePull = () => undefined
    assert.deepEqual(await stage.at(0), wanted(110, 1))
    assert.equal(stage.patrol.report().isKnown, true)
  })

  it('a damaged period is passed over', async () => {
    const stage = open()
    stage.drop(300, 0)
    stage.drop(301, 0)
    stage.archive.broken.set(300, 'STORE_HOLDING_INVALID')
    assert.deepEqual(await stage.at(0), wanted(301, 0))
  })

  it('without a duty, or an archive, nothing is looked at', async () => {
    const stage = open()
    stage.duty.slots = []
    await stage.at(0)
    assert.deepEqual(stage.archive.reads, [])
    const empty = new Stage()
    await empty.at(0)
    assert.equal(empty.patrol.report().isKnown, true)
  })

  it('leaves others their turn', async () => {
    const stage = open()
    stage.drop(300, 0)
    stage.keptBack.add('300 0')
    await stage.at(0)
    let yields = 0
    const sleep = stage.clock.sleep.bind(stage.clock)
    stage.clock.sleep = async (durationMs, signal) => {
      yields += Number(durationMs === 0)
      await sleep(durationMs, signal)
    }
    // Each look at the clock takes longer than a slice.
    stage.clock.monotonicMs = () => {
      stage.clock.timeMs += 11
      return stage.clock.timeMs
    }
    await stage.at(MINUTE_MS)
    assert.ok(yields >= 128, `${yields}`)
  })

  it('error: what is no damage ends a round, not the patrol; a bug ends it', async () => {
    const stage = open()
    stage.drop(300, 0)
    stage.archive.broken.set(300, 'STORE_DISK_FULL')
    const running = stage.patrol.start()
    await settle()
    assert.deepEqual(stage.takeAsked(), [])
    stage.archive.broken.clear()
    const asked = new Promise<void>((resolve) => {
      stage.beforePull = () => resolve()
    })
    await asked
    assert.deepEqual(stage.takeAsked(), wanted(300, 0))
    stage.beforePull = () => {
      throw new TypeError('injected')
    }
    const ended = assert.rejects(running, TypeError)
    stage.drop(301, 0)
    stage.patrol.note(301)
    await ended
    await stage.patrol.stop()
  })
})
