import assert from 'node:assert/strict'
import { slotToProtobuf } from '../../../../core/index.ts'
import { toOutputMessage } from '../../../../devnet/node/grpc/output-messages.ts'
import type { SlotOutput } from '../../../../devnet/node/index.ts'
import { ALICE, openChain, pass, send, transfer } from '../chain/made-chain.ts'

describe('devnet/node/grpc/output-messages', () => {
  it('an executed operation is told with the last slot in which it was valid', async () => {
    const chain = openChain({ endorsements: 0, deltaF0: 40 })
    const outputs: SlotOutput[] = []
    chain.onSlotExecuted((output) => outputs.push(output))
    const id = send(chain, ALICE, transfer(1n), { expirePeriod: 7 })
    await pass(chain, 40)
    const changes = outputs.flatMap((output) => toOutputMessage(output).stateChanges.executedOpsChanges ?? [])
    assert.deepEqual(
      changes.map(({ operationId, value }) => [operationId, value?.slot]),
      [[id, slotToProtobuf({ period: 7, thread: ALICE.thread })]],
    )
  })
})
