import assert from 'node:assert/strict'
import { Args, EventPoller, type SmartContract } from '@massalabs/massa-web3'
import { MAS } from '../face.ts'
import { ALICE, BOB, COUNTER, NOBODY, openWeb3Face, type Web3Face } from './web3-face.ts'

/** More than a busy machine needs for an answer: a poller does not wait for the last one before it asks again. */
const POLL_MS = 300

const step = (value: bigint) => new Args().addU64(value)

describe('massa-web3 on the devnet node: events', () => {
  let face: Web3Face
  let counter: SmartContract
  let first: string
  let firstSlot: { period: number; thread: number }

  before(async () => {
    face = await openWeb3Face()
    counter = await face.deploy(COUNTER, step(0n), { coins: MAS })
    first = (await counter.call('increment', step(1n))).id
    await counter.call('increment', new Args(), { maxGas: 50_000_000n })
    face.execute()
    const [event] = await face.provider.getEvents({ operationId: first })
    firstSlot = event?.context.slot ?? { period: 0, thread: 0 }
    face.pass(2)
    await counter.call('increment', step(2n))
    face.execute()
  })

  after(() => face.close())

  const dataOf = async (filter: Parameters<typeof face.provider.getEvents>[0]) =>
    (await face.provider.getEvents(filter)).map(({ data }) => data)
  const counted = (value: number) => `COUNTED:${ALICE.address},${value}`

  it('by contract, in the order in which they came', async () => {
    const all = await dataOf({ smartContractAddress: counter.address, isError: false })
    assert.deepEqual(all, [counted(1), counted(3)])
  })

  it('by the account that called', async () => {
    const mine = await dataOf({ callerAddress: ALICE.address, smartContractAddress: counter.address, isError: false })
    assert.equal(mine.length, 2)
    assert.deepEqual(await dataOf({ callerAddress: BOB.address }), [])
  })

  it('by operation', async () => {
    assert.deepEqual(await dataOf({ operationId: first }), [counted(1)])
  })

  it('by slots: the start is in, the end is out', async () => {
    const { period, thread } = firstSlot
    const only = { smartContractAddress: counter.address, isError: false }
    const after = { period, thread: thread + 1 }
    assert.deepEqual(await dataOf({ ...only, start: firstSlot, end: after }), [counted(1)])
    assert.deepEqual(await dataOf({ ...only, end: firstSlot }), [])
    assert.deepEqual(await dataOf({ ...only, start: after }), [counted(3)])
  })

  it('those of failures alone, with the reason', async () => {
    const [failure, ...rest] = await dataOf({ smartContractAddress: counter.address, isError: true })
    assert.match(failure ?? '', /massa_execution_error.*NO_STEP/)
    assert.deepEqual(rest, [])
  })

  it('say where they come from', async () => {
    const [event] = await face.provider.getEvents({ operationId: first })
    assert.deepEqual(event?.context.call_stack, [ALICE.address, counter.address])
    assert.equal(event?.context.origin_operation_id, first)
    assert.equal(event?.context.index_in_slot, 0)
    assert.equal(event?.context.read_only, false)
    assert.match(event?.context.block ?? '', /^B/)
  })

  it('final ones are asked for by more than that they are final', async () => {
    face.finalize()
    assert.deepEqual(await dataOf({ isFinal: true }), [])
    assert.deepEqual(await dataOf({ smartContractAddress: counter.address, isFinal: false }), [])
    const final = await face.provider.getEvents({ smartContractAddress: counter.address, isFinal: true })
    assert.equal(final.length, 3)
    assert(final.every(({ context }) => context.is_final === true))
  })

  it('of nobody are none', async () => {
    assert.deepEqual(await dataOf({ callerAddress: NOBODY.address }), [])
  })

  it('final events of an operation are waited for', async () => {
    const operation = await counter.call('increment', step(1n))
    const events = await face.whilePassing(() => operation.getFinalEvents())
    assert.deepEqual(
      events.map(({ context }) => context.is_final),
      [true],
    )
  })

  it('a poller tells each event, in order', async () => {
    // massa-web3 does not wait for an answer before it asks again: one that takes longer than a poll is told twice.
    const told = new Set<string>()
    let enough = () => {}
    const done = new Promise<void>((resolve) => {
      enough = resolve
    })
    const filter = {
      smartContractAddress: counter.address,
      isFinal: true,
      isError: false,
      start: await face.api.getCurrentSlot(),
    }
    const before = new Args((await counter.read('count')).value).nextU64()
    const { stopPolling } = EventPoller.start(
      face.provider,
      filter,
      (events) => {
        for (const { data } of events) told.add(data)
        if (told.size >= 3) enough()
      },
      (error) => assert.fail(error),
      POLL_MS,
    )
    try {
      for (const value of [1n, 2n, 3n]) {
        await counter.call('increment', step(value))
        face.finalize()
      }
      await done
    } finally {
      stopPolling()
    }
    assert.deepEqual(
      [...told],
      [before + 1n, before + 3n, before + 6n].map((value) => `COUNTED:${ALICE.address},${value}`),
    )
  })
})
