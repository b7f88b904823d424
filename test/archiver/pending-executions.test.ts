import assert from 'node:assert/strict'
import { parseAttestedExecutions } from '../../archiver/attestation.ts'
import { executionFromQueries, type SlotExecution } from '../../archiver/execution-results.ts'
import { EXECUTION_PATIENCE_MS } from '../../archiver/pending-executions.ts'
import { type Period, type Slot, slotIndex, THREAD_COUNT } from '../../core/index.ts'
import { makeChain } from '../../devnet/index.ts'
import { settle, until } from '../turns.ts'
import { type ArchiverHolder, giveFinal, holdArchiver, offerChain } from './archiver-holder.ts'

const NETWORK = { chainId: 77n, genesisTimestampMs: 1_000_000n }
const MISS: Slot = { period: 2, thread: 9 }

describe('archiver/pending-executions', () => {
  const chain = makeChain({
    seed: 'pending executions',
    ...NETWORK,
    periods: 6,
    endorsements: 0,
    operationsPerBlock: 1,
    missedSlots: [MISS],
  })
  const offers = offerChain(chain)
  const upTo = (last: Period) => offers.filter(({ slot }) => slot.period <= last)
  const slotsOf = (period: Period): Slot[] => Array.from({ length: THREAD_COUNT }, (_, thread) => ({ period, thread }))
  const hold = () => holdArchiver({ network: NETWORK, executionPatienceMs: EXECUTION_PATIENCE_MS })
  const said = ({ logged }: ArchiverHolder) =>
    logged
      .filter(({ code }) => code === 'ARCHIVER_EXECUTION_UNREPORTED')
      .map(({ period, count }) => ({ period, count }))

  function makeExecution(slot: Slot): SlotExecution {
    const block = chain.blockAt(slot.period, slot.thread)
    return executionFromQueries(
      new Map(block?.operations.map(({ idText }) => [idText, 'success' as const]) ?? []),
      [{ context: { indexInSlot: { raw: 0n } }, data: new Uint8Array([slot.thread]) } as never],
      true,
    )
  }

  async function giveExecutions(holder: ArchiverHolder, slots: readonly Slot[]): Promise<void> {
    for (const slot of slots) await holder.archiver.onExecution(slot, makeExecution(slot))
  }

  async function countArchived({ store }: ArchiverHolder, period: Period): Promise<number> {
    const bytes = await store.readExecutionResults(period)
    assert.ok(bytes)
    const { executions } = parseAttestedExecutions(bytes, { network: NETWORK, period })
    return executions.filter((execution) => execution !== undefined).length
  }

  async function pass(holder: ArchiverHolder, durationMs: number): Promise<void> {
    for (let passedMs = 0; passedMs < durationMs; passedMs += 1_000) {
      holder.clock.advance(1_000)
      await settle()
    }
  }

  it('regression: a period whose results come after its blocks and claims has all of them, misses too', async () => {
    const holder = await hold()
    await giveFinal(holder, upTo(4))
    await settle()
    assert.deepEqual(holder.archivedPeriods, [0], 'genesis blocks were never executed')
    for (const period of [1, 2, 3]) {
      const slots = slotsOf(period)
      await giveExecutions(holder, slots.slice(1))
      await settle()
      assert.ok(!holder.archivedPeriods.includes(period), `period ${period} waits for its last result`)
      await giveExecutions(holder, slots.slice(0, 1))
      await until(() => holder.archivedPeriods.includes(period))
      assert.equal(await countArchived(holder, period), THREAD_COUNT)
    }
    assert.deepEqual(said(holder), [])
    await holder.archiver.stop()
  })

  it('asks for the results of blocks with their operations and of proven misses, in order, until they come', async () => {
    const holder = await hold()
    await giveFinal(holder, upTo(4))
    await settle()
    const asked = await holder.archiver.listUnexecuted({ period: 2, thread: 31 })
    const expected = [...slotsOf(1), ...slotsOf(2)].map((slot) => ({
      slot,
      operationIds: chain.blockAt(slot.period, slot.thread)?.operations.map(({ idText }) => idText) ?? [],
    }))
    assert.deepEqual(asked, expected)
    await giveExecutions(holder, [MISS, { period: 1, thread: 0 }])
    const rest = await holder.archiver.listUnexecuted({ period: 2, thread: 31 })
    assert.equal(rest.length, expected.length - 2)
    assert.ok(!rest.some(({ slot }) => slotIndex(slot) === slotIndex(MISS)))
    await holder.archiver.stop()
  })

  it('limit: without results a period is archived when its patience is over, and that is said', async () => {
    const holder = await hold()
    await giveFinal(holder, upTo(3))
    await giveExecutions(holder, slotsOf(1).slice(0, 20))
    await pass(holder, EXECUTION_PATIENCE_MS - 1_000)
    assert.deepEqual(holder.archivedPeriods, [0])
    await pass(holder, 1_000)
    await until(() => holder.archivedPeriods.includes(1))
    assert.equal(await countArchived(holder, 1), 20)
    assert.deepEqual(said(holder)[0], { period: 1, count: 12 })
    await holder.archiver.stop()
  })

  it('regression: misses that are proven when the patience is over are still given time', async () => {
    const holder = await hold()
    const [before, after] = [upTo(2), offers.filter(({ slot }) => slot.period === 3)]
    await giveFinal(holder, before)
    await giveExecutions(
      holder,
      [...slotsOf(1), ...slotsOf(2)].filter((slot) => slotIndex(slot) !== slotIndex(MISS)),
    )
    await pass(holder, EXECUTION_PATIENCE_MS + 1_000)
    await giveFinal(holder, after)
    await settle()
    assert.ok(!holder.archivedPeriods.includes(2), 'nobody could be asked for the miss before')
    await giveExecutions(holder, [MISS])
    await until(() => holder.archivedPeriods.includes(2))
    assert.equal(await countArchived(holder, 2), THREAD_COUNT)
    assert.deepEqual(said(holder), [])
    await holder.archiver.stop()
  })

  it('limit: a node that gave none before is given a moment, until it gives some again', async () => {
    const holder = await hold()
    await giveFinal(holder, upTo(3))
    await pass(holder, EXECUTION_PATIENCE_MS)
    await until(() => holder.archivedPeriods.includes(2))
    const before = holder.archivedPeriods.length
    await giveFinal(holder, upTo(4))
    await settle()
    assert.equal(holder.archivedPeriods.length, before)
    await pass(holder, 2_000)
    await until(() => holder.archivedPeriods.includes(4))
    await giveExecutions(holder, slotsOf(5).slice(0, 1))
    await giveFinal(holder, upTo(5))
    await pass(holder, EXECUTION_PATIENCE_MS - 1_000)
    assert.ok(!holder.archivedPeriods.includes(5), 'the whole patience again')
    await pass(holder, 1_000)
    await until(() => holder.archivedPeriods.includes(5))
    const { unreportedSlots } = holder.archiver.status()
    assert.equal(unreportedSlots, 5 * THREAD_COUNT - 1)
    await holder.archiver.stop()
  })

  it('what came before a restart is kept and not asked for again, be no block of its period known yet', async () => {
    const holder = await hold()
    await giveFinal(holder, upTo(2))
    await giveExecutions(holder, [...slotsOf(1).slice(0, 31), ...slotsOf(3)])
    await holder.restart()
    await giveFinal(holder, upTo(4))
    await settle()
    assert.ok(!holder.archivedPeriods.includes(1))
    const asked = await holder.archiver.listUnexecuted({ period: 3, thread: 31 })
    assert.deepEqual(
      asked.map(({ slot }) => slot),
      [{ period: 1, thread: 31 }, ...slotsOf(2)],
    )
    await giveExecutions(holder, [{ period: 1, thread: 31 }, ...slotsOf(2)])
    await until(() => holder.archivedPeriods.includes(3))
    for (const period of [1, 2, 3]) assert.equal(await countArchived(holder, period), THREAD_COUNT)
    assert.deepEqual(said(holder), [])
    await holder.archiver.stop()
  })
})
