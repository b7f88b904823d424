import assert from 'node:assert/strict'
import { AnswerFaults } from '../../../../devnet/node/process/answer-faults.ts'
import { SetClock } from '../../set-clock.ts'

const HONEST = Uint8Array.of(1, 2, 3, 4)

describe('devnet/node/process/answer-faults', () => {
  let clock: SetClock
  let faults: AnswerFaults
  const ask = (rpc: 'GetBlocks' | 'GetStatus') => faults.apply(rpc, async () => HONEST)

  beforeEach(() => {
    clock = new SetClock()
    faults = new AnswerFaults(clock)
  })

  it('leaves answers alone without an order', async () => {
    assert.equal(faults.waiting, 0)
    assert.deepEqual(await ask('GetBlocks'), HONEST)
  })

  it('corrupts as many answers as ordered, of the call that was named', async () => {
    faults.order({ kind: 'corrupt', rpc: 'GetBlocks', count: 2 })
    assert.deepEqual(await ask('GetStatus'), HONEST)
    assert.equal(faults.waiting, 2)
    for (let i = 0; i < 2; i++) {
      const answer = await ask('GetBlocks')
      assert(answer instanceof Uint8Array)
      assert.equal(answer.filter((byte, at) => byte !== HONEST[at]).length, 1)
    }
    assert.deepEqual(await ask('GetBlocks'), HONEST)
  })

  it('delays an answer, and gives none where it hangs', async () => {
    faults.order({ kind: 'delay', delayMs: 700, count: 1 })
    const beforeMs = clock.timeMs
    assert.deepEqual(await ask('GetStatus'), HONEST)
    assert.equal(clock.timeMs - beforeMs, 700)
    faults.order({ kind: 'hang', count: 1 })
    assert.equal(await ask('GetStatus'), 'hang')
  })
})
