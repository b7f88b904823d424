import assert from 'node:assert/strict'
import { MAX_SPOOLED_BLOCKS, SpoolRoom } from '../../archiver/spool-room.ts'
import { ArchiveError, type ChunkStore, type Spool, type SpoolLevel } from '../../core/index.ts'
import { type MadeBlock, makeChain, signBlock } from '../../devnet/index.ts'
import { LevelSpool } from '../../storage-worker/index.ts'
import { createLogger } from '../../telemetry/index.ts'
import { openMemoryLevel } from '../storage-worker/temp-store.ts'
import { hasCode } from '../suites/chunk-store-suite.ts'
import { settle, until } from '../turns.ts'
import {
  type ArchiverHolder,
  describeArchive,
  giveFinal,
  holdArchiver,
  listSpooled,
  offerChain,
  offerMadeBlock,
  reportFinal,
} from './archiver-holder.ts'

const NETWORK = { chainId: 77n, genesisTimestampMs: 1_000_000n }
const SLOT = { period: 7, thread: 3 }

describe('archiver/spool-room', () => {
  async function makeRoom(maxBlocks?: number) {
    const asked: [number, SpoolLevel][] = []
    let fullAt = Number.POSITIVE_INFINITY
    const spool = new LevelSpool(await openMemoryLevel('index'))
    spool.checkRoom = async (heldBytes, level) => {
      asked.push([heldBytes, level])
      if (heldBytes >= fullAt) throw new ArchiveError('STORE_SPOOL_FULL', 'no bytes')
    }
    const logged: string[] = []
    const log = createLogger({
      level: 'info',
      format: 'json',
      destination: { write: (line) => logged.push((JSON.parse(line) as { msg: string }).msg) },
    }).child({ module: 'archiver' })
    const room = new SpoolRoom(maxBlocks === undefined ? {} : { maxBlocks }, { spool, log })
    const take = (isUrgent = false, sizeBytes = 1) => room.take({ slot: SLOT, sizeBytes, blocks: 1, isUrgent })
    const setFull = (bytes: number): void => {
      fullAt = bytes
    }
    return { room, take, logged, asked, spool, setFull }
  }

  it('limit: takes so many blocks, a tenth more that are urgent, and no more', async () => {
    const { room, take } = await makeRoom(20)
    for (let i = 0; i < 20; i++) assert.equal(await take(), true)
    assert.ok(!room.full)
    assert.equal(await take(), false)
    hasCode('STORE_SPOOL_FULL')(room.full)
    for (let i = 0; i < 2; i++) assert.equal(await take(true), true)
    assert.equal(await take(true), false)
    assert.equal(MAX_SPOOLED_BLOCKS, 65_536)
  })

  it('takes again when an eighth is free, and says each once', async () => {
    const { room, take, logged } = await makeRoom(16)
    for (let i = 0; i < 19; i++) await take()
    room.release(1, 1)
    await room.ease()
    assert.equal(await take(), false)
    room.release(1, 1)
    await room.ease()
    assert.equal(room.full, undefined)
    assert.equal(await take(), true)
    assert.deepEqual(logged, ['spool full', 'spool has room again'])
  })

  it('asks the disk with what would be held, and gives back what was refused', async () => {
    const { room, take, asked, setFull } = await makeRoom()
    setFull(100)
    room.hold(SLOT, 50, 1)
    assert.equal(await take(false, 49), true)
    assert.equal(await take(false, 1), false)
    assert.equal(await take(true, 1), false)
    await room.ease()
    assert.deepEqual(asked, [
      [99, 'ordinary'],
      [100, 'ordinary'],
      [100, 'urgent'],
      [99, 'again'],
    ])
    assert.equal(room.full, undefined)
  })

  it('is beyond a slot only when full, past the highest one held', async () => {
    const { room, take, setFull } = await makeRoom()
    const next = { period: 7, thread: 4 }
    await take()
    assert.equal(room.isBeyond(next), false)
    setFull(0)
    await take()
    assert.equal(room.isBeyond(next), true)
    assert.equal(room.isBeyond(SLOT), false)
  })

  it('error: what is wrong with the disk passes, and is not held', async () => {
    const { room, take, spool, asked } = await makeRoom()
    const { checkRoom } = spool
    spool.checkRoom = () => Promise.reject(new ArchiveError('STORE_READ_FAILED', 'injected'))
    await assert.rejects(take(), hasCode('STORE_READ_FAILED'))
    assert.equal(room.full, undefined)
    spool.checkRoom = checkRoom
    await take(false, 3)
    assert.deepEqual(asked, [[3, 'ordinary']])
  })
})

