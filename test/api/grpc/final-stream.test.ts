import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type ServiceError, status } from '@grpc/grpc-js'
import type { History } from '../../../api/json-rpc/archive-context.ts'
import {
  ArchiveError,
  NewSlotExecutionOutputsResponseCodec,
  type Slot,
  slotFromProtobuf,
  THREAD_COUNT,
} from '../../../core/index.ts'
import { encode, type GrpcArchive, openGrpcArchive, rangeOf } from './grpc-archive.ts'
import { makeHistory, NETWORK, QUIET } from './stub-history.ts'

const OUTPUTS = 'NewSlotExecutionOutputs'
const ofSlots = (...filters: object[]) => encode(`${OUTPUTS}Request`, { filters })

describe('api/grpc: streams of final slots', () => {
  let archive: GrpcArchive
  let range: { first: number; last: number }

  async function open(own: Partial<History> = {}): Promise<void> {
    range = { first: 3, last: 4 }
    archive = await openGrpcArchive({ history: makeHistory(range, own), network: NETWORK })
  }

  afterEach(() => archive.close())

  /** What comes, and how it ends. */
  function listen(request: Uint8Array, rpc = `${OUTPUTS}Server`) {
    const stream = archive.caller.open(rpc, request)
    const slots: Slot[] = []
    const messages: Buffer[] = []
    stream.on('data', (message: Buffer) => {
      messages.push(message)
      slots.push(readSlot(message))
    })
    const ended = new Promise<{ code: number; details: string }>((resolve) => {
      stream.on('error', () => {})
      stream.on('status', ({ code, details }: ServiceError) => resolve({ code, details }))
    })
    return { stream, slots, messages, ended }
  }

  async function whenHeard({ stream, slots }: ReturnType<typeof listen>, count: number): Promise<void> {
    while (slots.length < count) await once(stream, 'data')
  }

  /** Until what had to come has come, and nothing more. */
  const settle = ({ slots }: ReturnType<typeof listen>) => archive.caller.settle(() => slots.length)

  it('a past start: every slot from it on, misses too, then each that is archived', async () => {
    await open()
    const heard = listen(ofSlots(rangeOf([3, 30])))
    await whenHeard(heard, 2 + THREAD_COUNT)
    range.last = 5
    archive.look()
    await whenHeard(heard, 2 + 2 * THREAD_COUNT)
    await settle(heard)
    assert.deepEqual(heard.slots[0], { period: 3, thread: 30 })
    assert.deepEqual(heard.slots.at(-1), { period: 5, thread: 31 })
    assert.equal(heard.slots.length, 2 + 2 * THREAD_COUNT)
  })

  it('no start, and one that is to come: nothing of the past', async () => {
    await open()
    const [next, later] = [listen(ofSlots()), listen(ofSlots(rangeOf([6, 1])))]
    await settle(next)
    range.last = 6
    archive.look()
    await whenHeard(next, 2 * THREAD_COUNT)
    await whenHeard(later, THREAD_COUNT - 1)
    assert.deepEqual(
      [next.slots[0], later.slots[0]],
      [
        { period: 5, thread: 0 },
        { period: 6, thread: 1 },
      ],
    )
  })

  it('the end of a range is the end of the stream', async () => {
    await open()
    const heard = listen(ofSlots(rangeOf([3, 4], [3, 7])))
    assert.equal((await heard.ended).code, status.OK)
    assert.deepEqual(
      heard.slots.map(({ thread }) => thread),
      [4, 5, 6],
    )
    assert.equal((await listen(ofSlots(rangeOf(undefined, [3, 7]))).ended).code, status.OK)
  })

  it('the first slot of all can be a start', async () => {
    await open()
    range.first = 0
    const heard = listen(ofSlots(rangeOf([0, 0], [0, 2])))
    await heard.ended
    assert.equal(heard.slots.length, 2)
  })

  it('error: a start before the archive is refused with what there is', async () => {
    await open()
    const details = 'period 2 is not archived here, the first one is 3'
    assert.deepEqual(await listen(ofSlots(rangeOf([2, 31]))).ended, { code: status.OUT_OF_RANGE, details })
  })

  it('error: a period that lacks ends the stream, after all that comes before it', async () => {
    await open({ findSlot: async ({ period }) => (period === 4 ? undefined : { kind: 'miss' }) })
    range.last = 9
    const heard = listen(ofSlots(rangeOf([3, 0])))
    const details = 'period 4 is not archived here, later ones are'
    assert.deepEqual(await heard.ended, { code: status.DATA_LOSS, details })
    assert.equal(heard.slots.length, THREAD_COUNT)
  })

  it('regression: a period that is deleted while it is read lacks, and is none of which nothing is known', async () => {
    let isDeleted = false
    const readOnce = <T>(value: T) => {
      const read = isDeleted ? undefined : value
      isDeleted = true
      return read
    }
    await open({
      findSlot: async () => readOnce({ kind: 'miss' as const }),
      readExecution: async () => readOnce(QUIET),
    })
    const heard = listen(ofSlots(rangeOf([3, 0])))
    assert.equal((await heard.ended).code, status.DATA_LOSS)
    assert.equal(heard.slots.length, 0)
  })

  it('error: what cannot be read ends it with the code, and no path', async () => {
    const fail = async () => {
      throw new ArchiveError('STORE_READ_FAILED', 'cannot read /secret')
    }
    await open({ findSlot: fail })
    const ended = { code: status.INTERNAL, details: 'STORE_READ_FAILED' }
    assert.deepEqual(await listen(ofSlots(rangeOf([3, 0]))).ended, ended)
  })

  it('candidates: a stream that stays silent', async () => {
    await open()
    const heard = listen(ofSlots({ status: 1 }, rangeOf([3, 0])))
    await settle(heard)
    assert.equal(heard.slots.length, 0)
  })

  it('an execution that is not known, or in parts: no changes, whatever is asked for', async () => {
    const event = { indexInSlot: 0, callStack: [], operationId: '', failed: false, data: new Uint8Array(1) }
    const known = [undefined, { ...QUIET, complete: false, events: [event] }, QUIET, { ...QUIET, events: [event] }]
    await open({ readExecution: async ({ thread }) => known[thread] })
    const slots = rangeOf([3, 0], [3, 4])
    const all = listen(ofSlots(slots))
    await all.ended
    const read = (message: Buffer) => NewSlotExecutionOutputsResponseCodec.decode(message).output?.executionOutput
    const isKnown = (message: Buffer) => Boolean(read(message)?.stateChanges)
    assert.deepEqual(all.messages.map(isKnown), [false, false, true, true])
    assert.deepEqual(
      all.messages.map((message) => read(message)?.events?.length),
      [0, 0, 0, 1],
    )
    const failed = listen(ofSlots(slots, { eventFilter: { isFailure: false } }))
    await failed.ended
    assert.deepEqual(
      failed.slots.map(({ thread }) => thread),
      [0, 1, 3],
    )
  })

  it('error: filters of changes that are not archived', async () => {
    await open()
    const details = 'ledgerChangesFilter: of these changes nothing is archived'
    const { ended } = listen(ofSlots({ ledgerChangesFilter: { address: 'AU1' } }))
    assert.deepEqual(await ended, { code: status.INVALID_ARGUMENT, details })
  })

  it('a conversation: later filters replace the ones before, and with the client it ends', async () => {
    await open()
    const stream = archive.caller.converse(OUTPUTS)
    const slots: Slot[] = []
    stream.on('data', (message: Buffer) => slots.push(readSlot(message)))
    const until = async (count: number) => {
      while (slots.length < count) await once(stream, 'data')
    }
    stream.write(Buffer.from(ofSlots(rangeOf([4, 30]))))
    await until(2)
    stream.write(Buffer.from(ofSlots(rangeOf([3, 31]))))
    await until(2 + 1 + THREAD_COUNT)
    assert.deepEqual(slots[2], { period: 3, thread: 31 })
    stream.write(Buffer.from(ofSlots({ status: 2 })))
    await archive.caller.settle(() => slots.length)
    range.last = 5
    archive.look()
    await until(2 + 1 + 2 * THREAD_COUNT)
    assert.deepEqual(slots[3 + THREAD_COUNT], { period: 5, thread: 0 })
    const ended = once(stream, 'status')
    stream.end()
    assert.equal(((await ended) as [ServiceError])[0].code, status.OK)
  })

  it('error: a request in a conversation that is none ends it', async () => {
    await open()
    const stream = archive.caller.converse(OUTPUTS)
    stream.on('error', () => {})
    stream.resume()
    stream.write(Buffer.from([0xff]))
    const { code, details } = await new Promise<ServiceError>((resolve) => stream.on('status', resolve))
    assert.deepEqual([code, details], [status.INTERNAL, 'failed to decode Protobuf message: invalid varint'])
  })

  it('streams say that the archive stops', async () => {
    await open()
    const heard = listen(ofSlots(rangeOf([4, 31])))
    await whenHeard(heard, 1)
    await archive.stop()
    assert.deepEqual(await heard.ended, { code: status.UNAVAILABLE, details: 'this archive is being stopped' })
  })
})

function readSlot(message: Buffer): Slot {
  const { output } = NewSlotExecutionOutputsResponseCodec.decode(message)
  return slotFromProtobuf(output?.executionOutput?.slot)
}
