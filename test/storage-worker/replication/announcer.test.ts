import assert from 'node:assert/strict'
import { ArchiveError } from '../../../core/index.ts'
import { announcementCodec, computeRootsHash, MAX_ANNOUNCED_PERIODS } from '../../../protocol-handler/index.ts'
import { Announcer, computeAnnouncedPeriods, type OwnPlace } from '../../../storage-worker/replication/announcer.ts'
import { OwnHoldings } from '../../../storage-worker/replication/own-holdings.ts'
import { StillClock } from '../../clocks.ts'
import { settle } from '../../turns.ts'
import { MadeArchive, rootOf } from './made-archive.ts'

const PERIOD_MS = 16_000

class Stage {
  readonly clock = new StillClock()
  readonly archive: MadeArchive
  readonly sent: Uint8Array[] = []
  readonly failures: unknown[] = []
  place: OwnPlace | undefined
  listeners: readonly string[] = ['a']
  failure: unknown
  readonly announcer: Announcer

  constructor(place: OwnPlace | undefined, archive = new MadeArchive()) {
    this.place = place
    this.archive = archive
    this.announcer = new Announcer({
      store: archive,
      holdings: new OwnHoldings(archive, this.clock),
      network: {
        publish: async (name, bytes) => {
          assert.equal(name, 'announce')
          if (this.failure !== undefined) throw this.failure
          this.sent.push(bytes)
        },
        subscribersOf: () => this.listeners,
      },
      ownPlace: () => this.place,
      clock: this.clock,
      onAnnounced: () => undefined,
      onFailure: (error) => this.failures.push(error),
    })
  }

  /** A period is archived, and its time passes. */
  async next(period: number, elapsedMs = PERIOD_MS): Promise<void> {
    this.archive.fill(period, period)
    this.clock.advance(elapsedMs)
    await this.announcer.look()
  }

  take(): readonly (readonly [number, number])[] {
    return this.sent
      .splice(0)
      .map((bytes) => announcementCodec.decode(bytes))
      .map(({ firstPeriod, periodCount }) => [firstPeriod, firstPeriod + periodCount - 1])
  }
}

