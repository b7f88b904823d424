import assert from 'node:assert/strict'
import { formatBlockId, type Spool, type SpooledBlock } from '../../core/index.ts'
import { makeBlock, noise } from '../storage-worker/synthetic-period.ts'

export interface SpoolUnderTest {
  readonly spool: Spool
  reopen?(): Promise<Spool>
  close(): Promise<void>
}

/** What every Spool does. */
export function describeSpool(name: string, make: () => Promise<SpoolUnderTest>): void {
  describe(`Spool: ${name}`, () => {
    let subject: SpoolUnderTest
    let spool: Spool
    beforeEach(async () => {
      subject = await make()
      spool = subject.spool
    })
    afterEach(() => subject.close())

    it('gives a block back, parents and operation count included', async () => {
      const block = makeBlock({ period: 300, thread: 31 })
      await spool.putBlock(block)
      assert.deepEqual(await spool.readBlock(block.slot, block.id), block)
      assert.equal(block.parents.length, 32)
    })

    it('gives a genesis block back, without parents', async () => {
      const block = makeBlock({ period: 0, thread: 4 }, { operations: 0 })
      await spool.putBlock(block)
      assert.deepEqual(await spool.readBlock(block.slot, block.id), block)
      assert.equal(block.parents.length, 0)
    })

    it('knows nothing of a block that is absent, or in another slot', async () => {
      const block = makeBlock({ period: 3, thread: 1 })
      await spool.putBlock(block)
      assert.equal(await spool.readBlock({ period: 3, thread: 2 }, block.id), undefined)
      assert.equal(await spool.readBlock(block.slot, makeBlock({ period: 4, thread: 1 }).id), undefined)
    })

    it('lists blocks ascending by slot, competing ones included, and deletes them', async () => {
      const blocks = [
        makeBlock({ period: 256, thread: 0 }),
        makeBlock({ period: 2, thread: 31 }),
        makeBlock({ period: 2, thread: 3 }),
        makeBlock({ period: 2, thread: 3 }, { seed: 'fork' }),
      ]
      for (const block of blocks) await spool.putBlock(block)
      const slots = (await collect(spool.listBlocks())).map(({ slot }) => [slot.period, slot.thread])
      assert.deepEqual(slots, [
        [2, 3],
        [2, 3],
        [2, 31],
        [256, 0],
      ])
      await spool.deleteBlocks(blocks.slice(1, 3))
      const left = (await collect(spool.listBlocks())).map(({ id }) => id)
      assert.deepEqual(left, [blocks[3]?.id, blocks[0]?.id])
      await spool.deleteBlocks([])
    })

    it('remembers final blocks by slot, the last word counts', async () => {
      const first = idOf('first')
      const second = idOf('second')
      await spool.putFinal({ period: 9, thread: 1 }, first)
      await spool.putFinal({ period: 2, thread: 1 }, first)
      await spool.putFinal({ period: 9, thread: 1 }, second)
      assert.deepEqual(await collect(spool.listFinals()), [
        { slot: { period: 2, thread: 1 }, id: first },
        { slot: { period: 9, thread: 1 }, id: second },
      ])
      await spool.deleteFinals([{ period: 2, thread: 1 }])
      assert.equal((await collect(spool.listFinals())).length, 1)
    })

    it('keeps what it cannot understand in quarantine', async () => {
      const block = { id: idOf('odd'), code: 'ARCHIVER_BLOCK_UNPARSABLE', raw: noise('raw', 5000) }
      await spool.putQuarantined(block)
      await spool.putQuarantined({ ...block, id: idOf('empty'), raw: new Uint8Array(0) })
      const found = await collect(spool.listQuarantined())
      assert.equal(found.length, 2)
      assert.deepEqual(
        found.find(({ id }) => id === block.id),
        block,
      )
      await spool.deleteQuarantined([block.id])
      assert.deepEqual(
        (await collect(spool.listQuarantined())).map(({ id }) => id),
        [idOf('empty')],
      )
    })

    it('keeps execution results by slot and deletes those of a range of periods, both ends included', async () => {
      for (const period of [1, 2, 3, 4]) {
        for (const thread of [0, 31]) await spool.putExecution({ period, thread }, noise(`${period}/${thread}`, 10))
      }
      const found = await spool.readExecutions(2)
      assert.deepEqual([...found.keys()], [0, 31])
      assert.deepEqual(found.get(31), noise('2/31', 10))
      await spool.deleteExecutions(2, 3)
      assert.equal((await spool.readExecutions(1)).size, 2)
      assert.equal((await spool.readExecutions(2)).size, 0)
      assert.equal((await spool.readExecutions(3)).size, 0)
      assert.equal((await spool.readExecutions(4)).size, 2)
    })

    it('keeps marks by name', async () => {
      assert.equal(await spool.readMark('gaps'), undefined)
      await spool.putMark('gaps', Uint8Array.of(1))
      await spool.putMark('gap', Uint8Array.of(2))
      await spool.putMark('gaps', Uint8Array.of(3))
      assert.deepEqual(await spool.readMark('gaps'), Uint8Array.of(3))
      assert.deepEqual(await spool.readMark('gap'), Uint8Array.of(2))
      await spool.deleteMark('gap')
      await spool.deleteMark('none')
      assert.equal(await spool.readMark('gap'), undefined)
      assert.deepEqual(await spool.readMark('gaps'), Uint8Array.of(3))
    })

    it('holds the same after sync and restart', async function () {
      const block = makeBlock({ period: 5, thread: 5 })
      await spool.putBlock(block)
      await spool.putMark('anchor', Uint8Array.of(7))
      await spool.sync()
      if (!subject.reopen) return this.skip()
      spool = await subject.reopen()
      assert.deepEqual(await collect(spool.listBlocks()), [block] satisfies SpooledBlock[])
      assert.deepEqual(await spool.readMark('anchor'), Uint8Array.of(7))
    })
  })
}

function idOf(name: string) {
  const id = noise(name, 33)
  id[0] = 0
  return formatBlockId(id)
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}
