import assert from 'node:assert/strict'
import { CpuPool, type CpuWork, verifyFilledBlock } from '../../archiver/index.ts'
import {
  ArchiveError,
  computeOperationId,
  encodeOperationContent,
  formatBlockId,
  formatOperationId,
  GetBlocksRequestCodec,
  GetOperationsResponseCodec as GetOperationsCodec,
  GetOperationsRequestCodec,
  type Operation,
  operationToProtobuf,
  parseBody,
  SearchBlocksResponseCodec,
  SignedBlockHeaderCodec,
  SignedOperationCodec,
  type SignedOperationMessage,
  THREAD_COUNT,
} from '../../core/index.ts'
import {
  encodeFilledBlock,
  type MadeBlock,
  type MadeChain,
  type MadeOperation,
  makeKey,
  type ScriptedNode,
  signBlock,
} from '../../devnet/index.ts'
import { CHAIN_ID, type Follow, GENESIS_MS, makeTestChain, Stage } from './follow-harness.ts'
import { inlineCpu } from './inline-cpu.ts'
import { retellHeader, tellFilledBlock } from './tampering.ts'

const TOO_LARGE = 65 * 1024 * 1024
/** A bound for a hang, far past what a busy machine takes. */
const FLOOD_DEADLINE_MS = 120_000
/** 3000 ids at 500 a poll are asked for within six. */
const MAX_FLOOD_POLLS = 60

