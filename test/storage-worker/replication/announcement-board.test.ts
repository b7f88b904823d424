import assert from 'node:assert/strict'
import { ArchiveError, HASH_SLOTS, type Period } from '../../../core/index.ts'
import {
  announcementCodec,
  type ChunkAnnouncement,
  computeRootsHash,
  type GossipHandler,
  MAX_ANNOUNCED_PERIODS,
  MAX_PERIODS_AHEAD,
} from '../../../protocol-handler/index.ts'
import { AnnouncementBoard } from '../../../storage-worker/replication/announcement-board.ts'
import { OwnHoldings } from '../../../storage-worker/replication/own-holdings.ts'
import { createLogger } from '../../../telemetry/index.ts'
import { StillClock } from '../../clocks.ts'
import { settle } from '../../turns.ts'
import { MadeArchive, rootOf } from './made-archive.ts'

const PERIOD_MS = 16_000
const idOf = (name: string) => new TextEncoder().encode(name)

/** A node whose PeerId is its name; its archive has the roots of the one that is compared with, unless another is named. */
function announce(
  lastPeriod: Period,
  changes: Partial<ChunkAnnouncement> & { readonly roots?: string } = {},
): Uint8Array {
  const { roots = 'root', periodCount = 1, ...rest } = changes
  const firstPeriod = lastPeriod - periodCount + 1
  const list = Array.from({ length: periodCount }, (_, i) => rootOf(firstPeriod + i, roots))
  const rootsHash = computeRootsHash(firstPeriod, list)
  return announcementCodec.encode({ firstPeriod, periodCount, chunkCount: 1, rootsHash, incompleteSlots: [], ...rest })
}

class Stage {
  readonly clock = new StillClock()
  readonly archive = new MadeArchive().fill(0, 100)
  readonly nodes = new Set(['a', 'b'])
  readonly taken: [string, ChunkAnnouncement][] = []
  readonly distrusted: [string, boolean][] = []
  readonly announced: [Period, Period][] = []
  readonly excess: string[] = []
  readonly results: string[] = []
  readonly lines: Record<string, unknown>[] = []
  newest: Period | undefined = 100
  handler: GossipHandler = () => assert.fail('nobody listens')
  readonly board = new AnnouncementBoard({
    network: {
      onGossip: (name, handler) => {
        assert.equal(name, 'announce')
        this.handler = handler
      },
    },
    store: this.archive,
    holdings: new OwnHoldings(this.archive, this.clock),
    claims: {
      takeAnnouncement: (address, announcement) => this.taken.push([address, announcement]),
      distrust: (address, isDistrusted) => this.distrusted.push([address, isDistrusted]),
    },
    ports: {
      addressOf: (peerId) => {
        const name = new TextDecoder().decode(peerId)
        return name.startsWith('unbound') ? undefined : name
      },
      isNode: (address) => this.nodes.has(address),
      countNodes: () => this.nodes.size,
      newestPeriod: () => this.newest,
      onAnnounced: (firstPeriod, lastPeriod) => this.announced.push([firstPeriod, lastPeriod]),
      onExcess: (peerId) => this.excess.push(new TextDecoder().decode(peerId)),
    },
    clock: this.clock,
    log: createLogger({
      level: 'info',
      format: 'json',
      destination: { write: (text) => this.lines.push(JSON.parse(text)) },
    }),
    onResult: (result) => this.results.push(result),
  })

  take(name: string, bytes: Uint8Array, isDirect = true): void {
    this.board.take(bytes, idOf(name), isDirect)
  }

  /** The same a period later. */
  takeNext(name: string, bytes: Uint8Array): void {
    this.clock.advance(PERIOD_MS)
    this.take(name, bytes)
  }

  said(): unknown[] {
    return this.lines.splice(0).map(({ msg, address, code }) => [msg, address, code])
  }
}

