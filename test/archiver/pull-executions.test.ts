import assert from 'node:assert/strict'
import type { SlotExecution } from '../../archiver/execution-results.ts'
import type { Feed } from '../../archiver/feed.ts'
import type { NodeClient, OperationOutcome } from '../../archiver/node-client.ts'
import { pullExecutions } from '../../archiver/pull-executions.ts'
import { type ScExecutionEventMessage, type Slot, slotIndex, slotOfIndex, toU64 } from '../../core/index.ts'
import { createLogger } from '../../telemetry/index.ts'

/** As a massa-node limits its answers. */
const MAX_EVENTS = 7_000
const log = createLogger({ level: 'error', format: 'json', destination: { write: () => undefined } })

/** A node with so many events at each slot, and what was taken of them. */
function play(eventsAt: ReadonlyMap<number, number>, wanted: readonly number[]) {
  const taken = new Map<number, SlotExecution>()
  const ranges: [number, number][] = []
  const client = {
    url: 'fake',
    getEvents: async (from: Slot, to: Slot) => {
      ranges.push([slotIndex(from), slotIndex(to)])
      const events: ScExecutionEventMessage[] = []
      for (let index = slotIndex(from); index < slotIndex(to); index++) {
        const { period, thread } = slotOfIndex(index)
        for (let i = 0; i < (eventsAt.get(index) ?? 0); i++) {
          const originSlot = { period: toU64(BigInt(period)), thread }
          events.push({ context: { originSlot, indexInSlot: toU64(BigInt(i)) }, data: new Uint8Array(0) })
        }
      }
      return events.slice(0, MAX_EVENTS)
    },
    queryOutcomes: async (ids: readonly string[]) =>
      new Map(ids.map((id): [string, OperationOutcome] => [id, id.startsWith('lost') ? 'unknown' : 'success'])),
  }
  const feed = {
    listUnexecuted: async (upTo: Slot) =>
      wanted
        .filter((index) => index <= slotIndex(upTo))
        .map((index) => ({ slot: slotOfIndex(index), operationIds: [`O${index}`, ...(index === 3 ? ['lost'] : [])] })),
    onExecution: async (slot: Slot, execution: SlotExecution) => void taken.set(slotIndex(slot), execution),
  }
  const pull = { client: client as unknown as NodeClient, feed: feed as unknown as Feed, log }
  return { pull, taken, ranges }
}

const UP_TO = slotOfIndex(1_000)
const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)

describe('archiver/pull-executions', () => {
  it('asks for every slot that is missing, however many, 64 at a time', async () => {
    const wanted = [...numbers(2, 200), ...numbers(900, 1_010)]
    const { pull, taken, ranges } = play(new Map([[950, 3]]), wanted)
    await pullExecutions(pull, UP_TO)
    assert.deepEqual(
      [...taken.keys()],
      wanted.filter((index) => index <= 1_000),
    )
    assert.equal(taken.get(950)?.events.length, 3)
    assert.equal(ranges.length, 6)
    const incomplete = [...taken].filter(([, { complete }]) => !complete).map(([index]) => index)
    assert.deepEqual(incomplete, [3], 'of one operation nothing was known')
  })

  it('leaves to the stream what it will bring', async () => {
    const { pull, taken } = play(new Map(), numbers(10, 30))
    await pullExecutions(pull, UP_TO, 20)
    assert.deepEqual([...taken.keys()], numbers(10, 20))
  })

  it('limit: goes on after a full answer, so that no events are left out', async () => {
    const eventsAt = new Map(numbers(10, 40).map((index) => [index, 500]))
    const { pull, taken, ranges } = play(eventsAt, numbers(5, 45))
    await pullExecutions(pull, UP_TO)
    for (const index of numbers(5, 45)) {
      assert.equal(taken.get(index)?.events.length, eventsAt.get(index) ?? 0, `slot ${index}`)
      assert.equal(taken.get(index)?.complete, true)
    }
    assert.ok(ranges.length > 1)
  })

  it('limit: a slot with more events than an answer holds is marked as incomplete, and the rest goes on', async () => {
    const { pull, taken } = play(new Map([[10, 9_000]]), [10, 11])
    await pullExecutions(pull, UP_TO)
    assert.equal(taken.get(10)?.events.length, MAX_EVENTS)
    assert.equal(taken.get(10)?.complete, false)
    assert.equal(taken.get(11)?.complete, true)
  })
})
