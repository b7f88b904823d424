import assert from 'node:assert/strict'
import { type History, readBlocks } from '../../../api/json-rpc/archive-context.ts'
import { isArchiveError, type Slot } from '../../../core/index.ts'
import type { HistoryBlock, HistorySlot } from '../../../storage-worker/index.ts'

/** Of a period with a block in each of its threads below `kept`; the others are gone. */
function historyOf(kept: number): History {
  const findSlot = async (slot: Slot): Promise<HistorySlot | undefined> =>
    slot.thread < kept ? { kind: 'block', block: { slot } as HistoryBlock } : undefined
  return { findSlot } as unknown as History
}

async function readThreads(kept: number): Promise<number[]> {
  const threads: number[] = []
  for await (const { slot } of readBlocks(historyOf(kept), 9)) threads.push(slot.thread)
  return threads
}

describe('api/json-rpc/archive-context', () => {
  it('reads all blocks of a period, none of one that is not archived', async () => {
    assert.equal((await readThreads(32)).length, 32)
    assert.deepEqual(await readThreads(0), [])
  })

  it('error: a period that is deleted while it is read is not taken for one with fewer blocks', async () => {
    await assert.rejects(readThreads(5), (error) => isArchiveError(error, 'STORE_CHUNK_AWAY'))
  })
})
