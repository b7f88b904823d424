import assert from 'node:assert/strict'
import { type ArchivedPeriod, ArchiveError, type Period } from '../../../core/index.ts'
import { SESSION_BOUNDS } from '../../../storage-worker/bootstrap/backfill-session.ts'
import type { PeerArchive } from '../../../storage-worker/bootstrap/paced-peers.ts'
import type { LevelChunkStore } from '../../../storage-worker/index.ts'
import { giveFinal, holdArchiver, offerChain } from '../../archiver/archiver-holder.ts'
import { chainOf, NETWORK } from '../../archiver/made-chain.ts'
import { settle, until } from '../../turns.ts'
import { archivedOf, describeBriefly, type Joiner, type JoinerOptions, makeJoiner, openStore } from './made-archive.ts'

const LAST = 20
/** Of the joiner's archive. */
const FIRST = 16
/** Thread 7 is silent for longer than others. */
const SILENT = Array.from({ length: 6 }, (_, i) => ({ period: 6 + i, thread: 7 }))

describe('storage-worker/bootstrap: what came before the archive comes from other sidecars', () => {
  const chain = chainOf('bootstrap', LAST, { missRate: 0.1, operationsPerBlock: 1, missedSlots: SILENT })
  const periods: ArchivedPeriod[] = []
  let whole: LevelChunkStore
  let wholeArchive: Map<Period, string>

  before(async () => {
    for (let period = 0; period <= LAST; period++) periods.push(archivedOf(chain, period))
    whole = await openStore(periods)
    wholeArchive = await describeBriefly(whole)
  })

  async function join(options: Partial<JoinerOptions> & { readonly names?: readonly string[] } = {}): Promise<Joiner> {
    const { names = ['a'], ...rest } = options
    const store = options.store ?? (await openStore(periods.slice(FIRST)))
    return makeJoiner({ peers: new Map(names.map((name) => [name, whole])), ...rest, store })
  }

  async function assertWhole({ store, bootstrap, written }: Joiner): Promise<void> {
    assert.deepEqual(await describeBriefly(store), wholeArchive)
    assert.deepEqual(
      written,
      Array.from({ length: FIRST }, (_, i) => FIRST - 1 - i),
    )
    assert.equal(bootstrap.status()?.state, 'done')
  }

  it('down to the genesis blocks, and the archive is the one of who was there from the beginning', async () => {
    const joiner = await join()
    assert.equal(joiner.bootstrap.status(), undefined)
    assert.equal(await joiner.bootstrap.look(), FIRST)
    await assertWhole(joiner)
    assert.deepEqual(joiner.offences, [])
    const { donePeriods, wantedPeriods, wantedFrom, bodyBytes } = joiner.bootstrap.status() ?? {}
    assert.deepEqual([donePeriods, wantedPeriods, wantedFrom], [LAST + 1, LAST + 1, 0])
    assert.equal(
      bodyBytes,
      periods.slice(0, FIRST).reduce((sum, { summary }) => sum + summary.bodyBytes, 0),
    )
    // Period 0 is computed.
    const asked = joiner.peers.asked.length
    assert.equal(await joiner.bootstrap.look(), 0)
    assert.equal(joiner.peers.asked.length, asked)
    assert.deepEqual(
      joiner.logged.map(({ msg }) => String(msg).split(':')[0]),
      ['bootstrap', 'bootstrap done'],
    )
  })

  it('from several peers evenly, each within its bounds', async () => {
    const limits = { requestsInFlight: 3, requestsPerSecond: 1_000, bytesPerSecond: 1_000_000_000 }
    const joiner = await join({ names: ['a', 'b', 'c'], limits })
    await joiner.bootstrap.look()
    await assertWhole(joiner)
    assert.equal(joiner.peers.mostInFlight, 3)
    const counts = ['a', 'b', 'c'].map((peer) => joiner.peers.countOf(peer, 'chunk'))
    assert.ok(Math.min(...counts) > Math.max(...counts) / 2, counts.join())
  })

  it('limit: one peer is not asked for more requests and bytes a second than it is to be', async () => {
    const bytes = wholeArchive.size * 100_000
    for (const [limits, leastMs] of [
      [{ requestsInFlight: 8, requestsPerSecond: 4, bytesPerSecond: bytes }, (2 * FIRST - 2 - 8) * 250],
      [{ requestsInFlight: 8, requestsPerSecond: 1_000, bytesPerSecond: 30_000 }, 1_000],
    ] as const) {
      const joiner = await join({ limits })
      const startMs = joiner.clock.monotonicMs()
      await joiner.bootstrap.look()
      await assertWhole(joiner)
      assert.ok(joiner.clock.monotonicMs() - startMs >= leastMs, `${joiner.clock.monotonicMs() - startMs} ms`)
    }
  })

  it('as far as retention_periods wants them', async () => {
    for (const [retentionPeriods, first] of [
      [10, 11],
      [LAST + 1, 0],
      [1_000, 0],
      [LAST + 1 - FIRST, FIRST],
    ] as const) {
      const joiner = await join({ retentionPeriods })
      await joiner.bootstrap.look()
      assert.equal((await joiner.store.readRange())?.first, first)
      assert.equal(joiner.bootstrap.status()?.state, 'done')
    }
  })

  it('the lowest that is wanted is proven by a block, where nobody has the periods before it', async () => {
    const younger = await openStore(periods.slice(5))
    const joiner = await join({ retentionPeriods: LAST + 1 - 8, peers: new Map([['a', younger]]) })
    await joiner.bootstrap.look()
    // Thread 7 has no block from 6 to 11: that of 5 says so.
    assert.equal((await joiner.store.readRange())?.first, 8)
    assert.equal(joiner.bootstrap.status()?.state, 'done')
  })

  it('goes on where it was left', async () => {
    for (const left of [FIRST - 1, 9, 1]) {
      const first = await join()
      const broken = await join({
        store: first.store,
        modules: {
          onWritten: async (period) => {
            if (period === left) throw new ArchiveError('STORE_WRITE_FAILED', 'injected')
          },
        },
      })
      await broken.bootstrap.look()
      assert.equal(broken.bootstrap.status()?.waitsFor, 'store')
      assert.equal((await first.store.readRange())?.first, left)
      assert.equal(await first.bootstrap.look(), left)
      assert.deepEqual(await describeBriefly(first.store), wholeArchive)
    }
  })

  it('in sessions that are short, or look less far ahead, just as well', async () => {
    for (const bounds of [
      { ...SESSION_BOUNDS, periods: 1 },
      { ...SESSION_BOUNDS, periodsAhead: 1 },
      { ...SESSION_BOUNDS, bytesAhead: 1 },
      { ...SESSION_BOUNDS, waitingPeriods: 2 },
      { ...SESSION_BOUNDS, waitingBytes: 1 },
    ]) {
      const joiner = await join({ bounds })
      await joiner.bootstrap.look()
      await assertWhole(joiner)
      assert.deepEqual(joiner.offences, [])
    }
  })

  it('limit: no more waits for proof than may: then the block is asked for that keeps it waiting', async () => {
    const unbound = await join()
    await unbound.bootstrap.look()
    assert.equal(unbound.peers.countOf('a', 'block'), 0)
    const bound = await join({ bounds: { ...SESSION_BOUNDS, waitingPeriods: 3 } })
    await bound.bootstrap.look()
    await assertWhole(bound)
    assert.ok(bound.peers.countOf('a', 'block') > 0)
    const refused = await join({ bounds: { ...SESSION_BOUNDS, waitingPeriods: 3 } })
    refused.peers.answer = (_peer, name, honest, request) => {
      if (name !== 'block') return honest(request)
      throw new ArchiveError('PROTOCOL_PEER_UNREACHABLE', 'injected')
    }
    await refused.bootstrap.look()
    assert.equal(refused.bootstrap.status()?.waitsFor, 'peers')
    assert.deepEqual(refused.offences, [])
  })

  it('a peer that lacks a period does not keep those from coming that another has', async () => {
    const upper = await openStore(periods.slice(9))
    const lower = await openStore(periods.slice(0, 12))
    const joiner = await join({
      peers: new Map([
        ['upper', upper],
        ['lower', lower],
      ]),
    })
    await joiner.bootstrap.look()
    await assertWhole(joiner)
    assert.deepEqual(joiner.offences, [])
  })

  it('says when nobody has anything older, as where a network began late, and goes on when somebody has', async () => {
    const waits = async (says: Partial<PeerArchive>, peers = new Map([['a', whole]])) => {
      const joiner = await join({ says, peers })
      await joiner.bootstrap.look()
      assert.equal(joiner.peers.asked.length, 0)
      return joiner.bootstrap.status()?.waitsFor
    }
    assert.equal(await waits({ firstPeriod: FIRST, endPeriod: LAST + 1 }), 'older')
    // A hole is no beginning.
    assert.equal(await waits({ firstPeriod: 0, endPeriod: FIRST - 1 }), 'peers')
    assert.equal(await waits({ firstPeriod: 0, endPeriod: 0 }), 'peers')
    assert.equal(await waits({ firstPeriod: FIRST, endPeriod: LAST + 1 }, new Map()), 'peers')
    const says = { firstPeriod: FIRST, endPeriod: LAST + 1 }
    const joiner = await join({ says })
    await joiner.bootstrap.look()
    assert.deepEqual(
      joiner.logged.map(({ msg, reason }) => [msg, reason]),
      [['bootstrap waits', 'older']],
    )
    says.firstPeriod = 0
    await joiner.bootstrap.look()
    await assertWhole(joiner)
  })

  it('a peer is not asked again for a while for what it lacks, and is then', async () => {
    const joiner = await join({ peers: new Map([['a', await openStore()]]) })
    await joiner.bootstrap.look()
    assert.equal(joiner.bootstrap.status()?.waitsFor, 'peers')
    const asked = joiner.peers.asked.length
    assert.equal(asked, 1)
    for (let i = 0; i < 5; i++) await joiner.bootstrap.look()
    assert.equal(joiner.peers.asked.length, asked)
    joiner.peers.stores.set('a', whole)
    joiner.clock.timeMs += 600_000
    await joiner.bootstrap.look()
    await assertWhole(joiner)
  })

  it('a peer that is busy is asked again a little later, one that is away while others are not', async () => {
    const joiner = await join({ names: ['a', 'away'] })
    joiner.peers.stores.delete('away')
    joiner.peers.stores.set('away', whole)
    let times = 0
    joiner.peers.answer = async (peer, name, honest, request) => {
      if (peer === 'away') throw new ArchiveError('PROTOCOL_PEER_UNREACHABLE', 'injected')
      // Status 2 is busy, whatever was asked.
      return name === 'chunk' && times++ % 3 === 0 ? [Uint8Array.of(1, 2)] : honest(request)
    }
    await joiner.bootstrap.look()
    await assertWhole(joiner)
    assert.deepEqual(joiner.offences, [])
    assert.ok(joiner.peers.countOf('away') <= 8, `${joiner.peers.countOf('away')}`)
  })

  it('waits while nothing is archived, too little is, or there is no room', async () => {
    const empty = await join({ store: await openStore() })
    assert.equal(await empty.bootstrap.look(), 0)
    assert.equal(empty.peers.asked.length, 0)
    const little = await join({ store: await openStore(periods.slice(FIRST, FIRST + 1)) })
    assert.equal(await little.bootstrap.look(), 0)
    assert.equal(little.bootstrap.status()?.waitsFor, 'links')
    await little.store.writePeriod(periods[FIRST + 1] as ArchivedPeriod)
    assert.equal(await little.bootstrap.look(), FIRST)
    const full = await join({ modules: { hasRoom: async () => false } })
    assert.equal(await full.bootstrap.look(), 0)
    assert.equal(full.bootstrap.status()?.waitsFor, 'room')
    assert.equal(full.peers.asked.length, 0)
  })

  it('gives way while the archive is behind its node', async () => {
    const took = async (finalPeriod: Period) => {
      const joiner = await join({ modules: { finalPeriod: () => finalPeriod } })
      const startMs = joiner.clock.monotonicMs()
      await joiner.bootstrap.look()
      await assertWhole(joiner)
      return joiner.clock.monotonicMs() - startMs
    }
    assert.ok((await took(LAST + 4)) < 1_000)
    assert.ok((await took(LAST + 5)) >= FIRST * 1_000)
  })

  it('tells how far it is, and how long it will take', async () => {
    const joiner = await join({
      modules: {
        onWritten: async (period) => {
          joiner.clock.timeMs += 20_000
          if (period !== 8) return
          const status = joiner.bootstrap.status()
          assert.equal(status?.state, 'running')
          assert.deepEqual([status?.peers, status?.firstPeriod], [1, 9])
          assert.equal(status?.periodsPerSecond, 0.05)
          assert.equal(status?.etaMs, 9 * 20_000)
        },
      },
    })
    await joiner.bootstrap.look()
    const told = joiner.logged.filter(({ msg }) => msg === 'bootstrap progress')
    assert.ok(told.length >= 5, `${told.length}`)
    assert.deepEqual(
      Object.keys(told.at(-2) ?? {}).filter((key) => key !== 'time' && key !== 'level' && key !== 'msg'),
      ['periods', 'wantedPeriods', 'bodyBytes', 'periodsPerSecond', 'etaMs'],
    )
  })

  it('ends at a restart of the chain, whose genesis blocks it computes: nothing links what stands before', async () => {
    const restarted = await join({ restartPeriods: [FIRST] })
    assert.equal(await restarted.bootstrap.look(), 0)
    assert.equal(restarted.bootstrap.status()?.waitsFor, 'restart')
  })

  it('stops at once, whatever is under way', async () => {
    const joiner = await join()
    let asked = 0
    joiner.peers.answer = (_peer, _name, honest, request) => {
      return ++asked < 10 ? honest(request) : new Promise(() => undefined)
    }
    const running = joiner.bootstrap.start()
    await until(() => asked >= 10)
    await joiner.bootstrap.stop()
    await running
    const first = (await joiner.store.readRange())?.first ?? 0
    const resumed = await join({ store: joiner.store })
    assert.equal(await resumed.bootstrap.look(), first)
    assert.deepEqual(await describeBriefly(joiner.store), wholeArchive)
  })

  it('an archiver that goes on with the head knows the periods as archived, and so does the next one', async () => {
    const offers = offerChain(chain)
    const from = 8
    const holder = await holdArchiver({ network: NETWORK })
    const give = (low: Period, high: Period) =>
      giveFinal(
        holder,
        offers.filter(({ slot }) => slot.period >= low && slot.period <= high),
      )
    await give(from, 16)
    await until(() => holder.archivedPeriods.includes(14))
    await settle()
    const first = Math.min(...holder.archivedPeriods)
    assert.ok(first > from)
    const joiner = await join({
      store: holder.store as LevelChunkStore,
      modules: {
        onWritten: async (period) => {
          await holder.archiver.onFilled(period)
          if (period === 4) await give(17, 18)
        },
      },
    })
    assert.equal(await joiner.bootstrap.look(), first)
    await until(() => holder.archivedPeriods.includes(16))
    assert.deepEqual(holder.archiver.status().holes, [])
    assert.deepEqual(holder.archiver.status().gaps, [])
    await holder.restart()
    assert.deepEqual(holder.archiver.status().holes, [])
    await give(19, LAST)
    await until(() => holder.archivedPeriods.includes(18))
    assert.deepEqual(holder.archiver.status().holes, [])
    await holder.archiver.stop()
    for (const [period, text] of await describeBriefly(holder.store)) assert.equal(text, wholeArchive.get(period))
    assert.equal((await holder.store.readRange())?.first, 0)
    assert.deepEqual(holder.fatal, [])
  })
})
