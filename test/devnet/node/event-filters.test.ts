import assert from 'node:assert/strict'
import { fromU64, type Slot, THREAD_COUNT, toU64 } from '../../../core/index.ts'
import { findEvents } from '../../../devnet/node/grpc/event-answers.ts'
import type { DevnetChain } from '../../../devnet/node/index.ts'
import { RPC_METHODS } from '../../../devnet/node/json-rpc/rpc-methods.ts'
import { ALICE, openChain, pass, send } from './chain/made-chain.ts'

const FAILURES = 3

/** gRPC and JSON-RPC, by what they call a filter of failures. */
const FACES = {
  gRPC: (chain: DevnetChain, isFailure: boolean | undefined) =>
    findEvents(isFailure === undefined ? [] : [{ filter: 'isFailure', isFailure } as Filter], chain),
  'JSON-RPC': (chain: DevnetChain, isFailure: boolean | undefined) =>
    RPC_METHODS.get('get_filtered_sc_output_event')?.run(
      { chain },
      JSON.stringify([isFailure === undefined ? {} : { is_error: isFailure }]),
    ),
}
type Filter = Parameters<typeof findEvents>[0][number]

describe('devnet/node: filters of final events', () => {
  let chain: DevnetChain

  before(async () => {
    chain = openChain({ endorsements: 0, deltaF0: 40 })
    // Nobody has rolls to sell: each tells of it in an event.
    for (let i = 1; i <= FAILURES; i++) send(chain, ALICE, { kind: 'roll-sell', rollCount: BigInt(i) })
    await pass(chain, 100)
    assert(chain.events.every(({ event }) => event.isError))
    assert(chain.events.length === FAILURES && chain.finalSlot.period > 1)
  })

  for (const [face, find] of Object.entries(FACES)) {
    it(`${face}: whether they are failures is enough to find them by, nothing at all is not`, () => {
      const counts = [true, false, undefined].map((isFailure) => (find(chain, isFailure) as unknown[]).length)
      assert.deepEqual(counts, [FAILURES, 0, 0])
    })
  }
})

describe('devnet/node: threads beyond the last one in filters of events', () => {
  const EVENTS = 6
  let chain: DevnetChain

  before(async () => {
    chain = openChain({ endorsements: 0, deltaF0: 40 })
    for (let i = 1; i <= EVENTS; i++) {
      send(chain, ALICE, { kind: 'roll-sell', rollCount: BigInt(i) })
      await pass(chain, THREAD_COUNT)
    }
    await pass(chain, 3 * THREAD_COUNT)
    assert.equal(chain.events.length, EVENTS)
  })

  const askJsonRpc = (on: DevnetChain, bounds: Bounds) =>
    RPC_METHODS.get('get_filtered_sc_output_event')?.run({ chain: on }, JSON.stringify([bounds])) as Found[]
  type Found = { readonly context: { readonly slot: Slot } }
  type Bounds = { readonly start?: Slot; readonly end?: Slot }
  const toMessage = ({ period, thread }: Slot) => ({ period: toU64(BigInt(period)), thread })
  const FIND = {
    gRPC: ({ start, end }: Bounds) => {
      const slotRange = { startSlot: start && toMessage(start), endSlot: end && toMessage(end) }
      return findEvents([{ filter: 'slotRange', slotRange } as Filter], chain).map(({ context }) => ({
        period: Number(fromU64(context?.originSlot?.period)),
      }))
    },
    'JSON-RPC': (bounds: Bounds) => askJsonRpc(chain, bounds).map(({ context }) => ({ period: context.slot.period })),
  }

  for (const [face, find] of Object.entries(FIND)) {
    it(`${face}: thread 32 and above are after all of their period and before the next one`, () => {
      const periods = chain.events.map(({ event }) => ({ period: event.slot.period }))
      const middle = periods[2]?.period ?? 0
      for (const thread of [32, 99, 255]) {
        assert.deepEqual(
          find({ start: { period: middle, thread } }),
          periods.filter(({ period }) => period > middle),
        )
        assert.deepEqual(
          find({ end: { period: middle, thread } }),
          periods.filter(({ period }) => period <= middle),
        )
      }
    })
  }
})
