import assert from 'node:assert/strict'
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
