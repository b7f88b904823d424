import assert from 'node:assert/strict'
import { type Period, type Slot, slotOfIndex, THREAD_COUNT } from '../../core/index.ts'
import { archivedOf } from '../storage-worker/bootstrap/made-archive.ts'
import { settle, until } from '../turns.ts'
import {
  type ArchiverHolder,
  giveFinal,
  type HolderOptions,
  holdArchiver,
  listSpooled,
  offerChain,
  reportFinal,
} from './archiver-holder.ts'
import { override } from './failing-store.ts'
import { blockAt, chainOf, NETWORK } from './made-chain.ts'

const THREADS = [0, 5, 20]
const LOST = { period: 5, thread: 5 }
/** Between the block that is lost and the next one of its thread. */
const EMPTY = 6
const HOLE = { from: 5, to: 7 }
const HEAD = 12
/** Nothing remembers by then which ids were archived in the hole. */
const FAR = 84

/** Few blocks, so that many periods cost little. */
function isMissed({ period, thread }: Slot): boolean {
  return period === EMPTY || !THREADS.includes(thread) || (period > HEAD && thread !== 0)
}

describe('archiver/archiver: a hole that somebody else closes', () => {
  const slots = Array.from({ length: FAR * THREAD_COUNT }, (_, i) => slotOfIndex(i + THREAD_COUNT))
  const chain = chainOf('closed holes', FAR, { missedSlots: slots.filter(isMissed) })
  const offers = offerChain(chain)
  const lost = blockAt(chain, LOST.period, LOST.thread)
  const filler = offers.find(({ id }) => id === lost.id)
  assert.ok(filler)

  async function holdWithHole(wrap?: HolderOptions['wrap']): Promise<ArchiverHolder> {
    const holder = await holdArchiver({ network: NETWORK, ...(wrap && { wrap }) })
    await giveHead(holder, 1, HEAD)
    return holder
  }

  async function giveHead(holder: ArchiverHolder, from: Period, to: Period): Promise<void> {
    for (let period = from; period <= to; period++) {
      const some = offers.filter(({ slot, id }) => slot.period === period && id !== lost.id)
      if (some.length > 0) await giveFinal(holder, some)
      await settle(5)
    }
  }

  /** The writer stands at the head, before it writes. */
  async function holdBefore(gate: ReturnType<typeof makeGate>): Promise<ArchiverHolder> {
    const holder = await holdWithHole(({ store, spool }) => ({
      spool,
      store: override(store, {
        writePeriod: async (period) => {
          if (period.summary.period === HEAD) await gate.pass()
          await store.writePeriod(period)
        },
      }),
    }))
    await giveHead(holder, HEAD + 1, HEAD + 2)
    await until(() => gate.isReached, 'the head')
    return holder
  }

  async function giveFar(holder: ArchiverHolder): Promise<void> {
    await giveFinal(
      holder,
      offers.filter(({ slot }) => slot.period > HEAD),
    )
    await until(() => holder.archivedPeriods.includes(FAR - 3), 'the head')
    await settle(20)
  }

  /** As a filler of holes does. */
  async function write({ store, archiver }: ArchiverHolder, period: Period): Promise<void> {
    await store.writePeriod(archivedOf(chain, period))
    await archiver.onFilled(period)
  }

  it('is not written again by what waited for the writer', async () => {
    const gate = makeGate()
    const holder = await holdBefore(gate)
    assert.deepEqual(holder.archiver.status().holes, [HOLE])
    // All its periods are decided now, and stand behind the one in hand.
    assert.equal(await holder.archiver.takePeerBlock(lost.id, filler.filledBlock), 'spooled')
    // Without a block it could be written from an empty spool.
    await write(holder, EMPTY)
    gate.open()
    await until(() => holder.archivedPeriods.includes(HOLE.to), 'the rest of the hole')
    await settle()
    assert.deepEqual(holder.archiver.status().holes, [])
    assert.ok(holder.archivedPeriods.includes(HOLE.from))
    assert.ok(!holder.archivedPeriods.includes(EMPTY))
    await holder.archiver.stop()
  })

  it('while a period of it was in hand: a body that went meanwhile is not asked for, however far the head goes on', async () => {
    const gate = makeGate()
    const holder = await holdWithHole(({ store, spool }) => ({
      store,
      spool: override(spool, {
        readBlock: async (slot, id) => {
          if (id === lost.id) await gate.pass()
          return spool.readBlock(slot, id)
        },
      }),
    }))
    assert.equal(await holder.archiver.takePeerBlock(lost.id, filler.filledBlock), 'spooled')
    await until(() => gate.isReached, 'the writing')
    for (let period = HOLE.to; period >= HOLE.from; period--) await write(holder, period)
    gate.open()
    await giveFar(holder)
    assert.deepEqual(holder.archiver.status().holes, [])
    assert.deepEqual(holder.archiver.listWanted(), [])
    assert.ok(!holder.archivedPeriods.includes(HOLE.from))
    await holder.archiver.stop()
  })

  it('while the results of a period of it were being read: that period is not archived twice', async () => {
    const gate = makeGate()
    let isFilled = false
    const holder = await holdWithHole(({ store, spool }) => ({
      store,
      spool: override(spool, {
        readExecutions: async (period) => {
          if (isFilled && period === HOLE.from) await gate.pass()
          return spool.readExecutions(period)
        },
      }),
    }))
    isFilled = true
    assert.equal(await holder.archiver.takePeerBlock(lost.id, filler.filledBlock), 'spooled')
    await until(() => gate.isReached, 'the writing')
    await write(holder, HOLE.from)
    gate.open()
    await until(() => holder.archivedPeriods.includes(HOLE.to), 'the rest of the hole')
    assert.ok(!holder.archivedPeriods.includes(HOLE.from))
    await holder.archiver.stop()
  })

  it('of which a node named a block and did not give it: it is not asked for, however far the head goes on', async () => {
    const holder = await holdWithHole()
    reportFinal(holder, 0, { period: HEAD, thread: 31 })
    await holder.archiver.onClaims(0, [{ slot: LOST, id: lost.id }])
    assert.deepEqual(holder.archiver.listWanted(), [lost.id])
    for (let period = HOLE.to; period >= HOLE.from; period--) await write(holder, period)
    await giveFar(holder)
    assert.deepEqual(holder.archiver.listWanted(), [])
    await holder.archiver.stop()
  })

  it('waits for no block below it that is archived, where that is held in part', async () => {
    const holder = await holdWithHole()
    await holder.archiver.stop()
    await holder.store.dropChunks(HOLE.from - 1, [0])
    await holder.restart()
    assert.deepEqual(holder.archiver.status().holes, [HOLE])
    for (let period = HOLE.to; period >= HOLE.from; period--) await write(holder, period)
    assert.deepEqual(holder.archiver.status().holes, [])
    assert.deepEqual(holder.archiver.status().gaps, [])
    assert.deepEqual(holder.archiver.listWanted(), [])
    await holder.archiver.stop()
  })

  it('around a period without blocks that is still open at a start: that one needs nobody else', async () => {
    const holder = await holdWithHole()
    await holder.archiver.stop()
    for (const period of [HOLE.from, HOLE.to]) await holder.store.writePeriod(archivedOf(chain, period))
    await holder.spool.deleteBlocks(await listSpooled(holder.spool))
    await holder.spool.deleteFinals(slots)
    await holder.restart()
    await until(() => holder.archivedPeriods.includes(EMPTY), 'the period without blocks')
    await settle()
    assert.deepEqual(holder.archiver.status().holes, [])
    await holder.archiver.stop()
  })

  it('because retention has deleted past it: what waited for the writer is not written any more, and the head goes on', async () => {
    const gate = makeGate()
    const holder = await holdBefore(gate)
    await holder.archiver.takePeerBlock(lost.id, filler.filledBlock)
    await holder.store.deletePeriods(0, HOLE.to)
    await holder.archiver.forgetBefore(HOLE.to + 1)
    gate.open()
    await giveFar(holder)
    assert.equal((await holder.store.readRange())?.first, HOLE.to + 1)
    await holder.archiver.stop()
  })
})

/** Holds who passes until it is opened. */
function makeGate() {
  let open = (): void => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  const gate = {
    isReached: false,
    open,
    pass: () => {
      gate.isReached = true
      return opened
    },
  }
  return gate
}
