import assert from 'node:assert/strict'
import { ArchiveError, type ChunkStore, type Slot, type Spool } from '../../../core/index.ts'
import type { HoleFiller } from '../../../storage-worker/bootstrap/hole-filler.ts'
import type { LevelChunkStore } from '../../../storage-worker/index.ts'
import {
  type ArchiverHolder,
  describeArchive,
  giveFinal,
  holdArchiver,
  listSpooled,
  offerChain,
} from '../../archiver/archiver-holder.ts'
import { override } from '../../archiver/failing-store.ts'
import { chainOf, NETWORK } from '../../archiver/made-chain.ts'
import { settle, until } from '../../turns.ts'
import { archivedOf, type HeldFiller, makeHoleFiller, openStore } from './made-archive.ts'

const LAST = 30
const LOST = { from: 10, to: 12 }
/** Silent below what is lost, in it and above it. */
const SILENT = Array.from({ length: 12 }, (_, i) => ({ period: 4 + i, thread: 7 }))
/** Nothing proves a miss before it, and none behind it until that thread has a block again. */
const HOLE = { from: 9, to: 14 }

describe('storage-worker/bootstrap: holes behind the head are filled with whole periods of other sidecars', () => {
  const chain = chainOf('hole filler', LAST, { missRate: 0.1, missedSlots: SILENT })
  const offers = offerChain(chain)
  const isLost = ({ slot }: { slot: Slot }) => slot.period >= LOST.from && slot.period <= LOST.to && slot.thread !== 3
  let whole: LevelChunkStore
  let wholeArchive: Map<number, string>

  before(async () => {
    whole = await openStore(Array.from({ length: LAST + 1 }, (_, period) => archivedOf(chain, period)))
    wholeArchive = await describeArchive(whole)
  })

  async function holdWithHole(change: (store: ChunkStore) => ChunkStore = (store) => store): Promise<ArchiverHolder> {
    const wrap = ({ store, spool }: { store: ChunkStore; spool: Spool }) => ({ store: change(store), spool })
    const holder = await holdArchiver({ network: NETWORK, wrap })
    await give(holder, 1, 20)
    await until(() => holder.archivedPeriods.includes(18))
    await settle()
    assert.deepEqual(holder.archiver.status().holes, [HOLE])
    return holder
  }

  async function give(holder: ArchiverHolder, from: number, to: number): Promise<void> {
    const given = offers.filter((offer) => offer.slot.period >= from && offer.slot.period <= to && !isLost(offer))
    await giveFinal(holder, given)
  }

  function fillerOf(holder: ArchiverHolder): HeldFiller {
    const held = makeHoleFiller(holder, { endPeriod: LAST + 1 })
    held.peers.stores.set('a', whole)
    return held
  }

  /** What is decided by those that were fetched the archiver archives by itself. */
  async function assertFilled(holder: ArchiverHolder, filler: HoleFiller): Promise<void> {
    assert.ok((await filler.look()) > 0)
    await until(() => holder.archiver.status().holes.length === 0, 'the filling')
  }

  async function assertWhole(holder: ArchiverHolder): Promise<void> {
    assert.deepEqual(holder.archiver.status().holes, [])
    assert.deepEqual(holder.archiver.status().gaps, [])
    assert.deepEqual(holder.archiver.listWanted(), [])
    await give(holder, 21, LAST)
    await until(() => holder.archivedPeriods.includes(LAST - 2), 'the head')
    await settle()
    assert.ok((await listSpooled(holder.spool)).every(({ slot }) => slot.period > HOLE.to))
    await holder.restart()
    assert.deepEqual(holder.archiver.status().holes, [])
    assert.deepEqual(holder.archiver.status().gaps, [])
    assert.deepEqual(holder.archiver.listWanted(), [])
    await holder.archiver.stop()
    const archived = await describeArchive(holder.store)
    assert.deepEqual(
      [...archived],
      [...wholeArchive].filter(([period]) => archived.has(period)),
    )
  }

  it('once nothing else has filled them for a minute; the archiver goes on from there', async () => {
    const holder = await holdWithHole()
    const { peers, clock, offences, filler } = fillerOf(holder)
    assert.equal(await filler.look(), 0)
    clock.advance(59_999)
    assert.equal(await filler.look(), 0)
    assert.deepEqual(peers.asked, [])
    clock.advance(1)
    await assertFilled(holder, filler)
    assert.deepEqual(offences, [])
    await assertWhole(holder)
  })

  it('with what was seen of their executions', async () => {
    const holder = await holdArchiver({ network: NETWORK })
    await give(holder, 1, 9)
    const slot = { period: 11, thread: 9 }
    const execution = { source: 'stream', complete: true, trailHash: 'trail', outcomes: [], events: [] } as const
    await holder.archiver.onExecution(slot, execution)
    await give(holder, 10, 20)
    await until(() => holder.archivedPeriods.includes(18))
    const before = await holder.archiver.attest(11)
    assert.ok(before.length > 1)
    const { clock, filler } = fillerOf(holder)
    await filler.look()
    clock.advance(60_000)
    await assertFilled(holder, filler)
    assert.deepEqual(await holder.store.readExecutionResults(11), before)
    assert.equal((await holder.spool.readExecutions(11)).size, 0)
    await assertWhole(holder)
  })

  it('a period of the middle that is there splits them, and what is above and below is filled all the same', async () => {
    const holder = await holdWithHole()
    await holder.store.writePeriod(archivedOf(chain, 11))
    await holder.archiver.onFilled(11)
    assert.deepEqual(holder.archiver.status().holes, [
      { from: 9, to: 10 },
      { from: 12, to: 14 },
    ])
    const byId = new Map(offers.map((offer) => [offer.id as string, offer]))
    // Block by block, as gaps are filled.
    for (let taken = 1; taken > 0; ) {
      taken = 0
      for (const { missing } of holder.archiver.status().gaps) {
        const offer = byId.get(missing)
        if (offer && (await holder.archiver.takePeerBlock(offer.id, offer.filledBlock)) === 'spooled') taken++
      }
    }
    await until(() => holder.archiver.status().holes.length === 0, 'the filling')
    await settle()
    await assertWhole(holder)
  })

  it('with what peers have where a chunk above them is damaged', async () => {
    const holder = await holdWithHole((store) =>
      override(store, {
        readChunk: async (period, index) => {
          if (period === HOLE.to + 1) throw new ArchiveError('STORE_VALUE_CORRUPT', 'injected')
          return store.readChunk(period, index)
        },
      }),
    )
    const { clock, filler } = fillerOf(holder)
    await filler.look()
    clock.advance(60_000)
    await assertFilled(holder, filler)
    assert.deepEqual(holder.archiver.status().holes, [])
    await holder.archiver.stop()
  })

  it('error: one that cannot be filled now is told of, and tried again after a minute', async () => {
    let isFailing = true
    const holder = await holdWithHole((store) =>
      override(store, {
        readManifest: async (period) => {
          if (isFailing && period === HOLE.to + 1) throw new ArchiveError('STORE_READ_FAILED', 'injected')
          return store.readManifest(period)
        },
      }),
    )
    const { clock, filler, logged } = fillerOf(holder)
    await filler.look()
    clock.advance(60_000)
    assert.equal(await filler.look(), 0)
    clock.advance(59_999)
    await filler.look()
    const failures = () =>
      logged.filter(({ code }) => code === 'STORE_READ_FAILED').map(({ firstPeriod }) => firstPeriod)
    assert.deepEqual(failures(), [HOLE.from])
    isFailing = false
    clock.advance(1)
    await assertFilled(holder, filler)
    await assertWhole(holder)
  })

  it('not without room to spare, which is told once', async () => {
    const holder = await holdWithHole()
    const { peers, clock, filler, logged, room } = fillerOf(holder)
    room.isThere = false
    await filler.look()
    clock.advance(60_000)
    for (let look = 0; look < 3; look++) assert.equal(await filler.look(), 0)
    assert.deepEqual(peers.asked, [])
    assert.deepEqual(
      logged.map(({ msg }) => msg),
      ['no room for periods that lack behind the head'],
    )
    room.isThere = true
    await assertFilled(holder, filler)
    await assertWhole(holder)
  })

  it('hostile peer: what does not link to what is archived is not written, and another peer fills the hole', async () => {
    const holder = await holdWithHole()
    const { peers, clock, filler } = fillerOf(holder)
    const other = chainOf('another chain', LAST, { missRate: 0.1 })
    const forged = await openStore(Array.from({ length: LAST + 1 }, (_, period) => archivedOf(other, period)))
    peers.stores.clear()
    peers.stores.set('evil', forged)
    await filler.look()
    clock.advance(60_000)
    assert.equal(await filler.look(), 0)
    assert.deepEqual(holder.archiver.status().holes, [HOLE])
    peers.stores.set('honest', whole)
    await assertFilled(holder, filler)
    await assertWhole(holder)
  })
})
