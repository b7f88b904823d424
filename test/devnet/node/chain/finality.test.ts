import assert from 'node:assert/strict'
import fc from 'fast-check'
import { slotIndex, THREAD_COUNT } from '../../../../core/index.ts'
import type { SlotOutput } from '../../../../devnet/node/index.ts'
import { ALICE, BOB, indexOf, MAS, makeSender, openChain, pass, reach, send, transfer } from './made-chain.ts'

const PERIOD = THREAD_COUNT
/** Blocks that cost nothing to make, final when 40 more were made. */
const FAST = { endorsements: 0, deltaF0: 40 }

describe('devnet/node/chain: finality and memory', () => {
  it('a block is final when those after it have more fitness than 1088: with 16 endorsements the 65th', async () => {
    const chain = openChain()
    const first = slotIndex({ period: 1, thread: 0 })
    await reach(chain, first)
    const block = chain.findCliqueBlock(first)
    assert(block)
    assert.equal(chain.blockStatus(block), 1)
    await reach(chain, first + 64)
    assert.equal(chain.blockStatus(block), 1)
    await reach(chain, first + 65)
    assert.equal(chain.blockStatus(block), 2)
    assert.deepEqual(chain.finalSlot, { period: 1, thread: 0 })
  })

  it('a missed slot is decided by a final block after it in its thread, or a period later in any', async () => {
    const chain = openChain(FAST)
    chain.missNext(3)
    const missed = slotIndex({ period: 1, thread: 3 })
    await reach(chain, missed + PERIOD + 40)
    assert.equal(slotIndex(chain.finalSlot), missed - 1)
    // Later ones are final to consensus before execution may go on over the hole.
    const later = chain.findCliqueBlock(missed + 5)
    assert(later)
    assert.equal(chain.blockStatus(later), 2)
    assert.equal(chain.isFinal(missed + 5), false)
    await pass(chain, 1)
    assert.equal(slotIndex(chain.finalSlot), missed + PERIOD)
  })

  it('a rival is received right after the block it lost to, alternate until that is final, then discarded and gone', async () => {
    const chain = openChain(FAST)
    const received: (readonly [number, boolean])[] = []
    chain.onBlockReceived(({ slotIndex: index, isRival }) => received.push([index, isRival]))
    chain.forkNext(1, 7)
    const index = slotIndex({ period: 1, thread: 7 })
    await reach(chain, index + 40)
    assert.deepEqual(
      received.filter(([at]) => at === index),
      [
        [index, false],
        [index, true],
      ],
    )
    assert.equal(received.filter(([, isRival]) => isRival).length, 1)
    const [winner, rival] = chain.listBlocks(index, index + 1)
    assert(winner && rival)
    assert.deepEqual([chain.blockStatus(winner), chain.blockStatus(rival)], [1, 3])
    await pass(chain, 1)
    assert.deepEqual([chain.blockStatus(winner), chain.blockStatus(rival)], [2, 4])
    await pass(chain, PERIOD)
    assert.deepEqual([chain.blockStatus(winner), chain.blockStatus(rival)], [2, 0])
    assert.equal(chain.findBlock(rival.id), undefined)
  })

  it('limit: a final block is there until the sixth later one of its thread is final, its header 33 periods', async () => {
    const chain = openChain(FAST)
    const index = slotIndex({ period: 1, thread: 9 })
    const id = send(chain, ALICE, transfer(1n))
    await reach(chain, index)
    const block = chain.findCliqueBlock(index)
    assert(block)
    await reach(chain, index + 6 * PERIOD + 40)
    assert.equal(chain.findBlock(block.id), block)
    await pass(chain, 1)
    assert.equal(chain.findBlock(block.id), undefined)
    assert.deepEqual(chain.listBlocks(index, index + 1), [])
    assert.equal(chain.blockStatus(block), 2)
    assert.equal(chain.listGraph(index, index + 1)[0]?.id, block.id)
    await reach(chain, slotIndex({ period: 7, thread: ALICE.thread }) + 41)
    assert.equal(chain.operations.has(id), false)
    await reach(chain, index + 33 * PERIOD + 40)
    assert.equal(chain.listGraph(index, index + 1).length, 1)
    await pass(chain, 1)
    assert.equal(chain.listGraph(index, index + 1).length, 0)
    assert.equal(chain.blockStatus(block), 0)
    assert(chain.listGraph(0, Number.POSITIVE_INFINITY).length <= 36 * PERIOD)
  })

  it('every slot is told once as executed and once as final, in order, whatever is missed', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          seed: fc.string(),
          missRate: fc.constantFrom(0, 0.1, 0.6),
          orphanRate: fc.constantFrom(0, 0.5),
          deltaF0: fc.constantFrom(0, 7, 60),
          executionLagSlots: fc.constantFrom(0, 4, 50),
        }),
        fc.array(fc.integer({ min: 1, max: 90 }), { maxLength: 6 }),
        async (varied, steps) => {
          const chain = openChain({ endorsements: 0, ...varied })
          const told: Record<'executed' | 'final', SlotOutput[]> = { executed: [], final: [] }
          chain.onSlotExecuted((output) => told.executed.push(output))
          chain.onSlotFinal((output) => {
            told.final.push(output)
            assert.equal(output, told.executed[told.final.length - 1])
          })
          for (const step of steps) await chain.advanceTo(chain.genesisTimestampMs + (indexOf(chain) + step) * 500)
          const expected = (until: number) => Array.from({ length: until - PERIOD + 1 }, (_, i) => PERIOD + i)
          assert.deepEqual(
            told.executed.map((output) => output.slotIndex),
            expected(slotIndex(chain.executedSlot)),
          )
          assert.deepEqual(
            told.final.map((output) => output.slotIndex),
            expected(slotIndex(chain.finalSlot)),
          )
          for (const { block, slotIndex: index } of told.final) {
            assert.equal(block?.id, chain.findCliqueBlock(index)?.id ?? block?.id)
            if (block && chain.findBlock(block.id)) assert.equal(chain.blockStatus(block), 2)
          }
        },
      ),
      { numRuns: 30 },
    )
  })

  it('final and candidate ledger are the same when everything is final', async () => {
    const chain = openChain({ ...FAST, deltaF0: 0, executionLagSlots: 0 })
    for (let i = 0; i < 5; i++) {
      send(chain, ALICE, transfer(BigInt(i) * MAS, makeSender(`new ${i}`)))
      send(chain, BOB, transfer(200_000n * MAS))
      await pass(chain, PERIOD)
    }
    await pass(chain, 2)
    const { ledger } = chain.engine
    for (const address of ledger.addresses()) {
      // Of the newest block only its producer is paid; it is the one that is not final.
      if (address === chain.producerOf(indexOf(chain))) continue
      assert.equal(chain.finalLedger.balance(address), ledger.balance(address))
    }
  })
})
