import assert from 'node:assert/strict'
import { slotIndex } from '../../../../core/index.ts'
import type { DevnetChain } from '../../../../devnet/node/index.ts'
import { forgetHistory } from '../../../../devnet/node/process/forgetful-chain.ts'
import { ALICE, openChain, pass, send } from '../chain/made-chain.ts'

/** Each fails, which is told in an event. */
const sell = (chain: DevnetChain, rollCount: bigint) => send(chain, ALICE, { kind: 'roll-sell', rollCount })

describe('devnet/node/process/forgetful-chain', () => {
  it('operations and events that were final are gone, later ones and what became of all are known', async () => {
    const chain = openChain({ endorsements: 0, deltaF0: 40 })
    const before = sell(chain, 1n)
    await pass(chain, 120)
    const forgottenIndex = slotIndex(chain.finalSlot)
    const view = forgetHistory(chain, forgottenIndex)
    assert.equal(chain.findExecution(before)?.isFinal, true)
    assert.deepEqual([chain.operations.has(before), view.operations.has(before)], [true, false])
    assert.deepEqual([chain.events.length, view.events.length], [1, 0])
    const after = sell(chain, 2n)
    assert.deepEqual([...view.operations.keys()], [after])
    await pass(chain, 120)
    assert(view.isFinal(slotIndex(view.events[0]?.event.slot ?? { period: 0, thread: 0 })))
    assert.deepEqual(
      view.events.map(({ event }) => event.originOperationId),
      [after],
    )
    assert.deepEqual([...view.operations.keys()], [after])
    assert.equal(view.operations.get(before), undefined)
    assert.equal(view.operations.size, 1)
    assert.equal(view.findExecution(before)?.success, false)
    assert(view.listBlocks(0, forgottenIndex + 1).length === 0 && chain.listBlocks(0, forgottenIndex + 1).length > 0)
  })
})