describe('archiver: a node that sends what no node sends', () => {
  const stage = new Stage()
  let chain: MadeChain
  let target: MadeBlock
  before(() => {
    chain = makeTestChain({ missRate: 0.15, seed: 'transport', periods: 12 })
    const found = [5, 7, 8, 9].map((thread) => chain.blockAt(7, thread)).find((block) => block !== undefined)
    assert.ok(found)
    target = found
  })
  afterEach(() => stage.clean())

  async function followOne(
    options: { broadcast?: boolean; timeoutMs?: number; cpu?: CpuWork; streamSilenceMs?: number } = {},
  ): Promise<[ScriptedNode, Follow]> {
    const { broadcast = false, ...rest } = options
    const node = await stage.node(chain, 4, { broadcast, finalitySlots: 32 })
    const follow = await stage.follow([node], rest)
    await follow.whenStreaming()
    await follow.whenArchived(2)
    return [node, follow]
  }

  async function finish(node: ScriptedNode, follow: Follow, deadlineMs?: number): Promise<void> {
    node.advanceTo({ period: 10, thread: 31 })
    await follow.whenAllArchived(9, deadlineMs)
    await follow.assertHonest(chain, 9)
  }

  for (const [what, spoil] of [
    ['chain id', (node: ScriptedNode) => Object.assign(node.state, { chainId: CHAIN_ID + 1n })],
    ['genesis timestamp', (node: ScriptedNode) => Object.assign(node.state, { genesisTimestampMs: GENESIS_MS + 1n })],
    ['thread count', (node: ScriptedNode) => Object.assign(node.state, { threadCount: 16 })],
  ] as const) {
    it(`wrong ${what}: the follower ends (ARCHIVER_NETWORK_MISMATCH), nothing of it is taken`, async () => {
      const node = await stage.node(chain, 4, { broadcast: true, finalitySlots: 32 })
      spoil(node)
      const follow = await stage.follow([node])
      await follow.when('fatal', () => follow.fatal.length > 0)
      assert.ok(follow.fatal[0] instanceof ArchiveError)
      assert.equal(follow.fatal[0].code, 'ARCHIVER_NETWORK_MISMATCH')
      node.advanceTo({ period: 10, thread: 31 })
      assert.equal(node.countOf('NewFilledBlocksServer'), 0, 'no stream is opened before the network is checked')
      assert.equal(node.countOf('SearchBlocks'), 0)
      assert.equal(await follow.range(), undefined)
      assert.equal(follow.status.spooledBlocks, 0)
      assert.equal(follow.fatal.length, 1)
    })
  }

  for (const rpc of ['GetStatus', 'SearchBlocks', 'GetBlocks', 'GetOperations'] as const) {
    it(`${rpc} answered with 65 MiB: ARCHIVER_MESSAGE_TOO_LARGE, survived`, async () => {
      const [node, follow] = await followOne()
      node.intercept(rpc, () => Buffer.alloc(TOO_LARGE))
      node.advanceTo({ period: 6, thread: 31 })
      await follow.whenSaid('ARCHIVER_MESSAGE_TOO_LARGE')
      node.intercept(rpc)
      await finish(node, follow)
    })

    for (const how of ['hang', 'drip'] as const) {
      it(`${rpc} that ${how === 'hang' ? 'never comes' : 'drips endlessly'}: ARCHIVER_NODE_UNREACHABLE at the deadline, recovered`, async () => {
        const [node, follow] = await followOne({ timeoutMs: 300 })
        node.intercept(rpc, () => how)
        node.advanceTo({ period: 6, thread: 31 })
        await follow.whenSaid('ARCHIVER_NODE_UNREACHABLE')
        assert.equal(follow.followers[0]?.status().up, false)
        node.intercept(rpc)
        await finish(node, follow)
      })
    }

    it(`${rpc} answered with garbage: ARCHIVER_NODE_REFUSED, survived`, async () => {
      const [node, follow] = await followOne()
      node.intercept(rpc, () => Buffer.from('ffffffff00', 'hex'))
      node.advanceTo({ period: 6, thread: 31 })
      await follow.whenSaid('ARCHIVER_NODE_REFUSED')
      node.intercept(rpc)
      await finish(node, follow)
    })

    it(`${rpc} answered with millions of empty entries: ARCHIVER_NODE_REFUSED, before any of them becomes an object`, async () => {
      const [node, follow] = await followOne()
      node.intercept(rpc, () => Buffer.alloc(8 * 1024 * 1024, Buffer.from('0a00', 'hex')))
      node.advanceTo({ period: 6, thread: 31 })
      await follow.whenSaid('ARCHIVER_NODE_REFUSED')
      node.intercept(rpc)
      await finish(node, follow)
    })
  }

  for (const rpc of ['GetBlocks', 'GetOperations'] as const) {
    for (const [what, fail] of [
      ['never answers', () => 'hang' as const],
      ['answers too much', () => Buffer.alloc(TOO_LARGE)],
    ] as const) {
      it(`regression: a node that ${what} to ${rpc} of more than 5 ids is asked for fewer, and stays up`, async () => {
        const [node, follow] = await followOne({ timeoutMs: 600 })
        const asked: number[] = []
        node.intercept(rpc, (request, honest) => {
          const message = rpc === 'GetBlocks' ? GetBlocksRequestCodec.decode(request) : undefined
          const count = (message?.blockIds ?? GetOperationsRequestCodec.decode(request).operationIds ?? []).length
          asked.push(count)
          return count > 5 ? fail() : honest()
        })
        await finish(node, follow)
        assert.ok(
          asked.some((count) => count > 5),
          asked.join(' '),
        )
        assert.equal(follow.followers[0]?.status().up, true)
        assert.deepEqual(
          follow.lines.filter(({ msg }) => msg === 'node failed'),
          [],
        )
      })
    }
  }

  it('garbage in streams: said with a code, the streams go on', async () => {
    const [node, follow] = await followOne()
    const garbage = ['ff', '0a', '0a03ffffff', '0a0412021001', '080110', '00', ''].map((hex) => Buffer.from(hex, 'hex'))
    for (const bytes of garbage) {
      node.emit('NewFilledBlocksServer', bytes)
      node.emit('NewSlotExecutionOutputsServer', bytes)
    }
    node.emitFilledBlock(Buffer.from('ff00ff00', 'hex'))
    node.emitFinal({ period: 5, thread: 1 }, 'no block id')
    await follow.whenSaid('CORE_PROTOBUF_INVALID')
    await follow.whenRefused('ARCHIVER_BLOCK_UNPARSABLE')
    await follow.whenRefused('ARCHIVER_BLOCK_ID_MISMATCH')
    node.broadcast = true
    await finish(node, follow)
    assert.equal(node.countOf('NewFilledBlocksServer'), 1)
    assert.equal(node.countOf('NewSlotExecutionOutputsServer'), 1)
  })

  it('stream message of 65 MiB: ARCHIVER_MESSAGE_TOO_LARGE, the stream is opened again', async () => {
    const [node, follow] = await followOne()
    node.emit('NewFilledBlocksServer', Buffer.alloc(TOO_LARGE))
    await follow.whenSaid('ARCHIVER_MESSAGE_TOO_LARGE')
    await node.whenCalled('NewFilledBlocksServer', 2)
    node.broadcast = true
    await finish(node, follow)
  })

  it('block of millions of entries, or that a worker has no memory for: ARCHIVER_BLOCK_UNPARSABLE, survived', async () => {
    const cpu = new CpuPool({ threads: 1 })
    try {
      const [node, follow] = await followOne({ cpu })
      node.emitFilledBlock(Buffer.alloc(6 * 1024 * 1024, Buffer.from('1200', 'hex')))
      await follow.whenRefused('ARCHIVER_BLOCK_UNPARSABLE')
      follow.refused.length = 0
      // An ExecuteSC of three million empty datastore entries.
      const datastore = Buffer.alloc(6 * 1024 * 1024, Buffer.from('2200', 'hex'))
      const bomb = wrap(1, wrap(3, wrap(4, datastore)))
      const [operation] = target.operations
      assert.ok(operation)
      node.emitFilledBlock(tellFilledBlock(target, [{ operationId: operation.idText, operation: bomb }]))
      await follow.when('bomb refused', () => follow.refused.length > 0)
      await finish(node, follow)
      await follow.stop()
    } finally {
      await cpu.close()
    }
  })

  it('flood of valid bodies for one slot: two are spooled, the final one is archived', async () => {
    const [node, follow] = await followOne()
    const rivals = Array.from({ length: 40 }, () => chain.makeRival(target))
    for (const rival of rivals) node.state.addBlock(rival)
    for (const rival of rivals) node.emitFilledBlock(rival)
    node.advanceTo({ period: 6, thread: 31 })
    await follow.when('a rival spooled', () => rivals.some(({ id }) => follow.archiver.isKnown(id)))
    await follow.whenPolled()
    let spooled = 0
    for await (const { slot } of follow.store.spool.listBlocks()) {
      if (slot.period === 7 && slot.thread === target.slot.thread) spooled++
    }
    assert.ok(spooled <= 2, `${spooled} bodies of one slot are spooled`)
    await finish(node, follow)
  })

  it('thousands of made-up ids: the blocks that exist are fetched all the same, within some polls', async function () {
    this.timeout(2 * FLOOD_DEADLINE_MS)
    const [node, follow] = await followOne()
    const fakes = Array.from({ length: 3000 }, (_, i) => {
      const bytes = Buffer.alloc(33, i % 251)
      bytes[0] = 0
      bytes.writeUInt32BE(i, 1)
      return { blockId: formatBlockId(bytes), status: 2 }
    })
    node.intercept('SearchBlocks', (_, honest) => {
      const { blockInfos = [] } = SearchBlocksResponseCodec.decode(honest())
      return SearchBlocksResponseCodec.encode({ blockInfos: [...fakes, ...blockInfos] })
    })
    // Each final message makes another id wanted. Of slots that are not archived meanwhile: that would be another chain.
    for (const [i, { blockId }] of fakes.entries()) node.emitFinal({ period: 11, thread: i % THREAD_COUNT }, blockId)
    const pollsBefore = node.countOf('GetStatus')
    await finish(node, follow, FLOOD_DEADLINE_MS)
    // Time says how busy the machine is; polls say whether what exists has to wait for what does not.
    const polls = node.countOf('GetStatus') - pollsBefore
    assert.ok(polls <= MAX_FLOOD_POLLS, `${polls} polls`)
  })

  it('silent streams beside a moving final slot: pull mode, ARCHIVER_STREAM_SILENT said once', async () => {
    const [node, follow] = await followOne({ streamSilenceMs: 60 })
    node.advanceTo({ period: 6, thread: 31 })
    await follow.whenSaid('ARCHIVER_STREAM_SILENT')
    assert.equal(follow.followers[0]?.status().mode, 'pull')
    await finish(node, follow)
    await follow.whenPolled()
    assert.equal(follow.countSaid('ARCHIVER_STREAM_SILENT'), 1)
  })

  it('silent streams on an idle chain: nothing is said', async () => {
    const [, follow] = await followOne({ streamSilenceMs: 40 })
    await follow.whenPolled(10)
    assert.equal(follow.countSaid('ARCHIVER_STREAM_SILENT'), 0)
  })

  it('unknown header version: quarantined raw (ARCHIVER_BLOCK_UNPARSABLE), archived by a release that knows it', async () => {
    // The release that runs does not know the version of this block; the one after the upgrade does.
    const old: CpuWork = {
      ...inlineCpu,
      async verifyBlock(job) {
        const block = verifyFilledBlock(job.filledBlock, job.chainId, job.expectedId)
        if (block.id === target.id) throw new ArchiveError('ARCHIVER_BLOCK_UNPARSABLE', 'header version 1 is not known')
        return block
      },
    }
    const dataDir = await stage.folder()
    const node = await stage.node(chain, 4, { finalitySlots: 32 })
    const first = await stage.follow([node], { dataDir, cpu: old })
    await first.whenArchived(2)
    node.advanceTo({ period: 10, thread: 31 })
    await first.when('quarantined', () => first.status.quarantinedBlocks === 1)
    await first.whenArchived(9)
    assert.equal(await first.readBody(7), undefined)
    const raw: Uint8Array[] = []
    for await (const block of first.store.spool.listQuarantined()) {
      assert.equal(block.code, 'ARCHIVER_BLOCK_UNPARSABLE')
      raw.push(block.raw)
    }
    assert.deepEqual(
      raw.map((bytes) => Buffer.from(bytes).toString('hex')),
      [Buffer.from(encodeFilledBlock(target)).toString('hex')],
    )
    await first.stop()
    // The node has forgotten it meanwhile.
    node.state.removeBlock(target.id)
    const second = await stage.follow([node], { dataDir })
    await second.whenAllArchived(9)
    await second.assertHonest(chain, 9)
    assert.equal(second.status.quarantinedBlocks, 0)
  })

  it('header of a version that is really unknown: refused with ARCHIVER_BLOCK_UNPARSABLE, in quarantine', async () => {
    const [node, follow] = await followOne()
    node.state.addBlock(
      retellHeader(target, (header) => ({ ...header, content: { ...header.content, currentVersion: 99 } })),
    )
    node.advanceTo({ period: 10, thread: 31 })
    await follow.whenRefused('ARCHIVER_BLOCK_UNPARSABLE')
    await follow.when('quarantined', () => follow.status.quarantinedBlocks === 1)
    assert.equal(SignedBlockHeaderCodec.decode(target.headerMessage).content?.currentVersion ?? 0, 0)
    node.state.addBlock(target)
    await finish(node, follow)
  })

  it('unsorted ExecuteSC datastore: its order is restored, the archive is the same', async () => {
    const [node, follow] = await followOne()
    let unsorted = 0
    node.intercept('GetOperations', (_, honest) => {
      const answer = honest()
      return rewriteOperations(answer, (message) => {
        const datastore = message.content?.op?.executeSc?.datastore ?? []
        if (datastore.length < 2) return
        datastore.reverse()
        unsorted++
      })
    })
    await finish(node, follow)
    assert.ok(unsorted > 0)
    assert.deepEqual(follow.refused, [])
  })

  it('datastore whose duplicate keys the node has lost: archived as seen, marked as not reproducible', async () => {
    const full = makeTestChain({ seed: 'duplicates', periods: 8 })
    const last = full.blockAt(8, 31)
    assert.ok(last)
    const sender = makeKey('sender of duplicates')
    const entry = (value: number) => ({ key: Uint8Array.of(1), value: Uint8Array.of(value) })
    const content: Operation = {
      feeNanoMas: 10_000_000n,
      expirePeriod: 17n,
      body: {
        kind: 'execute-sc',
        maxGas: 1_000_000n,
        maxCoinsNanoMas: 0n,
        bytecode: Uint8Array.of(1, 2, 3),
        datastore: [entry(1), entry(2)],
      },
    }
    const id = computeOperationId(CHAIN_ID, sender.publicKey, encodeOperationContent(content))
    const signed = { publicKey: sender.publicKey, signature: sender.sign(id.subarray(1)), content }
    const shown = operationToProtobuf(CHAIN_ID, signed)
    shown.content?.op?.executeSc?.datastore?.shift()
    const message = SignedOperationCodec.encode(shown)
    const operation: MadeOperation = { id, idText: formatOperationId(id), message, thread: 31 }
    const block = signBlock(last.producer, last.header, [operation])
    const node = await stage.node(full, 4, { finalitySlots: 32 })
    node.state.addBlock(block)
    node.state.setFinal(block.slot, block.id)
    const follow = await stage.follow([node])
    node.advanceTo({ period: 8, thread: 31 })
    await follow.whenAllArchived(8)
    assert.equal((await follow.archivedIds(8))[31], block.id)
    const body = await follow.readBody(8)
    assert.ok(body)
    const slot = parseBody(body).slots[31]
    assert.ok(slot?.kind === 'block')
    const [archived] = slot.record.operations
    assert.equal(archived?.reproducible, false)
    assert.deepEqual(follow.refused, [])
  })
})

function rewriteOperations(answer: Uint8Array, change: (message: SignedOperationMessage) => void): Uint8Array {
  return GetOperationsCodec.encode({
    wrappedOperations: (GetOperationsCodec.decode(answer).wrappedOperations ?? []).map((wrapper) => {
      const message = SignedOperationCodec.decode(wrapper.operation ?? new Uint8Array(0))
      change(message)
      return { ...wrapper, operation: SignedOperationCodec.encode(message) }
    }),
  })
}

/** A length-delimited field. */
function wrap(field: number, content: Uint8Array): Uint8Array {
  const head: number[] = [field * 8 + 2]
  for (let length = content.length; ; length = Math.floor(length / 128)) {
    if (length < 128) {
      head.push(length)
      break
    }
    head.push((length % 128) + 128)
  }
  return Buffer.concat([Buffer.from(head), content])
}
