import assert from 'node:assert/strict'
import { fromU64, slotFromProtobuf, slotIndex } from '../../../../core/index.ts'
import { getSelectorDraws } from '../../../../devnet/node/grpc/status-answers.ts'
import { GetSelectorDrawsResponse } from '../../../../telemetry/grpc/messages.ts'
import { openChain, pass } from '../chain/made-chain.ts'

/** From period 1 on, without an end. */
const FROM_PERIOD_1 = Buffer.of(10, 6, 18, 4, 10, 2, 8, 1)
const CYCLE_SLOTS = 128 * 32

describe('devnet/node/grpc/status-answers', () => {
  it('draws of all cycles come in one answer, in order, while others have their turn', async () => {
    const chain = openChain({ endorsements: 0 })
    await pass(chain, 1)
    let turns = 0
    const turn = () => {
      turns++
      next = setImmediate(turn)
    }
    let next = setImmediate(turn)
    const answer = await getSelectorDraws(FROM_PERIOD_1, chain)
    clearImmediate(next)
    const { draws } = GetSelectorDrawsResponse.decode(answer)
    // This cycle and the next two.
    assert.deepEqual(
      draws.map(({ slot }) => slotIndex(slotFromProtobuf(slot))),
      Array.from({ length: 3 * CYCLE_SLOTS - 32 }, (_, i) => 32 + i),
    )
    for (const { slot, blockProducer, endorsementDraws } of draws.filter((_, i) => i % 1000 === 0)) {
      const index = slotIndex(slotFromProtobuf(slot))
      assert.equal(blockProducer?.value, chain.producerOf(index))
      assert.deepEqual(
        endorsementDraws?.map(({ index: place, producer }) => [Number(fromU64(place)), producer]),
        [...chain.drawOf(index).endorsers.entries()],
      )
    }
    assert(turns >= 20, `${turns} turns`)
  })
})
