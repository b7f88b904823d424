import assert from 'node:assert/strict'
import { rebuildIndex } from '../../cli/commands/index-rebuild.ts'
import { parseBody } from '../../core/index.ts'
import { HistoryReader, openHistory } from '../../storage-worker/index.ts'
import { makePeriod, TEST_IDENTITY } from '../storage-worker/synthetic-period.ts'
import { openTestStore, TempFolders } from '../storage-worker/temp-store.ts'
import { makeCommand } from './command-place.ts'

const SMALL = { blocks: 1, operations: 1, operationBytes: 100 }

describe('cli/index-rebuild: an archive whose sidecar does not run', () => {
  const folders = new TempFolders()
  const { signal } = new AbortController()
  after(() => folders.clean())

  it('makes the index anew, and says what it cannot find by it', async () => {
    const dataDir = await folders.make()
    const store = await openTestStore(dataDir)
    for (const period of [3, 4, 5]) await store.chunks.writePeriod(makePeriod(period, SMALL))
    await store.chunks.dropChunks(4, [0])
    await store.close()
    const { context, printed } = makeCommand(dataDir, {}, { json: false })
    for (let run = 0; run < 2; run++) assert.equal(await rebuildIndex(context, signal), 0)
    assert.match(printed.stdout, /^Indexed 2 periods in .*\nIndexed 2 periods in .*\n$/)
    assert.match(printed.stderr, /1 period not whole on this disk: nothing of them is found by id or address\./)

    const again = await openTestStore(dataDir)
    const { index, discarded } = await openHistory(dataDir, TEST_IDENTITY)
    const [slot] = parseBody(makePeriod(5, SMALL).chunks[0] ?? new Uint8Array(0)).slots
    assert(slot?.kind === 'block')
    const found = await new HistoryReader({ store: again.chunks, index }).findBlock(slot.record.id)
    assert.deepEqual([found?.slot, discarded], [{ period: 5, thread: 0 }, undefined])
    await index.close()
    await again.close()
  })
})
