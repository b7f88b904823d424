import assert from 'node:assert/strict'
import fc from 'fast-check'
import { formatBlockId, parseBody, slotIndex } from '../../core/index.ts'
import { readRecording } from '../../devnet/index.ts'
import { RECORDINGS } from '../devnet/fixture.ts'
import { settle, until } from '../turns.ts'
import {
  type ArchiverHolder,
  describeArchive,
  type FinalOffer,
  giveFinal,
  holdArchiver,
  listSpooled,
  offerChain,
  offerMadeBlock,
  offerRecording,
  pullMadeBlock,
  readBody,
  reportFinal,
} from './archiver-holder.ts'
import { blockAt, chainOf, isSlotOf, NETWORK } from './made-chain.ts'
import { drawNumbers } from './simulated-chain.ts'

/** All that a node would show at last: what is wanted by id, and what is final. */
async function finishPolls(holder: ArchiverHolder, offers: readonly FinalOffer[]): Promise<void> {
  const byId = new Map(offers.map((offer) => [offer.id, offer]))
  const claims = offers.map(({ slot, id }) => ({ slot, id }))
  reportFinal(holder, 0, offers.at(-1)?.slot ?? { period: 0, thread: 0 })
  await holder.archiver.onClaims(0, claims)
  for (let round = 0; round < 100; round++) {
    const wanted = holder.archiver.listWanted().flatMap((id) => byId.get(id) ?? [])
    if (wanted.length === 0) break
    for (const { id, filledBlock } of wanted) await holder.archiver.takeBlock(0, filledBlock, id)
  }
  await holder.archiver.onClaims(0, claims)
  await settle()
}

