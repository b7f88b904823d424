import assert from 'node:assert/strict'
import { parseAttestedExecutions } from '../../archiver/attestation.ts'
import { executionFromQueries } from '../../archiver/execution-results.ts'
import { type HeaderEndorsement, parseBody, slotIndex, slotOfIndex } from '../../core/index.ts'
import { signBlock } from '../../devnet/index.ts'
import { settle, until } from '../turns.ts'
import {
  giveFinal,
  holdArchiver,
  listSpooled,
  offerChain,
  offerMadeBlock,
  readBody,
  reportFinal,
} from './archiver-holder.ts'
import { blockAt, chainOf, isSlotOf, NETWORK } from './made-chain.ts'

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