describe('storage-worker/replication/announcer', () => {
  it('limit: tells of one period more for every 16 nodes, of 1,024 at most', () => {
    const periods = [0, 1, 5, 16, 17, 1_000, 16_384, 16_385].map(computeAnnouncedPeriods)
    assert.deepEqual(periods, [1, 1, 1, 1, 2, 63, MAX_ANNOUNCED_PERIODS, MAX_ANNOUNCED_PERIODS])
  })

  it('says what lacks of its hash slots, how many chunks it holds, and the hash of the roots', async () => {
    const archive = new MadeArchive().fill(0, 9, (period) => [period, 100 + period])
    const stage = new Stage({ nodes: 32, position: 0, slots: [8, 9, 107, 300] }, archive)
    archive.drop(7, 1)
    archive.drop(8, 0)
    archive.drop(8, 1)
    await stage.announcer.look()
    const [bytes = new Uint8Array()] = stage.sent
    assert.deepEqual(announcementCodec.decode(bytes), {
      firstPeriod: 7,
      periodCount: 2,
      chunkCount: 1,
      rootsHash: computeRootsHash(7, [rootOf(7), rootOf(8)]),
      incompleteSlots: [8, 107],
    })
    assert.equal(stage.announcer.announcedTo, 8)
  })

  it('speaks once in so many periods, each node in its own, and leaves none out', async () => {
    const said: (readonly [number, number])[][] = []
    for (const position of [0, 1, 31, 32]) {
      const stage = new Stage({ nodes: 512, position, slots: [1] }, new MadeArchive().fill(0, 999))
      for (let period = 1_000; period < 1_100; period++) await stage.next(period)
      said.push([...stage.take()])
    }
    assert.deepEqual(said, [
      [
        [961, 992],
        [993, 1_024],
        [1_025, 1_056],
        [1_057, 1_088],
      ],
      [
        [962, 993],
        [994, 1_025],
        [1_026, 1_057],
        [1_058, 1_089],
      ],
      [
        [960, 991],
        [992, 1_023],
        [1_024, 1_055],
        [1_056, 1_087],
      ],
      [
        [961, 992],
        [993, 1_024],
        [1_025, 1_056],
        [1_057, 1_088],
      ],
    ])
  })

  it('limit: 1,008 nodes send one message a second, and five send one in 16 s each', async () => {
    for (const [nodes, perPeriod] of [
      [1_008, 16],
      [5, 5],
    ] as const) {
      const stage = new Stage({ nodes, position: 3, slots: [1] }, new MadeArchive().fill(0, 999))
      for (let period = 1_000; period < 1_315; period++) await stage.next(period)
      assert.equal((stage.sent.length * nodes) / 315, perPeriod)
    }
  })

  it('where periods pass faster than the clock, it speaks no more often, and of all since it spoke', async () => {
    const stage = new Stage({ nodes: 5, position: 3, slots: [1] }, new MadeArchive().fill(0, 99))
    for (let period = 100; period < 150; period++) await stage.next(period, 1_000)
    assert.deepEqual(stage.take(), [
      [100, 100],
      [101, 116],
      [117, 132],
      [133, 148],
    ])
    const many = new Stage({ nodes: 40, position: 3, slots: [1] }, new MadeArchive().fill(0, 99))
    for (let period = 100; period < 170; period++) await many.next(period, 2_000)
    assert.deepEqual(many.take(), [
      [97, 99],
      [100, 123],
      [124, 147],
    ])
  })

  it('limit: tells of 1,024 periods at once, and of the last ones alone behind a gap', async () => {
    const stage = new Stage({ nodes: 5, position: 0, slots: [1] }, new MadeArchive().fill(0, 99))
    await stage.announcer.look()
    const behindGap = 101 + MAX_ANNOUNCED_PERIODS
    await stage.next(behindGap)
    for (const periods of [MAX_ANNOUNCED_PERIODS, MAX_ANNOUNCED_PERIODS + 1]) {
      const from = (stage.announcer.announcedTo ?? 0) + 1
      stage.archive.fill(from, from + periods - 1)
      await stage.next(from + periods - 1)
    }
    const whole = behindGap + MAX_ANNOUNCED_PERIODS
    assert.deepEqual(stage.take(), [
      [99, 99],
      [behindGap, behindGap],
      [behindGap + 1, whole],
      [whole + 2, whole + MAX_ANNOUNCED_PERIODS + 1],
    ])
  })

  it('is silent without hash slots, without listeners, with nothing archived, and where a period is not there', async () => {
    const place = { nodes: 32, position: 1, slots: [1] }
    for (const [change, isSilent] of [
      [(_: Stage) => undefined, false],
      [(stage: Stage) => (stage.place = undefined), true],
      [(stage: Stage) => (stage.place = { ...place, slots: [] }), true],
      [(stage: Stage) => (stage.listeners = []), true],
      [(stage: Stage) => stage.archive.periods.clear(), true],
      [(stage: Stage) => stage.archive.periods.delete(8), true],
      [(stage: Stage) => stage.archive.periods.delete(7), false],
    ] as const) {
      const stage = new Stage(place, new MadeArchive().fill(0, 9))
      change(stage)
      await stage.announcer.look()
      assert.equal(stage.sent.length, isSilent ? 0 : 1, String(change))
    }
  })

  it('says nothing twice, and what could not be said the next time', async () => {
    const stage = new Stage({ nodes: 5, position: 0, slots: [1] }, new MadeArchive().fill(0, 9))
    stage.failure = new ArchiveError('STORE_READ_FAILED', 'injected')
    await assert.rejects(stage.announcer.look(), { code: 'STORE_READ_FAILED' })
    stage.failure = undefined
    await stage.announcer.look()
    stage.clock.advance(60_000)
    await stage.announcer.look()
    assert.deepEqual(stage.take(), [[9, 9]])
  })

  it('goes on when the disk fails, until it is stopped; a bug ends it', async () => {
    const stage = new Stage({ nodes: 5, position: 0, slots: [1] }, new MadeArchive().fill(0, 9))
    stage.failure = new ArchiveError('STORE_READ_FAILED', 'injected')
    const running = stage.announcer.start()
    await settle()
    assert.equal(stage.failures.length, 1)
    stage.failure = undefined
    stage.clock.advance(1_000)
    await settle()
    assert.deepEqual(stage.take(), [[9, 9]])
    await stage.announcer.stop()
    await running
    const broken = new Stage({ nodes: 5, position: 0, slots: [1] }, new MadeArchive().fill(0, 9))
    broken.failure = new TypeError('a bug')
    await assert.rejects(broken.announcer.start(), { message: 'a bug' })
  })
})