describe('archiver: a spool that fills up', () => {
  const chain = makeChain({ seed: 'spool-room', ...NETWORK, periods: 12, endorsements: 0 })
  const offers = offerChain(chain)
  const offersOf = (from: number, to: number) => offers.filter(({ slot }) => slot.period >= from && slot.period <= to)

  /** Its store takes nothing while it is closed. */
  async function holdFilling() {
    const store = { isClosed: false, lastPeriod: Number.POSITIVE_INFINITY }
    const holder = await holdArchiver({
      network: NETWORK,
      maxSpooledBlocks: 160,
      wrap: ({ store: open, spool }): { store: ChunkStore; spool: Spool } => ({
        store: Object.assign(Object.create(open) as ChunkStore, {
          writePeriod: async (period: Parameters<ChunkStore['writePeriod']>[0]) => {
            const isClosed = store.isClosed || period.summary.period > store.lastPeriod
            if (isClosed) throw new ArchiveError('STORE_QUOTA_FULL', 'injected')
            await open.writePeriod(period)
          },
        }),
        spool,
      }),
    })
    return { holder, store }
  }

  /** As a node that forgets nothing is polled: what is not known and worth asking for is given. */
  async function poll(holder: ArchiverHolder): Promise<void> {
    const due = offers.filter(({ id }) => holder.archiver.isWorthAsking(0, id))
    for (const { filledBlock, id } of due) await holder.archiver.takeBlock(0, filledBlock, id)
    await holder.archiver.onClaims(
      0,
      offers.map(({ slot, id }) => ({ slot, id })),
    )
  }

  it('keeps what is nearest to the archive, says so, and archives all of it and the rest when it may', async () => {
    const { holder, store } = await holdFilling()
    const { archiver } = holder
    store.lastPeriod = 1
    await giveFinal(holder, offersOf(0, 2))
    await until(() => holder.archivedPeriods.includes(1))
    await giveFinal(holder, offersOf(3, 12))
    await settle()
    // Eight periods behind the archive may use what is kept back; with it the bound holds.
    assert.ok(archiver.status().spooledBlocks <= 176, `${archiver.status().spooledBlocks} blocks`)
    assert.equal(archiver.status().spoolFull?.code, 'STORE_SPOOL_FULL')
    assert.equal(holder.logged.filter(({ msg }) => msg === 'spool full').length, 1)
    const spooled = (await listSpooled(holder.spool)).map(({ slot }) => slot.period)
    assert.deepEqual([...new Set(spooled)].slice(0, 5), [2, 3, 4, 5, 6])
    // Nothing is remembered of what was not kept, nor fetched over and over.
    assert.deepEqual(archiver.listWanted(), [])
    assert.equal(archiver.isWorthAsking(0, offers.at(-1)?.id ?? assert.fail()), false)
    await poll(holder)
    assert.ok(archiver.status().spooledBlocks <= 176)

    store.lastPeriod = Number.POSITIVE_INFINITY
    for (let round = 0; round < 20 && !holder.archivedPeriods.includes(12); round++) {
      holder.clock.advance(2_000)
      await settle()
      await poll(holder)
      await settle()
    }
    assert.deepEqual(
      holder.archivedPeriods,
      Array.from({ length: 13 }, (_, period) => period),
    )
    holder.clock.advance(1_000)
    await settle()
    assert.equal(archiver.status().spoolFull, undefined)
    await archiver.stop()
    const plain = await holdArchiver({ network: NETWORK })
    await giveFinal(plain, offers)
    await until(() => plain.archivedPeriods.includes(11))
    await plain.archiver.stop()
    const [ours, theirs] = [await describeArchive(holder.store), await describeArchive(plain.store)]
    for (let period = 0; period < 12; period++) assert.ok(ours.get(period) === theirs.get(period), `period ${period}`)
  })

  it('counts what it finds on disk at a start, and loses none of it', async () => {
    const { holder, store } = await holdFilling()
    await giveFinal(holder, offersOf(0, 2))
    await until(() => holder.archivedPeriods.includes(1))
    store.isClosed = true
    await giveFinal(holder, offersOf(3, 12))
    const before = (await listSpooled(holder.spool)).map(({ id }) => id)
    await holder.restart()
    await giveFinal(holder, offersOf(3, 12))
    const after = (await listSpooled(holder.spool)).map(({ id }) => id)
    assert.ok(after.length <= 176)
    for (const id of before) assert.ok(after.includes(id), id)
    await holder.archiver.stop()
  })

  it('has room for a block that archiving waits for', async () => {
    const { holder, store } = await holdFilling()
    store.isClosed = true
    const missing = chain.blockAt(3, 5) ?? assert.fail()
    await giveFinal(
      holder,
      offers.filter(({ id }) => id !== missing.id),
    )
    const last = offers.at(-1) ?? assert.fail()
    assert.equal(holder.archiver.status().spooledBlocks, 160)
    assert.equal(await holder.archiver.takeBlock(0, last.filledBlock, last.id), 'postponed')
    assert.deepEqual(holder.archiver.listWanted(), [missing.id])
    assert.equal(await holder.archiver.takeBlock(0, offerMadeBlock(missing).filledBlock, missing.id), 'spooled')
    await holder.archiver.stop()
  })

  it('holds no execution results beyond what it holds of blocks', async () => {
    const { holder, store } = await holdFilling()
    await giveFinal(holder, offersOf(0, 2))
    await until(() => holder.archivedPeriods.includes(1))
    store.isClosed = true
    await giveFinal(holder, offersOf(3, 12))
    assert.deepEqual(await holder.archiver.listUnexecuted({ period: 12, thread: 31 }), [])
    await holder.archiver.stop()
  })
})

