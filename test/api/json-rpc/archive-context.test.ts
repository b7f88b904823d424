import assert from 'node:assert/strict'
import { type History, readBlocks } from '../../../api/json-rpc/archive-context.ts'
import { isArchiveError, type Slot } from '../../../core/index.ts'
import type { HistoryBlock, HistorySlot } from '../../../storage-worker/index.ts'

const PERIOD = 9

/** Of a period with a block in each of its threads below `kept`; the others are gone. @param first - of the archive */
function historyOf(kept: number, first: number): History {
  const findSlot = async (slot: Slot): Promise<HistorySlot | undefined> =>
    slot.thread < kept ? { kind: 'block', block: { slot } as HistoryBlock } : undefined
  const readRange = async () => ({ first, last: PERIOD + 5 })
  return { findSlot, readRange } as unknown as History
}

async function readThreads(kept: number, first = PERIOD - 1): Promise<number[]> {
  const threads: number[] = []
  for await (const { slot } of readBlocks(historyOf(kept, first), PERIOD)) threads.push(slot.thread)
  return threads
}

describe('api/json-rpc/archive-context', () => {
  it('reads all blocks of a period, none of one that is not archived', async () => {
    assert.equal((await readThreads(32)).length, 32)
    assert.deepEqual(await readThreads(0), [])
  })

  for (const [kept, first, when] of [
    [5, PERIOD - 1, 'while it is read'],
    [0, PERIOD + 1, 'before its first block is read'],
  ] as const) {
    it(`error: a period that is deleted ${when} is not taken for one with fewer blocks`, async () => {
      await assert.rejects(readThreads(kept, first), (error) => isArchiveError(error, 'STORE_CHUNK_AWAY'))
    })
  }
})
