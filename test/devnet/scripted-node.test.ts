import assert from 'node:assert/strict'
import { once } from 'node:events'
import { status } from '@grpc/grpc-js'
import {
  GetBlocksRequestCodec,
  GetBlocksResponseCodec,
  GetStatusResponseCodec,
  NewFilledBlocksResponseCodec,
  NewSlotExecutionOutputsResponseCodec,
  slotFromProtobuf,
  slotIndex,
} from '../../core/index.ts'
import { encodeFilledBlock, type MadeChain, makeChain, RpcError, ScriptedNode } from '../../devnet/index.ts'
import { GrpcCaller } from './grpc-caller.ts'

describe('devnet/replay/scripted-node', () => {
  const stops: (() => Promise<void> | void)[] = []
  let chain: MadeChain

  before(() => {
    chain = makeChain({
      seed: 'scripted-node.test',
      chainId: 77n,
      genesisTimestampMs: 1_000_000n,
      periods: 16,
      missRate: 0.2,
      operationsPerBlock: 1,
      endorsements: 1,
    })
  })

  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop()
  })

  async function startNode(options: { broadcast?: boolean } = {}): Promise<[ScriptedNode, GrpcCaller]> {
    const node = new ScriptedNode({ chain, ...options })
    await node.start()
    const caller = new GrpcCaller(node.url)
    stops.push(
      () => node.stop(),
      () => caller.close(),
    )
    return [node, caller]
  }

  it('shows the finality that it was advanced to, and blocks ahead of it', async () => {
    const [node, caller] = await startNode()
    node.advanceTo({ period: 2, thread: 31 })
    assert.deepEqual(await caller.finalSlot(), { period: 2, thread: 31 })
    const found = await caller.search({ period: 1, thread: 0 }, { period: 100, thread: 0 })
    const known = [...chain.blocks.values()].filter((block) => block.slot.period <= 5)
    assert.deepEqual([...found.keys()].sort(), known.map((block) => block.id).sort())
    for (const block of known) assert.equal(found.get(block.id), block.slot.period <= 2 ? 2 : 1)
  })

  it('forgets a final block when the sixth later period of its thread is final', async () => {
    const [node, caller] = await startNode()
    const block = [...chain.blocks.values()].find((candidate) => candidate.slot.period === 2)
    assert.ok(block)
    node.advanceTo({ period: 7, thread: block.slot.thread })
    assert.equal(await caller.countBlocks([block.id]), 1)
    node.advanceTo({ period: 8, thread: block.slot.thread })
    assert.equal(await caller.countBlocks([block.id]), 0)
    node.state.keepFinalPeriods = Number.POSITIVE_INFINITY
    assert.equal(await caller.countBlocks([block.id]), 1)
  })

  it('broadcasts new blocks, and one FINAL message for every slot in order', async () => {
    const [node, caller] = await startNode()
    const finals = caller.open('NewSlotExecutionOutputsServer').on('error', () => {})
    const blocks = caller.open('NewFilledBlocksServer').on('error', () => {})
    await Promise.all([node.whenCalled('NewSlotExecutionOutputsServer'), node.whenCalled('NewFilledBlocksServer')])
    node.advanceTo({ period: 2, thread: 31 })
    const seen: (string | undefined)[] = []
    for await (const message of finals) {
      const execution = NewSlotExecutionOutputsResponseCodec.decode(message).output?.executionOutput
      assert.equal(slotIndex(slotFromProtobuf(execution?.slot)), 32 + seen.length)
      seen.push(execution?.blockId?.value)
      if (seen.length === 64) break
    }
    assert.deepEqual(
      seen,
      Array.from({ length: 64 }, (_, i) => chain.blocks.get(32 + i)?.id),
    )
    const wanted = [...chain.blocks.values()].filter((block) => block.slot.period === 4 || block.slot.period === 5)
    let received = 0
    for await (const message of blocks) {
      const block = wanted[received++]
      assert.ok(block)
      const { filledBlock } = NewFilledBlocksResponseCodec.decode(message)
      assert.ok(Buffer.from(encodeFilledBlock(block)).equals(filledBlock ?? Buffer.alloc(0)))
      if (received === wanted.length) break
    }
  })

  it('stays silent on its streams without broadcast, until it is told to emit', async () => {
    const [node, caller] = await startNode({ broadcast: false })
    const finals = caller.open('NewSlotExecutionOutputsServer').on('error', () => {})
    await node.whenCalled('NewSlotExecutionOutputsServer')
    node.advanceTo({ period: 3, thread: 0 })
    node.emitFinal({ period: 9, thread: 9 })
    const [message] = await once(finals, 'data')
    const execution = NewSlotExecutionOutputsResponseCodec.decode(message as Buffer).output?.executionOutput
    assert.deepEqual(slotFromProtobuf(execution?.slot), { period: 9, thread: 9 })
    assert.equal(execution?.blockId ?? undefined, undefined)
  })

  it('holds two blocks of one slot, and says which is final', async () => {
    const [node, caller] = await startNode()
    const block = [...chain.blocks.values()][0]
    assert.ok(block)
    const rival = chain.makeRival(block)
    node.state.addBlock(rival)
    const { slot } = block
    const search = () => caller.search(slot, { ...slot, period: slot.period + 1 })
    assert.equal((await search()).get(rival.id), 3)
    node.advanceTo(slot)
    assert.deepEqual([(await search()).get(block.id), (await search()).get(rival.id)], [2, 4])
    node.state.setFinal(slot, rival.id)
    assert.deepEqual([(await search()).get(block.id), (await search()).get(rival.id)], [4, 2])
    node.state.statusOverrides.set(rival.id, 0)
    assert.equal((await search()).get(rival.id), 0)
  })

  it('answers what an interceptor says: bytes, an error, the honest answer', async () => {
    const [node, caller] = await startNode()
    const block = [...chain.blocks.values()][0]
    const request = GetBlocksRequestCodec.encode({ blockIds: [block?.id ?? ''] })
    const honest = await caller.call('GetBlocks', request)
    assert.equal(GetBlocksResponseCodec.decode(honest).wrappedBlocks?.length, 1)
    node.intercept('GetBlocks', () => Buffer.from([1, 2, 3]))
    assert.deepEqual(await caller.call('GetBlocks', request), Buffer.from([1, 2, 3]))
    node.intercept('GetBlocks', () => new RpcError(status.UNAVAILABLE, 'not now'))
    assert.deepEqual(await caller.refusal('GetBlocks', request), { code: status.UNAVAILABLE, details: 'not now' })
    node.intercept('GetBlocks', (_, answer) => Buffer.concat([answer(), answer()]))
    assert.deepEqual(await caller.call('GetBlocks', request), Buffer.concat([honest, honest]))
    node.intercept('GetBlocks')
    assert.deepEqual(await caller.call('GetBlocks', request), honest)
    assert.equal(node.countOf('GetBlocks'), 5)
  })

  for (const answer of ['hang', 'drip'] as const) {
    it(`lets a call run into its deadline: ${answer}`, async () => {
      const [node, caller] = await startNode()
      node.intercept('GetStatus', () => answer)
      await assert.rejects(caller.call('GetStatus', undefined, 200), { code: status.DEADLINE_EXCEEDED })
      node.intercept('GetStatus')
      await caller.call('GetStatus')
    })
  }

  it('claims any network', async () => {
    const [node, caller] = await startNode()
    node.state.chainId = 2n ** 64n - 1n
    node.state.genesisTimestampMs = 5n
    const answer = GetStatusResponseCodec.decode(await caller.call('GetStatus')).status
    assert.equal(answer?.chainId?.toString(), '18446744073709551615')
    assert.equal(answer?.config?.genesisTimestamp?.milliseconds?.toString(), '5')
  })

  it('ends its streams, and comes back on the same port after a stop', async () => {
    const [node, caller] = await startNode()
    const stream = caller.open('NewFilledBlocksServer')
    stream.on('data', () => {})
    const ended = once(stream, 'error')
    await node.whenCalled('NewFilledBlocksServer')
    node.endStreams(new RpcError(status.DATA_LOSS, 'too slow'))
    const [error] = (await ended) as [{ code: number }]
    assert.equal(error.code, status.DATA_LOSS)
    const { url } = node
    await node.stop()
    await node.start()
    assert.equal(node.url, url)
    const again = new GrpcCaller(url)
    stops.push(() => again.close())
    await again.call('GetStatus')
  })
})