describe('archiver/archiver', () => {
  describe('determinism', () => {
    const chain = chainOf('determinism', 5, { missRate: 0.15, operationsPerBlock: 1 })
    const blocks = [...chain.blocks.values()]
    const rivals = new Map(blocks.filter((_, i) => i % 5 === 0).map((block) => [block.id, chain.makeRival(block)]))
    const offers = blocks.map(offerMadeBlock)
    let expected: Map<number, string>

    before(async () => {
      const holder = await holdArchiver({ network: NETWORK })
      for (const offer of offers) await giveFinal(holder, [offer])
      await settle()
      await holder.archiver.stop()
      expected = await describeArchive(holder.store)
      assert.deepEqual([...expected.keys()].slice(0, 5), [0, 1, 2, 3, 4])
    })

    it('the same blocks by push, by pull, twice, late, in any order, beside rivals and across a restart give the same bytes', async function () {
      this.timeout(240_000)
      const runs = fc.record({
        seed: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
        /** How far blocks stray from the order of slots, in slots. */
        disorder: fc.constantFrom(0, 8, 64, 1000),
        restartAfter: fc.double({ min: 0, max: 1, noNaN: true }),
        duplicates: fc.constantFrom(0, 0.2),
        lateBodies: fc.constantFrom(0, 0.2),
      })
      await fc.assert(
        fc.asyncProperty(runs, async ({ seed, disorder, restartAfter, duplicates, lateBodies }) => {
          const draw = drawNumbers(seed)
          const holder = await holdArchiver({ network: NETWORK })
          reportFinal(holder, 0, { period: chain.lastPeriod, thread: 31 })
          const steps = planSteps({ draw, disorder, duplicates, lateBodies })
          const restartAt = Math.floor(restartAfter * steps.length)
          for (const [i, step] of steps.entries()) {
            if (i === restartAt) {
              await holder.restart()
              reportFinal(holder, 0, { period: chain.lastPeriod, thread: 31 })
            }
            await step(holder)
          }
          await finishPolls(holder, offers)
          await holder.archiver.stop()
          const archive = await describeArchive(holder.store)
          assert.deepEqual([...archive.keys()], [...expected.keys()])
          for (const [period, bytes] of expected) assert.ok(archive.get(period) === bytes, `period ${period} differs`)
        }),
        { numRuns: 60 },
      )
    })

    type Step = (holder: ArchiverHolder) => Promise<void>

    function planSteps(options: {
      draw: () => number
      disorder: number
      duplicates: number
      lateBodies: number
    }): Step[] {
      const { draw, disorder, duplicates, lateBodies } = options
      const timed: { at: number; step: Step }[] = []
      for (const block of blocks) {
        const index = slotIndex(block.slot)
        const at = () => index + (draw() - 0.5) * disorder
        const body = draw() < 0.5 ? pullMadeBlock(block) : offerMadeBlock(block)
        const isPushed = draw() < 0.5
        const give: Step = async ({ archiver }) => {
          await archiver.takeBlock(0, body.filledBlock, isPushed ? undefined : body.id)
        }
        if (draw() >= lateBodies) timed.push({ at: at(), step: give })
        if (draw() < duplicates) timed.push({ at: at() + 64, step: give })
        const rival = rivals.get(block.id)
        if (rival) {
          timed.push({
            at: at(),
            step: async ({ archiver }) => void (await archiver.takeBlock(0, offerMadeBlock(rival).filledBlock)),
          })
        }
        timed.push({
          at: at() + 40,
          step: ({ archiver }) => archiver.onClaims(0, [{ slot: block.slot, id: block.id }]),
        })
      }
      return timed.sort((a, b) => a.at - b.at).map(({ step }) => step)
    }
  })

  describe('competing blocks', () => {
    it('of a real fork: the block that never became final is not archived, in either order of arrival', async function () {
      this.timeout(120_000)
      const recording = await readRecording(RECORDINGS.fork)
      const { chainId, genesisTimestampMs } = recording
      const all = offerRecording(recording)
      const contested = [15, 17].map((thread) => all.filter(isSlotOf({ period: 16, thread })))
      const archives: Map<number, string>[] = []
      for (const loserFirst of [true, false]) {
        const holder = await holdArchiver({ network: { chainId, genesisTimestampMs } })
        const rank = ({ isFinal }: { isFinal: boolean }) => (isFinal === loserFirst ? 1 : 0)
        const ordered = all.toSorted((a, b) => slotIndex(a.slot) - slotIndex(b.slot) || rank(a) - rank(b))
        reportFinal(holder, 0, { period: 18, thread: 31 })
        for (const { filledBlock } of ordered) assert.equal(await holder.archiver.takeBlock(0, filledBlock), 'spooled')
        await giveFinal(
          holder,
          ordered.filter(({ isFinal }) => isFinal),
        )
        await until(() => holder.archivedPeriods.includes(16))
        await settle()
        await holder.archiver.stop()
        const { slots } = parseBody((await readBody(holder.store, 16)) ?? new Uint8Array(0))
        for (const pair of contested) {
          assert.equal(pair.length, 2)
          const winner = pair.find(({ isFinal }) => isFinal)
          assert.ok(winner)
          const slot = slots[winner.slot.thread]
          assert.ok(slot?.kind === 'block')
          assert.equal(formatBlockId(slot.record.id), winner.id)
        }
        archives.push(await describeArchive(holder.store))
      }
      assert.deepEqual(archives[0], archives[1])
    })

    it('limit: two bodies of a slot are kept, a third only when it is final, and then the final one stays', async () => {
      const chain = chainOf('bodies', 4)
      const block = blockAt(chain, 2, 3)
      const rivals = [chain.makeRival(block), chain.makeRival(block), chain.makeRival(block)]
      const holder = await holdArchiver({ network: NETWORK })
      const taken = await Promise.all(
        rivals.map((rival) => holder.archiver.takeBlock(0, offerMadeBlock(rival).filledBlock)),
      )
      assert.deepEqual(taken.toSorted(), ['ignored', 'spooled', 'spooled'])
      assert.equal((await listSpooled(holder.spool)).length, 2)
      assert.equal(await holder.archiver.takeBlock(0, offerMadeBlock(block).filledBlock), 'ignored')
      await giveFinal(
        holder,
        offerChain(chain).filter(({ id }) => id !== block.id),
      )
      // Its children name it: it is wanted now, whatever stands at its slot.
      assert.ok(holder.archiver.listWanted().includes(block.id))
      assert.equal(await holder.archiver.takeBlock(0, offerMadeBlock(block).filledBlock, block.id), 'spooled')
      await until(() => holder.archivedPeriods.includes(2))
      await holder.archiver.stop()
      const { slots } = parseBody((await readBody(holder.store, 2)) ?? new Uint8Array(0))
      const slot = slots[3]
      assert.ok(slot?.kind === 'block')
      assert.equal(formatBlockId(slot.record.id), block.id)
    })

    it('a body that became final is not given up for a later rival', async () => {
      const chain = chainOf('keeps', 3)
      const block = blockAt(chain, 3, 30)
      const rivals = [chain.makeRival(block), chain.makeRival(block)]
      const holder = await holdArchiver({ network: NETWORK })
      await giveFinal(holder, offerChain(chain))
      for (const rival of rivals) await holder.archiver.takeBlock(0, offerMadeBlock(rival).filledBlock)
      const kept = (await listSpooled(holder.spool)).filter(isSlotOf(block.slot)).map(({ id }) => id)
      assert.equal(kept.length, 2)
      assert.ok(kept.includes(block.id))
      await holder.archiver.stop()
    })

    it('leave the spool 64 periods after their slot was archived', async function () {
      this.timeout(60_000)
      const chain = chainOf('losers', 69)
      const loser = chain.makeRival(blockAt(chain, 1, 0))
      const holder = await holdArchiver({ network: NETWORK })
      await holder.archiver.takeBlock(0, offerMadeBlock(loser).filledBlock)
      const isHeld = async () => (await listSpooled(holder.spool)).some(({ id }) => id === loser.id)
      const offers = offerChain(chain)
      await giveFinal(
        holder,
        offers.filter(({ slot }) => slot.period <= 65),
      )
      await until(() => holder.archivedPeriods.includes(65))
      await settle()
      assert.ok(await isHeld())
      await giveFinal(
        holder,
        offers.filter(({ slot }) => slot.period > 65),
      )
      await until(() => holder.archivedPeriods.includes(66))
      await settle()
      assert.ok(!(await isHeld()))
      await holder.archiver.stop()
    })
  })
})
