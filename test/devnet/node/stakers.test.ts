import assert from 'node:assert/strict'
import { fromU64 } from '../../../core/index.ts'
import { getStakers } from '../../../devnet/node/grpc/status-answers.ts'
import type { DevnetChain } from '../../../devnet/node/index.ts'
import { RPC_METHODS } from '../../../devnet/node/json-rpc/rpc-methods.ts'
import { GetStakersResponse } from '../../../telemetry/grpc/messages.ts'
import { ALICE, BOB, makeSender, openChain, pass, send } from './chain/made-chain.ts'

const ROLLS = [
  [BOB, 7n],
  [ALICE, 9n],
  [makeSender('carol'), 8n],
] as const

const FACES = {
  gRPC: (chain: DevnetChain) =>
    GetStakersResponse.decode(getStakers(new Uint8Array(0), chain)).stakers.map(({ address, rolls }) => [
      address,
      Number(fromU64(rolls)),
    ]),
  'JSON-RPC': (chain: DevnetChain) => RPC_METHODS.get('get_stakers')?.run({ chain }, undefined),
}

describe('devnet/node: stakers', () => {
  for (const [face, ask] of Object.entries(FACES)) {
    it(`${face}: those for whom slots are drawn, most rolls first, whatever is bought in this cycle`, async () => {
      const stakers = ROLLS.map(([{ key }, rolls]) => ({ key, rolls }))
      const chain = openChain({ endorsements: 0, deltaF0: 40, stakers })
      send(chain, BOB, { kind: 'roll-buy', rollCount: 5n })
      await pass(chain, 100)
      assert.equal(chain.rollsOf(BOB.address).final, 12n)
      const expected = [1, 2, 0].map((place) => ROLLS[place]).map((one) => [one?.[0].address, Number(one?.[1])])
      assert.deepEqual(ask(chain), expected)
    })
  }
})
