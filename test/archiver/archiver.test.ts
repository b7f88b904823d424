import assert from 'node:assert/strict'
import fc from 'fast-check'
import { parseAttestedExecutions } from '../../archiver/attestation.ts'
import { executionFromQueries } from '../../archiver/execution-results.ts'
import {
  ArchiveError,
  type ChunkStore,
  formatBlockId,
  type HeaderEndorsement,
  parseBody,
  type Spool,
  slotIndex,
  slotOfIndex,
} from '../../core/index.ts'
import { type MadeBlock, type MadeChain, makeChain, readRecording, signBlock } from '../../devnet/index.ts'
import { RECORDINGS } from '../devnet/fixture.ts'
import { hasCode } from '../suites/chunk-store-suite.ts'
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
  settle,
  until,
} from './archiver-holder.ts'
import { drawNumbers } from './simulated-chain.ts'

const NETWORK = { chainId: 77n, genesisTimestampMs: 1_000_000n }

function chainOf(seed: string, periods: number, options: Partial<Parameters<typeof makeChain>[0]> = {}): MadeChain {
  return makeChain({ seed, ...NETWORK, periods, endorsements: 0, ...options })
}

function isSlotOf({ period, thread }: { period: number; thread: number }) {
  return ({ slot }: { slot: { period: number; thread: number } }) => slot.period === period && slot.thread === thread
}

