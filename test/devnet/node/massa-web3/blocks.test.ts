import assert from 'node:assert/strict'
import { Mas } from '@massalabs/massa-web3'
import { GENESIS_MS } from '../face.ts'
import { openWeb3Face, type Web3Face } from './web3-face.ts'

const UNKNOWN_BLOCK = 'B127Z9Bqpvw9spCv1t8HJs9ZVhdx5zM5rEymcxXkqdCRM1C6ySQW'

describe('massa-web3 on the devnet node: the network and its blocks', () => {
  let face: Web3Face

  before(async () => {
    face = await openWeb3Face({ endorsements: 2, deltaF0: 192, skipsEmptyBlocks: false, missRate: 0.1 })
    face.pass(6)
  })

  after(() => face.close())

  /** Of the newest blocks. */
  const graph = async () => await face.api.getGraphInterval(face.clock.nowMs() - 8_000, face.clock.nowMs())

  it('the network says its chain id and its least fee', async () => {
    const { chainId, minimalFee } = await face.provider.networkInfos()
    assert.deepEqual([chainId, minimalFee], [77n, Mas.fromString('0.01')])
    assert.equal(await face.api.getMinimalFee(), Mas.fromString('0.01'))
    assert.equal(await face.api.getChainId(), 77n)
  })

  it('a status has the constants of the network and the slot of now', async () => {
    const { config, lastSlot, nextSlot, currentCycle, chainId } = await face.provider.getNodeStatus()
    assert.equal(config.genesisTimestamp, GENESIS_MS)
    assert.deepEqual([config.threadCount, config.t0, config.periodsPerCycle], [32, 16_000, 128])
    assert.deepEqual([config.rollPrice, config.blockReward], ['100', '0.40001'])
    assert.deepEqual(
      [lastSlot, nextSlot],
      [
        { period: 7, thread: 8 },
        { period: 7, thread: 9 },
      ],
    )
    assert.deepEqual([currentCycle, chainId], [0, 77])
  })

  it('the period and the slot go on with time', async () => {
    assert.equal(await face.api.fetchPeriod(), 7)
    face.clock.advance(500)
    assert.deepEqual(await face.api.getCurrentSlot(), { period: 7, thread: 9 })
  })

  it('candidate execution follows the clock at a few slots, final execution at a period or more', async () => {
    const { executionStats, lastSlot } = await face.provider.getNodeStatus()
    const index = (slot?: { period: number; thread: number }) => (slot?.period ?? 0) * 32 + (slot?.thread ?? 0)
    const behind = index(lastSlot) - index(executionStats?.activeCursor)
    assert(behind >= 0 && behind <= 8)
    assert(index(lastSlot) - index(executionStats?.finalCursor) >= 32)
  })

  it('the graph shows blocks with a parent in every thread', async () => {
    const blocks = await graph()
    assert(blocks.length > 8)
    for (const block of blocks) {
      assert.equal(block.parents.length, 32)
      assert.deepEqual([block.is_final, block.is_stale, block.is_in_blockclique], [false, false, true])
    }
  })

  it('a block comes by id: header, endorsements, status', async () => {
    const [summary] = await graph()
    const { id, content } = await face.api.getBlock(summary?.id ?? '')
    assert.equal(id, summary?.id)
    assert.equal(content?.is_candidate, true)
    const { header } = content?.block ?? assert.fail('no block')
    assert.equal(header.id, id)
    assert.deepEqual(header.content.slot, summary?.slot)
    assert.deepEqual(header.content.parents, summary?.parents)
    assert.equal(header.content.endorsements?.length, 2)
    assert.equal(header.content_creator_address, summary?.creator)
  })

  it('a block comes by slot, and none for a slot that is missed or to come', async () => {
    const [summary] = await graph()
    const found = await face.api.getBlockcliqueBlock(summary?.slot ?? assert.fail('no block'))
    assert.equal(found?.header.id, summary.id)
    assert.equal(await face.api.getBlockcliqueBlock({ period: 1_000, thread: 0 }), null)
    const made = new Set(
      (await face.api.getGraphInterval(GENESIS_MS, GENESIS_MS + 96_000)).map(
        ({ slot }) => slot.period * 32 + slot.thread,
      ),
    )
    const missed =
      Array.from({ length: 160 }, (_, i) => 32 + i).find((index) => !made.has(index)) ?? assert.fail('none missed')
    assert.equal(await face.api.getBlockcliqueBlock({ period: missed >> 5, thread: missed & 31 }), null)
  })

  it('blocks that are not known are left out', async () => {
    const [summary] = await graph()
    const found = await face.api.getMultipleBlocks([UNKNOWN_BLOCK, summary?.id ?? ''])
    assert.deepEqual(
      found.map(({ id }) => id),
      [summary?.id],
    )
  })

  it('an endorsement is found with the block that holds it', async () => {
    const [summary] = await graph()
    const { content } = await face.api.getBlock(summary?.id ?? '')
    const [endorsement] = content?.block.header.content.endorsements ?? []
    const found = await face.api.getEndorsement(endorsement?.id ?? '')
    assert.deepEqual(found.in_blocks, [summary?.id])
    assert.deepEqual(found.endorsement, endorsement)
    assert.deepEqual([found.in_pool, found.is_final], [false, false])
  })

  it('blocks become final', async () => {
    const blocks = await face.api.getGraphInterval(GENESIS_MS + 16_000, GENESIS_MS + 24_000)
    assert(blocks.length > 0 && blocks.every(({ is_final }) => is_final))
  })

  it('there is one clique, of the blocks that are not final', async () => {
    const [clique, ...rest] = await face.api.getCliques()
    assert.deepEqual(rest, [])
    assert.equal(clique?.is_blockclique, true)
    const newest = await graph()
    assert(newest.every(({ id }) => clique?.block_ids?.includes(id)))
    assert.equal(clique?.fitness, 3 * (clique?.block_ids?.length ?? 0))
  })

  it('a fork is a second clique until it is decided', async () => {
    face.chain.forkNext(1)
    face.clock.advance(1_500)
    const [best, fork] = await face.api.getCliques()
    assert.equal(fork?.is_blockclique, false)
    assert((fork?.fitness ?? 0) < (best?.fitness ?? 0))
    const rival = fork?.block_ids?.find((id: string) => !best?.block_ids?.includes(id)) ?? assert.fail('no rival')
    assert.equal((await face.api.getBlock(rival)).content?.is_in_blockclique, false)
    face.pass(6)
    assert.equal((await face.api.getCliques()).length, 1)
  })

  it('error: transfers by slot need a node that traces', async () => {
    await assert.rejects(face.api.getSlotTransfers({ period: 1, thread: 0 }), /feature execution-trace is not enabled/)
  })
})