describe('storage-worker/replication/announcement-board', () => {
  it('takes what nodes of the placement announce, and passes on what lacks', () => {
    const stage = new Stage()
    stage.take('a', announce(100, { incompleteSlots: [4, 9] }))
    stage.take('b', announce(100, { periodCount: 32 }))
    assert.deepEqual(
      stage.taken.map(([address, { firstPeriod, incompleteSlots }]) => [address, firstPeriod, incompleteSlots]),
      [
        ['a', 100, [4, 9]],
        ['b', 69, []],
      ],
    )
    assert.deepEqual(stage.results, ['taken', 'taken'])
    assert.deepEqual(stage.announced, [
      [100, 100],
      [69, 100],
    ])
  })

  it('stranger: what is announced by who did not introduce himself, or is no node of the placement, is ignored', () => {
    const stage = new Stage()
    for (const name of ['unbound', 'c']) {
      assert.throws(() => stage.take(name, announce(100)), { code: 'PROTOCOL_SENDER_UNKNOWN' })
    }
    assert.deepEqual([stage.taken, stage.results], [[], ['ignored', 'ignored']])
  })

  it('limit: future period: eight past the newest final one are taken, nine are not; none while none is known', () => {
    const stage = new Stage()
    stage.take('a', announce(100 + MAX_PERIODS_AHEAD))
    assert.throws(() => stage.take('b', announce(101 + MAX_PERIODS_AHEAD)), { code: 'PROTOCOL_PERIOD_FUTURE' })
    assert.throws(() => stage.take('b', announce(Number.MAX_SAFE_INTEGER)), { code: 'PROTOCOL_PERIOD_FUTURE' })
    stage.newest = undefined
    stage.clock.advance(PERIOD_MS)
    assert.throws(() => stage.take('b', announce(1)), { code: 'PROTOCOL_PERIOD_FUTURE' })
    assert.deepEqual(stage.results, ['taken', 'ignored', 'ignored', 'ignored'])
  })

  it('replay: the same or an older period of a node is ignored', () => {
    const stage = new Stage()
    stage.take('a', announce(90))
    for (const last of [90, 89]) {
      assert.throws(() => stage.take('a', announce(last)), { code: 'PROTOCOL_SEQUENCE_OLD' })
    }
    stage.take('b', announce(89))
    stage.takeNext('a', announce(91))
    assert.equal(stage.taken.length, 3)
  })

  it('limit: huge announcement: every hash slot incomplete in 1,024 periods is taken, what is longer refused', () => {
    const stage = new Stage()
    stage.newest = 5_000
    const incompleteSlots = Array.from({ length: HASH_SLOTS }, (_, slot) => slot)
    const largest = announce(5_000, { periodCount: MAX_ANNOUNCED_PERIODS, incompleteSlots })
    stage.take('a', largest)
    for (const bytes of [Uint8Array.of(...largest, 0), new Uint8Array(1_000_000), largest.subarray(1)]) {
      assert.throws(() => stage.takeNext('b', bytes), { code: /^PROTOCOL_(MESSAGE_INVALID|VERSION_UNKNOWN)$/ })
    }
    assert.deepEqual(stage.taken.length, 1)
    assert.equal(stage.results[1], 'rejected')
  })

  it('adversary: old announcements that a stranger hands on cost their author nothing, nor do new ones that he held back', () => {
    const stage = new Stage()
    stage.newest = 1_000
    stage.take('a', announce(500))
    for (let period = 0; period <= 500; period++) {
      assert.throws(() => stage.take('a', announce(period), false), { code: 'PROTOCOL_SEQUENCE_OLD' })
    }
    stage.take('a', announce(501))
    stage.take('a', announce(502))
    for (let period = 503; period < 600; period++) {
      assert.throws(() => stage.take('a', announce(period), false), { code: 'PROTOCOL_PEER_LIMIT' })
    }
    assert.deepEqual(stage.excess, [])
  })

  it('limit: flood: three of a node at once, then one for each of its turns; more cost it, and nothing is decoded', () => {
    const stage = new Stage()
    stage.newest = 1_000
    let last = 100
    const flood = (count: number) => {
      let taken = 0
      for (let i = 0; i < count; i++) {
        try {
          stage.take('a', announce(++last))
          taken++
        } catch (error) {
          assert.ok(error instanceof ArchiveError && error.code === 'PROTOCOL_PEER_LIMIT')
        }
      }
      return taken
    }
    assert.equal(flood(10), 3)
    stage.clock.advance(PERIOD_MS)
    assert.equal(flood(10), 1)
    assert.throws(() => stage.take('a', Uint8Array.of(9)), { code: 'PROTOCOL_PEER_LIMIT' })
    assert.deepEqual(stage.excess, [])
    flood(16)
    assert.deepEqual(stage.excess, ['a'])
    flood(32)
    assert.deepEqual(stage.excess, ['a', 'a'])
    stage.take('b', announce(101))
    for (let i = 0; i < 1_015; i++) stage.nodes.add(`node ${i}`)
    stage.clock.advance(PERIOD_MS)
    assert.equal(flood(10), 3)
    stage.clock.advance(PERIOD_MS * 64 - 1)
    assert.equal(flood(10), 0)
    stage.clock.advance(1)
    assert.equal(flood(10), 1)
  })

  it('another archive: other roots are told once, and nothing of that node counts until it has ours', async () => {
    const stage = new Stage()
    stage.take('a', announce(99, { roots: 'other', periodCount: 3 }))
    stage.take('b', announce(99, { periodCount: 3 }))
    await stage.board.look()
    stage.takeNext('a', announce(100, { roots: 'other' }))
    await stage.board.look()
    assert.deepEqual(stage.distrusted, [['a', true]])
    assert.deepEqual(stage.board.listDiffering(), ['a'])
    assert.deepEqual(stage.said(), [['node announces other roots than this archive has', 'a', 'PROTOCOL_ROOTS_DIFFER']])
    stage.archive.fill(101, 101)
    stage.takeNext('a', announce(101))
    await stage.board.look()
    assert.deepEqual(stage.distrusted.slice(1), [['a', false]])
    assert.deepEqual(stage.board.listDiffering(), [])
    assert.deepEqual(stage.said(), [['node announces the roots of this archive again', 'a', undefined]])
  })

  it('compares once our archive has come as far, and never what it does not have', async () => {
    const stage = new Stage()
    stage.take('a', announce(102, { roots: 'other', periodCount: 2 }))
    await stage.board.look()
    stage.takeNext('a', announce(103, { roots: 'other' }))
    await stage.board.look()
    assert.deepEqual(stage.distrusted, [])
    stage.archive.fill(101, 102)
    stage.clock.advance(1_000)
    await stage.board.look()
    assert.deepEqual(stage.distrusted, [['a', true]])
    const gone = new Stage()
    gone.archive.periods.delete(50)
    for (let period = 0; period < 10; period++) gone.archive.periods.delete(period)
    gone.take('a', announce(51, { roots: 'other', periodCount: 2 }))
    gone.take('b', announce(10, { roots: 'other', periodCount: 2 }))
    await gone.board.look()
    assert.deepEqual(gone.distrusted, [])
    gone.takeNext('a', announce(52, { roots: 'other' }))
    await gone.board.look()
    assert.deepEqual(gone.distrusted, [['a', true]])
  })

  it('forgets who has left the placement', async () => {
    const stage = new Stage()
    stage.take('a', announce(99, { roots: 'other' }))
    await stage.board.look()
    stage.nodes.delete('a')
    await stage.board.look()
    assert.deepEqual(stage.board.listDiffering(), [])
  })

  it('listens and compares until it is stopped; goes on when the disk fails', async () => {
    const stage = new Stage()
    const running = stage.board.start()
    stage.handler(announce(100, { roots: 'other' }), idOf('a'), true)
    stage.archive.beforeRead = () => {
      throw new ArchiveError('STORE_READ_FAILED', 'injected')
    }
    stage.clock.advance(2_000)
    await settle()
    assert.deepEqual(stage.said(), [['announcements not compared', undefined, undefined]])
    stage.archive.beforeRead = () => undefined
    stage.clock.advance(PERIOD_MS)
    stage.handler(announce(101, { roots: 'other' }), idOf('a'), true)
    stage.archive.fill(101, 101)
    stage.clock.advance(2_000)
    await settle()
    assert.deepEqual(stage.distrusted, [['a', true]])
    await stage.board.stop()
    await running
  })
})