function blockAt(chain: MadeChain, period: number, thread: number): MadeBlock {
  const block = chain.blockAt(period, thread)
  assert.ok(block, `no block at (${period}, ${thread})`)
  return block
}

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
  it('archives a chain from its genesis blocks on, in the order of periods, and keeps nothing of it in the spool', async () => {
    const chain = chainOf('plain', 5, { missRate: 0.1, operationsPerBlock: 1 })
    const holder = await holdArchiver({ network: NETWORK })
    await giveFinal(holder, offerChain(chain))
    await until(() => holder.archivedPeriods.length >= 4)
    await holder.archiver.stop()
    assert.deepEqual(holder.archivedPeriods.slice(0, 4), [0, 1, 2, 3])
    for (const period of [0, 1, 2, 3]) {
      const { slots } = parseBody((await readBody(holder.store, period)) ?? new Uint8Array(0))
      for (const [thread, slot] of slots.entries()) {
        const expected = period === 0 || chain.blockAt(period, thread) !== undefined
        assert.equal(slot.kind, expected ? 'block' : 'miss', `(${period}, ${thread})`)
      }
    }
    assert.ok((await listSpooled(holder.spool)).every(({ slot }) => slot.period > 3))
    assert.deepEqual(holder.archiver.status().gaps, [])
  })

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

    const expectedGap = { thread: 5, firstPeriod: 3, lastPeriod: 5, missing: blockAt(chain, 4, 5).id }

    it('are listed with thread, periods and id, and the head goes on', async () => {
      const holder = await holdWithGap()
      assert.deepEqual(holder.archiver.status().gaps, [expectedGap])
      assert.deepEqual(
        holder.archivedPeriods,
        [...whole.keys()].filter((period) => period < 3 || period > 5),
      )
      assert.ok(holder.archiver.listWanted().includes(expectedGap.missing))
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

  it('wants a block that is called final and not in the spool, and archives it when it comes', async () => {
    const chain = chainOf('late', 4)
    const late = blockAt(chain, 3, 31)
    const holder = await holdArchiver({ network: NETWORK })
    await giveFinal(
      holder,
      offerChain(chain).filter(({ slot }) => slotIndex(slot) < slotIndex(late.slot)),
    )
    assert.deepEqual(holder.archiver.listWanted(), [])
    await holder.archiver.onClaims(0, [{ slot: late.slot, id: late.id }])
    assert.deepEqual(holder.archiver.listWanted(), [late.id])
    assert.ok(holder.archiver.isWorthAsking(0, late.id))
    const { filledBlock } = offerMadeBlock(late)
    assert.equal(await holder.archiver.takeBlock(0, filledBlock, late.id), 'spooled')
    assert.deepEqual(holder.archiver.listWanted(), [])
    assert.equal(await holder.archiver.takeBlock(0, filledBlock, late.id), 'known')
    await holder.archiver.stop()
  })

  it('takes no archived block into the spool again', async () => {
    const chain = chainOf('again', 4)
    const holder = await holdArchiver({ network: NETWORK })
    await giveFinal(holder, offerChain(chain))
    await until(() => holder.archivedPeriods.includes(2))
    await settle()
    const { filledBlock, id } = offerMadeBlock(blockAt(chain, 1, 1))
    for (const restarted of [false, true]) {
      if (restarted) await holder.restart()
      assert.equal(await holder.archiver.takeBlock(0, filledBlock), 'ignored')
      assert.ok(!holder.archiver.isWorthAsking(0, id))
      assert.ok(!(await listSpooled(holder.spool)).some((block) => block.id === id))
    }
    await holder.archiver.stop()
  })

  describe('execution results', () => {
    const chain = chainOf('executions', 4, { operationsPerBlock: 2, missedSlots: [{ period: 4, thread: 31 }] })

    it('are stored with their period and parse back', async () => {
      const holder = await holdArchiver({ network: NETWORK })
      const block = blockAt(chain, 2, 6)
      const operationIds = block.operations.map(({ idText }) => idText)
      reportFinal(holder, 0, { period: 4, thread: 31 })
      const outcomes = new Map(operationIds.map((id, i) => [id, i === 0 ? ('success' as const) : ('failed' as const)]))
      await holder.archiver.onExecution(block.slot, executionFromQueries(outcomes, [], true))
      await giveFinal(holder, offerChain(chain))
      await until(() => holder.archivedPeriods.includes(2))
      const bytes = (await holder.store.readExecutionResults(2)) ?? new Uint8Array(0)
      const place = { network: holder.store.identity.network, period: 2 }
      const results = parseAttestedExecutions(bytes, place).executions
      assert.deepEqual(
        new Map(results[6]?.outcomes.map(({ operationId, outcome }) => [operationId, outcome])),
        outcomes,
      )
      assert.equal(results[6]?.complete, true)
      assert.equal(results.filter((result) => result !== undefined).length, 1)
      await holder.archiver.stop()
    })

    it('are asked for once: not again after a restart, when the node has forgotten them', async () => {
      const holder = await holdArchiver({ network: NETWORK })
      const [known, unknown] = [blockAt(chain, 4, 6), blockAt(chain, 4, 7)]
      await giveFinal(holder, offerChain(chain))
      const stream = { source: 'stream' as const, complete: true, trailHash: 'trail', outcomes: [], events: [] }
      await holder.archiver.onExecution(known.slot, stream)
      for (const restarted of [false, true]) {
        if (restarted) await holder.restart()
        const asked = await holder.archiver.listUnexecuted({ period: 4, thread: 31 })
        assert.ok(!asked.some(isSlotOf(known.slot)))
        const other = asked.find(isSlotOf(unknown.slot))
        assert.deepEqual(
          other?.operationIds,
          unknown.operations.map(({ idText }) => idText),
        )
      }
      await holder.archiver.stop()
    })
  })

  describe('fault:', () => {
    const chain = chainOf('faults', 5, { missedSlots: [{ period: 5, thread: 31 }] })
    const offers = offerChain(chain)

    it('a store that cannot be written is tried again until it can, and nothing is lost', async () => {
      let failures = 3
      const holder = await holdArchiver({
        network: NETWORK,
        wrap: ({ store, spool }) => ({
          store: override(store, {
            writePeriod: async (period) => {
              if (period.manifest.period === 2 && failures-- > 0)
                throw new ArchiveError('STORE_WRITE_FAILED', 'injected')
              await store.writePeriod(period)
            },
          }),
          spool,
        }),
      })
      await giveFinal(holder, offers)
      for (let left = 2; left >= 0; left--) {
        await until(() => failures === left)
        await settle()
        assert.ok(holder.archiver.status().stalled !== undefined)
        holder.clock.advance(2_000)
      }
      await until(() => holder.archivedPeriods.includes(4))
      assert.deepEqual(holder.archivedPeriods, [0, 1, 2, 3, 4])
      assert.equal(holder.archiver.status().stalled, undefined)
      await holder.archiver.stop()
    })

    it('a spool that cannot be cleared does not end the archiving', async () => {
      let failures = 2
      const failing = async () => {
        if (failures-- > 0) throw corrupt()
      }
      const holder = await holdArchiver({
        network: NETWORK,
        wrap: ({ store, spool }) => ({
          store,
          spool: override(spool, {
            deleteBlocks: async (blocks) => {
              if (blocks.length > 0) await failing()
              await spool.deleteBlocks(blocks)
            },
          }),
        }),
      })
      await giveFinal(holder, offers)
      await until(() => holder.archivedPeriods.includes(4))
      assert.deepEqual(holder.archivedPeriods, [0, 1, 2, 3, 4])
      // Genesis blocks are not spooled, so the failures left blocks of period 1; a start clears them.
      assert.ok((await listSpooled(holder.spool)).some(({ slot }) => slot.period === 1))
      await holder.restart()
      assert.deepEqual(
        (await listSpooled(holder.spool)).filter(({ slot }) => slot.period < 5),
        [],
      )
      for await (const { slot } of holder.spool.listFinals()) assert.ok(slot.period >= 5)
      await holder.archiver.stop()
    })

    it('a mark of the gaps that cannot be written is made up for at the next start', async () => {
      const lost = blockAt(chain, 2, 4)
      const holder = await holdArchiver({
        network: NETWORK,
        wrap: ({ store, spool }) => ({
          store,
          spool: override(spool, { putMark: () => Promise.reject(corrupt()) }),
        }),
      })
      await giveFinal(
        holder,
        offers.filter(({ id }) => id !== lost.id),
      )
      await until(() => holder.archivedPeriods.includes(4))
      const { gaps } = holder.archiver.status()
      assert.deepEqual(gaps, [{ thread: 4, firstPeriod: 2, lastPeriod: 3, missing: lost.id }])
      await holder.restart()
      assert.deepEqual(holder.archiver.status().gaps, gaps)
      await holder.archiver.takeBlock(0, offerMadeBlock(lost).filledBlock, lost.id)
      await until(() => holder.archivedPeriods.includes(2) && holder.archivedPeriods.includes(3))
      await holder.restart()
      assert.deepEqual(holder.archiver.status().gaps, [])
      await holder.archiver.stop()
    })

    it('a spool that takes nothing lets the archiver start, and is made up for when it takes again', async () => {
      let isFull = false
      const failing = () => (isFull ? Promise.reject(corrupt()) : undefined)
      const holder = await holdArchiver({
        network: NETWORK,
        wrap: ({ store, spool }) => ({
          store,
          spool: override(spool, {
            putMark: (name, bytes) => failing() ?? spool.putMark(name, bytes),
            putFinal: (slot, id) => failing() ?? spool.putFinal(slot, id),
            deleteBlocks: (blocks) => failing() ?? spool.deleteBlocks(blocks),
          }),
        }),
      })
      const last = offers.filter(({ slot }) => slot.period === 5)
      await giveFinal(
        holder,
        offers.filter(({ slot }) => slot.period < 5),
      )
      await giveFinal(holder, last.slice(0, 20))
      await until(() => holder.archivedPeriods.includes(4))
      isFull = true
      await holder.restart()
      isFull = false
      await giveFinal(holder, last.slice(20))
      const finals: string[] = []
      for await (const { id } of holder.spool.listFinals()) finals.push(id)
      assert.deepEqual(
        finals,
        last.map(({ id }) => id),
      )
      assert.deepEqual(holder.archiver.status().gaps, [])
      assert.deepEqual(holder.archiver.listWanted(), [])
      await holder.archiver.stop()
    })

    it('a final mark that cannot be written delays nothing', async () => {
      const failAt = new Set([blockAt(chain, 2, 4).id, blockAt(chain, 3, 9).id, blockAt(chain, 5, 30).id])
      const holder = await holdArchiver({
        network: NETWORK,
        wrap: ({ store, spool }) => ({
          store,
          spool: override(spool, {
            putFinal: async (slot, id) => {
              if (failAt.delete(id)) throw corrupt()
              await spool.putFinal(slot, id)
            },
          }),
        }),
      })
      reportFinal(holder, 0, { period: 5, thread: 31 })
      for (const { id, filledBlock } of offers) await holder.archiver.takeBlock(0, filledBlock, id)
      const claims = offers.map(({ slot, id }) => ({ slot, id }))
      for (let left = 3; left > 0; left--)
        await assert.rejects(holder.archiver.onClaims(0, claims), hasCode('STORE_VALUE_CORRUPT'))
      await holder.archiver.onClaims(0, claims)
      await until(() => holder.archivedPeriods.includes(4))
      assert.equal(failAt.size, 0)
      await holder.archiver.stop()
    })

    it('a body that the spool lost is fetched again; other periods do not wait for it, and no other block takes its place', async () => {
      const lost = blockAt(chain, 2, 4)
      let isLost = true
      const holder = await holdArchiver({
        network: NETWORK,
        wrap: ({ store, spool }) => ({
          store,
          spool: override(spool, {
            readBlock: async (slot, id) => (id === lost.id && isLost ? undefined : spool.readBlock(slot, id)),
          }),
        }),
      })
      await giveFinal(holder, offers)
      await until(() => holder.archivedPeriods.includes(4))
      assert.deepEqual(holder.archivedPeriods, [0, 1, 3, 4])
      assert.deepEqual(holder.archiver.status().gaps, [{ thread: 4, firstPeriod: 2, lastPeriod: 2, missing: lost.id }])
      assert.deepEqual(holder.archiver.listWanted(), [lost.id])
      isLost = false
      await holder.archiver.takeBlock(0, offerMadeBlock(lost).filledBlock, lost.id)
      await until(() => holder.archivedPeriods.includes(2))
      assert.deepEqual(holder.archiver.status().gaps, [])
      await holder.archiver.stop()
    })

    it('error: a node of another network is refused', async () => {
      const holder = await holdArchiver({ network: { ...NETWORK, chainId: 78n } })
      const status = { threadCount: 32, version: '', currentTimeMs: 0, lastFinalSlot: { period: 1, thread: 0 } }
      assert.throws(
        () => holder.archiver.onStatus(0, { ...status, network: NETWORK }),
        hasCode('ARCHIVER_NETWORK_MISMATCH'),
      )
      await holder.archiver.stop()
    })
  })

  it('starts in the middle of a chain with the first period in which every thread links to a held block', async () => {
    const chain = chainOf('middle', 12, { missedSlots: [{ period: 6, thread: 9 }] })
    const holder = await holdArchiver({ network: NETWORK })
    await giveFinal(
      holder,
      offerChain(chain).filter(({ slot }) => slot.period >= 6),
    )
    await until(() => holder.archivedPeriods.includes(11))
    // Thread 9 shows its first block in period 7.
    assert.deepEqual(holder.archivedPeriods, [8, 9, 10, 11])
    await holder.restart()
    assert.deepEqual(holder.archiver.status().gaps, [])
    assert.deepEqual(holder.archiver.listWanted(), [])
    await holder.archiver.stop()
  })

  it('goes on after a stall of the whole chain that it was restarted in', async function () {
    this.timeout(60_000)
    const missedSlots = Array.from({ length: 80 * 32 }, (_, i) => slotOfIndex(3 * 32 + i))
    const chain = chainOf('stall', 85, { missedSlots })
    const offers = offerChain(chain)
    const holder = await holdArchiver({ network: NETWORK })
    await giveFinal(
      holder,
      offers.filter(({ slot }) => slot.period <= 83 && slotIndex(slot) < 83 * 32 + 2),
    )
    await until(() => holder.archivedPeriods.includes(81))
    await holder.restart()
    assert.deepEqual(holder.archiver.searchFrom({ period: 84, thread: 0 }), { period: 81, thread: 0 })
    await giveFinal(
      holder,
      offers.filter(({ slot }) => slotIndex(slot) >= 83 * 32 + 2),
    )
    await until(() => holder.archivedPeriods.includes(85))
    assert.equal(holder.archivedPeriods.length, 86)
    await holder.archiver.stop()
  })

  it('archives a block whose endorsement has a bad signature, and says so', async () => {
    const chain = chainOf('endorsed', 2, { endorsements: 2 })
    const made = blockAt(chain, 2, 31)
    const [first, second] = made.header.endorsements
    assert.ok(first && second)
    const endorsements: HeaderEndorsement[] = [first, { ...second, signature: first.signature }]
    const block = signBlock(made.producer, { ...made.header, endorsements }, made.operations)
    const holder = await holdArchiver({ network: NETWORK })
    await giveFinal(holder, [...offerChain(chain).filter(({ id }) => id !== made.id), offerMadeBlock(block)])
    assert.deepEqual(holder.refused, [])
    const warned = holder.logged.filter(({ msg }) => msg === 'endorsement signatures do not verify')
    assert.deepEqual(
      warned.map(({ blockId, count }) => ({ blockId, count })),
      [{ blockId: block.id, count: 1 }],
    )
    assert.ok((await listSpooled(holder.spool)).some(({ id }) => id === block.id))
    await holder.archiver.stop()
  })
})

function corrupt(): ArchiveError {
  return new ArchiveError('STORE_VALUE_CORRUPT', 'injected')
}

function override<T extends ChunkStore | Spool>(target: T, methods: Partial<T>): T {
  return new Proxy(target, {
    get(object, name) {
      const own = methods[name as keyof T]
      const value: unknown = own ?? Reflect.get(object, name)
      return typeof value === 'function' ? value.bind(own ? methods : object) : value
    },
  })
}
