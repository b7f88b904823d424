import assert from 'node:assert/strict'
import { parseAttestedExecutions } from '../../archiver/attestation.ts'
import { THREAD_COUNT } from '../../core/index.ts'
import { settle, until } from '../turns.ts'
import {
  type ArchiverHolder,
  describeArchive,
  giveFinal,
  holdArchiver,
  listSpooled,
  loseSpool,
  offerChain,
  reportFinal,
} from './archiver-holder.ts'
import { corrupt, override } from './failing-store.ts'
import { blockAt, chainOf, isSlotOf, NETWORK } from './made-chain.ts'

describe('archiver/archiver', () => {
  describe('gaps', () => {
    const LOST = [
      { period: 3, thread: 5 },
      { period: 4, thread: 5 },
    ]
    const chain = chainOf('gaps', 24, { missRate: 0.05, missedSlots: [{ period: 6, thread: 5 }] })
    const isLost = ({ slot }: { slot: { period: number; thread: number } }) =>
      LOST.some((lost) => isSlotOf(lost)({ slot }))
    const offers = offerChain(chain)
    const fillers = offers.filter(isLost)
    const HEAD = 90
    const longOffers = offerChain(
      chainOf('gaps', HEAD + 2, { missRate: 0.05, missedSlots: [{ period: 6, thread: 5 }] }),
    )
    let whole: Map<number, string>

    before(async () => {
      const holder = await holdArchiver({ network: NETWORK })
      await giveFinal(holder, offers)
      await until(() => holder.archivedPeriods.length >= 24)
      await settle()
      await holder.archiver.stop()
      whole = await describeArchive(holder.store)
      assert.equal(fillers.length, 2)
    })

    async function holdWithGap(): Promise<ArchiverHolder> {
      const holder = await holdArchiver({ network: NETWORK })
      for (let period = 1; period <= 24; period++) {
        const some = offers.filter((offer) => offer.slot.period === period && !isLost(offer))
        await giveFinal(holder, some)
        await settle(10)
      }
      await until(() => holder.archivedPeriods.includes(23))
      return holder
    }

    /** Period after period without what is lost. */
    async function giveHead(holder: ArchiverHolder, from: number, to: number): Promise<void> {
      for (let period = from; period <= to; period++) {
        await giveFinal(
          holder,
          longOffers.filter((offer) => offer.slot.period === period && !isLost(offer)),
        )
        await settle(10)
      }
    }

    const expectedGap = { thread: 5, firstPeriod: 3, lastPeriod: 5, childPeriod: 5, missing: blockAt(chain, 4, 5).id }

    it('are listed with thread, periods and id, and the head goes on', async () => {
      const holder = await holdWithGap()
      assert.deepEqual(holder.archiver.status().gaps, [expectedGap])
      assert.deepEqual(holder.archiver.status().holes, [{ from: 3, to: 5 }])
      assert.deepEqual(
        holder.archivedPeriods,
        [...whole.keys()].filter((period) => period < 3 || period > 5),
      )
      assert.ok(holder.archiver.listWanted().includes(expectedGap.missing))
      await holder.archiver.stop()
    })

    it('that a lost spool leaves name no archived period', async () => {
      const holder = await holdWithGap()
      await holder.archiver.stop()
      await loseSpool(holder.spool)
      await holder.restart()
      const { gaps } = holder.archiver.status()
      assert.equal(gaps.length, THREAD_COUNT)
      // Threads have their next block in period 6, or after a miss there; all that is archived.
      const ranges = new Set(gaps.map(({ firstPeriod, lastPeriod }) => `${firstPeriod} to ${lastPeriod}`))
      assert.deepEqual([...ranges], ['3 to 5'])
      assert.deepEqual(new Set(holder.archiver.listWanted()), new Set(gaps.map(({ missing }) => missing)))
      const lost = offers.filter(({ slot }) => slot.period >= 3 && slot.period <= 6)
      for (const { id, filledBlock } of lost.toReversed()) await holder.archiver.takeBlock(0, filledBlock, id)
      await until(() => [3, 4, 5].every((period) => holder.archivedPeriods.includes(period)), 'the filling')
      await settle()
      assert.deepEqual(holder.archiver.status().gaps, [])
      assert.deepEqual(await describeArchive(holder.store), whole)
      await holder.archiver.stop()
    })

    it('are filled late, from the newest block back, and give what the whole chain gives', async () => {
      const holder = await holdWithGap()
      for (const { id, filledBlock } of fillers.toReversed()) {
        assert.ok(holder.archiver.listWanted().includes(id))
        assert.equal(await holder.archiver.takeBlock(0, filledBlock, id), 'spooled')
      }
      await until(() => [3, 4, 5].every((period) => holder.archivedPeriods.includes(period)), 'the filling')
      await settle()
      assert.deepEqual(await describeArchive(holder.store), whole)
      assert.deepEqual(holder.archiver.status().gaps, [])
      assert.deepEqual(holder.archiver.listWanted(), [])
      await holder.archiver.stop()
    })

    it('are none once retention has deleted past them: they are not waited for, listed or filled', async () => {
      const holder = await holdWithGap()
      await holder.archiver.onExecution(
        { period: 4, thread: 9 },
        { source: 'stream', complete: true, trailHash: 'trail', outcomes: [], events: [] },
      )
      for (let second = 0; second < 7; second++) {
        holder.clock.advance(1_000)
        await settle(10)
      }
      assert.ok((await listSpooled(holder.spool)).some(({ slot }) => slot.period === 4))
      await holder.store.deletePeriods(0, 15)
      await holder.archiver.forgetBefore(16)
      const checkNone = async () => {
        assert.deepEqual(holder.archiver.status().gaps, [])
        assert.deepEqual(holder.archiver.listWanted(), [])
        assert.equal(holder.archiver.status().spooledBlocks, (await listSpooled(holder.spool)).length)
        assert.ok((await listSpooled(holder.spool)).every(({ slot }) => slot.period >= 16))
        for await (const { slot } of holder.spool.listFinals()) assert.ok(slot.period >= 16)
        assert.equal((await holder.spool.readExecutions(4)).size, 0)
      }
      await checkNone()
      // A node with a long memory names and gives them all the same.
      await holder.archiver.onClaims(0, fillers)
      for (const { id, filledBlock } of fillers.toReversed()) {
        assert.equal(await holder.archiver.takeBlock(0, filledBlock, id), 'ignored')
      }
      await checkNone()
      holder.clock.advance(1_000)
      await settle()
      const said = holder.logged.map(({ msg }) => msg).filter((msg) => String(msg).startsWith('gap '))
      assert.deepEqual(said, ['gap found', 'gap no longer kept'])
      assert.equal((await holder.store.readRange())?.first, 16)
      await holder.restart()
      await checkNone()
      await holder.archiver.stop()
      for (const [period, described] of await describeArchive(holder.store)) {
        assert.equal(described, whole.get(period))
      }
    })

    it('of which retention has deleted a part are listed and filled from there on', async () => {
      const holder = await holdWithGap()
      await holder.store.deletePeriods(0, 3)
      await holder.archiver.forgetBefore(4)
      assert.deepEqual(holder.archiver.status().gaps, [{ ...expectedGap, firstPeriod: 4 }])
      const [filler] = fillers.filter(({ slot }) => slot.period === 4)
      assert.ok(filler)
      assert.equal(await holder.archiver.takeBlock(0, filler.filledBlock, filler.id), 'spooled')
      await until(() => [4, 5].every((period) => holder.archivedPeriods.includes(period)), 'the filling')
      await settle()
      assert.deepEqual(holder.archiver.status().gaps, [])
      assert.deepEqual(holder.archiver.listWanted(), [])
      await holder.archiver.stop()
      const after = await describeArchive(holder.store)
      assert.deepEqual(
        [...after],
        [...whole].filter(([period]) => period >= 4),
      )
    })

    it('that are filled while the head goes on: what decides their periods is not forgotten before they are', async () => {
      let release = (): void => undefined
      const released = new Promise<void>((resolve) => {
        release = resolve
      })
      let held = 0
      const holder = await holdArchiver({
        network: NETWORK,
        wrap: ({ store, spool }) => ({
          store,
          spool: override(spool, {
            putFinal: async (slot, id) => {
              if (isLost({ slot })) {
                held++
                await released
              }
              await spool.putFinal(slot, id)
            },
          }),
        }),
      })
      await giveHead(holder, 1, 24)
      await until(() => holder.archivedPeriods.includes(23))
      const filled = longOffers
        .filter(isLost)
        .toReversed()
        .map(({ id, filledBlock }) => holder.archiver.takeBlock(0, filledBlock, id))
      await until(() => held === filled.length, 'the filling')
      await giveHead(holder, 25, 40)
      await until(() => holder.archivedPeriods.includes(39))
      release()
      await Promise.all(filled)
      await until(() => [3, 4, 5].every((period) => holder.archivedPeriods.includes(period)), 'the filled periods')
      await holder.archiver.stop()
    })

    it('that are filled while a period of the head is being written: nothing of them is forgotten by that', async () => {
      let release = (): void => undefined
      const released = new Promise<void>((resolve) => {
        release = resolve
      })
      let isHeadHeld = false
      const holder = await holdArchiver({
        network: NETWORK,
        wrap: ({ store, spool }) => ({
          spool,
          store: override(store, {
            writePeriod: async (period) => {
              if (period.summary.period === HEAD) {
                isHeadHeld = true
                await released
              }
              await store.writePeriod(period)
            },
          }),
        }),
      })
      await giveHead(holder, 1, HEAD + 2)
      await until(() => isHeadHeld, 'the head')
      // Period 5 is decided with the first of them, 3 and 4 with the last.
      for (const { id, filledBlock } of fillers.toReversed()) await holder.archiver.takeBlock(0, filledBlock, id)
      release()
      await until(() => [3, 4, 5, HEAD].every((period) => holder.archivedPeriods.includes(period)), 'all periods')
      await settle()
      assert.deepEqual(holder.archiver.status().gaps, [])
      assert.deepEqual(holder.archiver.status().holes, [])
      await holder.archiver.stop()
    })

    it('of which a body is lost again are listed and filled again, long after the head has gone on', async () => {
      const lostOnce = new Set<string>()
      const holder = await holdArchiver({
        network: NETWORK,
        wrap: ({ store, spool }) => ({
          store,
          spool: override(spool, {
            // A disk that loses what it has taken, once.
            putBlock: async (block) => {
              const isFirst = isLost(block) && !lostOnce.has(block.id)
              lostOnce.add(block.id)
              if (!isFirst) await spool.putBlock(block)
            },
          }),
        }),
      })
      await giveHead(holder, 1, 24)
      await until(() => holder.archivedPeriods.includes(23))
      for (const { id, filledBlock } of fillers.toReversed()) await holder.archiver.takeBlock(0, filledBlock, id)
      await giveHead(holder, 25, HEAD + 2)
      await until(() => holder.archivedPeriods.includes(HEAD))
      const gaps = fillers.map(({ slot, id }) => {
        return { ...slot, firstPeriod: slot.period, lastPeriod: slot.period, childPeriod: slot.period + 1, missing: id }
      })
      assert.deepEqual(
        holder.archiver.status().gaps,
        gaps.map(({ period: _, ...gap }) => gap),
      )
      for (const { id, filledBlock } of fillers) {
        assert.equal(await holder.archiver.takePeerBlock(id, filledBlock), 'spooled')
      }
      await until(() => [3, 4, 5].every((period) => holder.archivedPeriods.includes(period)), 'the filling')
      await settle()
      assert.deepEqual(holder.archiver.status().gaps, [])
      assert.deepEqual(holder.archiver.status().holes, [])
      await holder.archiver.stop()
    })

    it('survive a restart, and no other gap appears by it', async () => {
      const holder = await holdWithGap()
      await holder.restart()
      assert.deepEqual(holder.archiver.status().gaps, [expectedGap])
      assert.deepEqual(
        holder.archiver.listWanted().filter((id) => !fillers.some((filler) => filler.id === id)),
        [],
      )
      for (const { id, filledBlock } of fillers.toReversed()) await holder.archiver.takeBlock(0, filledBlock, id)
      await until(() => [3, 4, 5].every((period) => holder.archivedPeriods.includes(period)), 'the filling')
      await settle()
      assert.deepEqual(await describeArchive(holder.store), whole)
      await holder.restart()
      assert.deepEqual(holder.archiver.status().gaps, [])
      assert.deepEqual(holder.archiver.listWanted(), [])
      await holder.archiver.stop()
    })

    it('keep the execution results of their periods until these are archived', async () => {
      const holder = await holdArchiver({ network: NETWORK })
      const slot = { period: 4, thread: 9 }
      reportFinal(holder, 0, { period: 24, thread: 0 })
      await holder.archiver.onExecution(slot, {
        source: 'stream',
        complete: true,
        trailHash: 'trail',
        outcomes: [],
        events: [],
      })
      await giveFinal(
        holder,
        offers.filter((offer) => !isLost(offer)),
      )
      await until(() => holder.archivedPeriods.includes(23))
      await holder.restart()
      for (const { id, filledBlock } of fillers) await holder.archiver.takeBlock(0, filledBlock, id)
      await until(() => holder.archivedPeriods.includes(4))
      const bytes = (await holder.store.readExecutionResults(4)) ?? new Uint8Array(0)
      const place = { network: holder.store.identity.network, period: 4 }
      const results = parseAttestedExecutions(bytes, place).executions
      assert.equal(results[9]?.trailHash, 'trail')
      await holder.archiver.stop()
      assert.equal((await holder.spool.readExecutions(4)).size, 0)
    })

    it('of archived periods come from the disk even when the mark of them is damaged', async () => {
      let damaged = false
      const holder = await holdArchiver({
        network: NETWORK,
        wrap: ({ store, spool }) => ({
          store,
          spool: override(spool, {
            readMark: async (name) => {
              if (damaged) throw corrupt()
              return spool.readMark(name)
            },
          }),
        }),
      })
      await giveFinal(
        holder,
        offers.filter((offer) => !isLost(offer)),
      )
      await until(() => holder.archivedPeriods.includes(23))
      damaged = true
      await holder.restart()
      assert.deepEqual(holder.archiver.status().gaps, [expectedGap])
      await holder.archiver.stop()
    })
  })
})
