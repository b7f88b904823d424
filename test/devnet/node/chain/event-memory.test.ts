import assert from 'node:assert/strict'
import { slotOfIndex } from '../../../../core/index.ts'
import { type ChainEvent, EventMemory } from '../../../../devnet/node/chain/event-memory.ts'
import { ALICE, openChain, pass, send } from './made-chain.ts'

const TEXT_BYTES = 100
/** Of one event with such a text, as it is counted. */
const EVENT_BYTES = 400 + TEXT_BYTES
const ROOM = 32

function makeEvent(index: number): ChainEvent {
  const common = { indexInSlot: 0, callStack: [], readOnly: false, isError: false }
  return { event: { ...common, slot: slotOfIndex(index), data: 'x'.repeat(TEXT_BYTES) }, block: undefined }
}

/** One event in each slot. */
function fill(memory: EventMemory, count: number): void {
  for (let index = 0; index < count; index++) memory.add(makeEvent(index))
}

const first = (memory: EventMemory) => memory.all[0]?.event.slot

describe('devnet/node/chain/event-memory', () => {
  it('limit: keeps a sixteenth more than it has room for, and of one event more the newest that it has room for', () => {
    const memory = new EventMemory(ROOM * EVENT_BYTES)
    fill(memory, ROOM + 2)
    memory.trim(Number.MAX_SAFE_INTEGER)
    assert.deepEqual([memory.all.length, first(memory)], [ROOM + 2, slotOfIndex(0)])
    memory.add(makeEvent(ROOM + 2))
    memory.trim(Number.MAX_SAFE_INTEGER)
    assert.deepEqual([memory.all.length, first(memory)], [ROOM, slotOfIndex(3)])
    memory.add(makeEvent(ROOM + 3))
    memory.trim(Number.MAX_SAFE_INTEGER)
    assert.equal(memory.all.length, ROOM + 1)
  })

  it('never throws away what is not final', () => {
    const memory = new EventMemory(ROOM * EVENT_BYTES)
    fill(memory, 2 * ROOM)
    memory.trim(4)
    assert.deepEqual([memory.all.length, first(memory)], [2 * ROOM - 5, slotOfIndex(5)])
    memory.forgetFinal(9)
    assert.deepEqual([memory.all.length, first(memory)], [2 * ROOM - 10, slotOfIndex(10)])
    memory.forgetFinal(Number.MAX_SAFE_INTEGER)
    fill(memory, ROOM)
    memory.trim(Number.MAX_SAFE_INTEGER)
    assert.equal(memory.all.length, ROOM)
  })

  it('a chain has room for 256 MiB of them, and throws the oldest final ones away', async () => {
    assert.equal(openChain().options.maxEventBytes, 268_435_456)
    const chain = openChain({ endorsements: 0, deltaF0: 2, maxEventBytes: 1500 })
    const ids: string[] = []
    for (let i = 1n; i <= 6n; i++) {
      ids.push(send(chain, ALICE, { kind: 'roll-sell', rollCount: i }))
      await pass(chain, 40)
    }
    const told = chain.events.map(({ event }) => event.originOperationId)
    assert(told.length >= 2 && told.length <= 3, `${told.length} events`)
    assert.deepEqual(told, ids.slice(-told.length))
  })
})
