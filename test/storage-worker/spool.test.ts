import assert from 'node:assert/strict'
import { ArchiveError } from '../../core/index.ts'
import { LevelSpool } from '../../storage-worker/index.ts'
import { keyspaceRange } from '../../storage-worker/keyspace.ts'
import { hasCode } from '../suites/chunk-store-suite.ts'
import { describeSpool } from '../suites/spool-suite.ts'
import { makeBlock } from './synthetic-period.ts'
import { openMemoryLevel, openTestStore, TempFolders } from './temp-store.ts'

const folders = new TempFolders()

describeSpool('memory-level', async () => {
  const index = await openMemoryLevel('index')
  return { spool: new LevelSpool(index), reopen: async () => new LevelSpool(index), close: () => index.close() }
})

describeSpool('classic-level', async () => {
  const dataDir = await folders.make()
  let store = await openTestStore(dataDir)
  return {
    spool: store.spool,
    async reopen() {
      await store.close()
      store = await openTestStore(dataDir)
      return store.spool
    },
    async close() {
      await store.close()
      await folders.clean()
    },
  }
})

describe('storage-worker/spool', () => {
  it('treats a damaged block as absent and refuses a damaged mark', async () => {
    const index = await openMemoryLevel('index')
    const spool = new LevelSpool(index)
    const block = makeBlock({ period: 1, thread: 1 })
    await spool.putBlock(block)
    await spool.putMark('gaps', Uint8Array.of(1))
    for (const keyspace of ['spoolBlocks', 'marks'] as const) {
      for await (const [key, value] of index.entries(keyspaceRange(keyspace))) {
        const damaged = Uint8Array.from(value)
        damaged[32] = (damaged[32] ?? 0) ^ 0x80
        await index.write([{ type: 'put', key, value: damaged }], { sync: false })
      }
    }
    assert.equal(await spool.readBlock(block.slot, block.id), undefined)
    for await (const found of spool.listBlocks()) assert.fail(found.id)
    await assert.rejects(spool.readMark('gaps'), hasCode('STORE_VALUE_CORRUPT'))
  })

  it('reads blocks that are asked for together in one go, and one that cannot be read keeps none of the others', async () => {
    const index = await openMemoryLevel('index')
    const spool = new LevelSpool(index)
    const blocks = [0, 1, 2].map((thread) => makeBlock({ period: 1, thread }))
    for (const block of blocks) await spool.putBlock(block)
    const readAll = () => Promise.allSettled(blocks.map(({ slot, id }) => spool.readBlock(slot, id)))
    const getMany = index.getMany.bind(index)
    const get = index.get.bind(index)
    const counts: number[] = []
    index.getMany = (keys) => {
      counts.push(keys.length)
      return getMany(keys)
    }
    const found = await readAll()
    assert.deepEqual(counts, [3])
    assert.deepEqual(
      found.map((result) => result.status === 'fulfilled' && result.value?.id),
      blocks.map(({ id }) => id),
    )
    const failure = new ArchiveError('STORE_READ_FAILED', 'index: a damaged block of a table')
    index.getMany = () => Promise.reject(failure)
    index.get = (key) => (key.at(9) === 1 ? Promise.reject(failure) : get(key))
    const some = await readAll()
    assert.deepEqual(
      some.map((result) => (result.status === 'fulfilled' ? result.value?.id : result.reason)),
      [blocks[0]?.id, failure, blocks[2]?.id],
    )
  })
})