describe('archiver: blocks of slots that are not due', () => {
  const chain = makeChain({ seed: 'spool-future', ...NETWORK, periods: 1, endorsements: 0 })
  // The clock of the holder stands at period 1,000,000; a minute more is 120 slots.
  const NOW_PERIOD = 1_000_000
  const madeAt = (period: number, thread: number): MadeBlock => {
    const made = chain.blockAt(1, thread) ?? assert.fail()
    return signBlock(made.producer, { ...made.header, slot: { period, thread } }, [])
  }

  it('limit: are spooled a minute ahead, and not a slot further until they are due', async () => {
    const holder = await holdArchiver({ network: NETWORK })
    const last = offerMadeBlock(madeAt(NOW_PERIOD + 3, 24))
    const first = offerMadeBlock(madeAt(NOW_PERIOD + 3, 25))
    const take = ({ filledBlock, id }: typeof first) => holder.archiver.takeBlock(0, filledBlock, id)
    assert.equal(await take(last), 'spooled')
    assert.equal(await take(first), 'postponed')
    assert.deepEqual(
      (await listSpooled(holder.spool)).map(({ id }) => id),
      [last.id],
    )
    assert.equal(holder.archiver.isWorthAsking(0, first.id), false)
    holder.clock.advance(500)
    assert.equal(holder.archiver.isWorthAsking(0, first.id), true)
    assert.equal(await take(first), 'spooled')
    await holder.archiver.stop()
  })

  it('leave the spool at a start', async () => {
    const holder = await holdArchiver({ network: NETWORK })
    const far = madeAt(NOW_PERIOD + 3, 24)
    await holder.archiver.takeBlock(0, offerMadeBlock(far).filledBlock, far.id)
    assert.equal((await listSpooled(holder.spool)).length, 1)
    holder.clock.advance(-600_000)
    await holder.restart()
    assert.equal((await listSpooled(holder.spool)).length, 0)
    assert.equal(holder.archiver.status().spooledBlocks, 0)
    reportFinal(holder, 0, { period: 1, thread: 0 })
    await holder.archiver.stop()
  })
})
