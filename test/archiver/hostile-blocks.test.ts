import assert from 'node:assert/strict'
import { formatSignature, GetOperationsResponseCodec, SecureHashCodec, toHex } from '../../core/index.ts'
import {
  type MadeBlock,
  type MadeChain,
  type MadeOperation,
  makeKey,
  type ScriptedNode,
  signBlock,
} from '../../devnet/index.ts'
import { type Follow, makeTestChain, Stage } from './follow-harness.ts'
import {
  headerHash,
  publicKeyOf,
  retellHeader,
  retellOperation,
  signOtherwise,
  spoilSignature,
  tellFilledBlock,
} from './tampering.ts'

const SEED = 'hostile'

describe('archiver: a node that gives bad blocks', () => {
  const stage = new Stage()
  let chain: MadeChain
  let target: MadeBlock
  let operation: MadeOperation
  let other: MadeOperation
  before(() => {
    chain = makeTestChain({ missRate: 0.15, missedSlots: [{ period: 7, thread: 6 }] })
    target = [5, 7, 8, 9].map((thread) => chain.blockAt(7, thread)).find((block) => block !== undefined) as MadeBlock
    const [first] = target.operations
    assert.ok(first)
    operation = first
    other = chain.makeOperation(target.slot)
  })
  afterEach(() => stage.clean())

  /** The operations that the node gives are these, whatever it is asked for. */
  function giveOperations(node: ScriptedNode, change: (message: Uint8Array) => Uint8Array | undefined): void {
    node.intercept('GetOperations', (_, honest) => {
      const { wrappedOperations = [] } = GetOperationsResponseCodec.decode(honest())
      return GetOperationsResponseCodec.encode({
        wrappedOperations: wrappedOperations.flatMap((wrapper) => {
          const given = change(wrapper.operation ?? new Uint8Array(0))
          return given ? [{ ...wrapper, operation: given }] : []
        }),
      })
    })
  }

  const isTarget = (message: Uint8Array): boolean => SecureHashCodec.decode(message).secureHash === operation.idText
  const withBadSignature = (): Uint8Array =>
    retellOperation(operation, (message) => ({ ...message, signature: spoilSignature(message.signature) })).message

  const cases: {
    readonly title: string
    readonly code: string
    readonly spoil: (node: ScriptedNode) => void
    /** The same as one message of a stream. */
    readonly streamed: () => Uint8Array
  }[] = [
    {
      title: 'wrong header signature',
      code: 'ARCHIVER_SIGNATURE_INVALID',
      spoil: (node) => node.state.addBlock(badHeader()),
      streamed: () => fill(badHeader()),
    },
    {
      title: 'wrong operation signature',
      code: 'ARCHIVER_SIGNATURE_INVALID',
      spoil: (node) => giveOperations(node, (message) => (isTarget(message) ? withBadSignature() : message)),
      streamed: () => tellFilledBlock(target, [{ operationId: operation.idText, operation: withBadSignature() }]),
    },
    {
      title: 'header that does not hash to its id',
      code: 'ARCHIVER_BLOCK_ID_MISMATCH',
      spoil: (node) => node.state.addBlock(foreignHeader()),
      streamed: () => fill(foreignHeader()),
    },
    {
      title: 'operation swapped in the list of ids',
      code: 'ARCHIVER_OPERATIONS_MISMATCH',
      spoil: (node) => node.state.addBlock({ ...target, operations: [other] }),
      streamed: () => fill({ ...target, operations: [other] }),
    },
    {
      title: 'body of another operation under the id of this one',
      code: 'ARCHIVER_OPERATIONS_MISMATCH',
      spoil: (node) => giveOperations(node, (message) => (isTarget(message) ? swappedBody() : message)),
      streamed: () => tellFilledBlock(target, [{ operationId: operation.idText, operation: swappedBody() }]),
    },
    {
      title: 'operation missing',
      code: 'ARCHIVER_OPERATIONS_MISMATCH',
      spoil: (node) => node.state.addBlock({ ...target, operations: [] }),
      streamed: () => fill({ ...target, operations: [] }),
    },
    {
      title: 'operation extra',
      code: 'ARCHIVER_OPERATIONS_MISMATCH',
      spoil: (node) => node.state.addBlock({ ...target, operations: [operation, other] }),
      streamed: () => fill({ ...target, operations: [operation, other] }),
    },
    {
      title: 'operation duplicated',
      code: 'ARCHIVER_OPERATIONS_MISMATCH',
      spoil: (node) => node.state.addBlock({ ...target, operations: [operation, operation] }),
      streamed: () => fill({ ...target, operations: [operation, operation] }),
    },
    {
      title: 'header that cannot be parsed',
      code: 'ARCHIVER_BLOCK_UNPARSABLE',
      spoil: (node) =>
        node.state.addBlock(retellHeader(target, (header) => ({ ...header, contentCreatorPubKey: 'P' }))),
      streamed: () => fill(retellHeader(target, (header) => ({ ...header, contentCreatorPubKey: 'P' }))),
    },
  ]

  function badHeader(): MadeBlock {
    return retellHeader(target, (header) => ({ ...header, signature: spoilSignature(header.signature) }))
  }

  function foreignHeader(): MadeBlock {
    const rival = chain.makeRival(target)
    return { ...retellHeader(rival, (header) => ({ ...header, secureHash: target.id })), id: target.id }
  }

  function swappedBody(): Uint8Array {
    return retellOperation(other, (message) => ({ ...message, secureHash: operation.idText })).message
  }

  function fill(block: MadeBlock): Uint8Array {
    return tellFilledBlock(
      block,
      block.operations.map(({ idText, message }) => ({ operationId: idText, operation: message })),
    )
  }

  /** Periods that wait for the target, as the gap names them. */
  async function whenGap(follow: Follow): Promise<number[]> {
    const find = () => follow.status.gaps.find(({ missing }) => missing === target.id)
    await follow.when('gap listed', () => find() !== undefined)
    const gap = find()
    assert.ok(gap)
    assert.equal(gap.thread, target.slot.thread)
    return Array.from({ length: gap.lastPeriod - target.slot.period + 1 }, (_, i) => target.slot.period + i)
  }

  for (const { title, code, spoil, streamed } of cases) {
    it(`${title}, polled: refused (${code}), kept out, in quarantine, archived once the node gives it right`, async () => {
      const node = await stage.node(chain, 4, { finalitySlots: 32 })
      spoil(node)
      const follow = await stage.follow([node])
      await follow.whenArchived(2)
      node.advanceTo({ period: 12, thread: 31 })
      await follow.whenRefused(code)
      await follow.when('in quarantine', () => follow.status.quarantinedBlocks > 0)
      const gap = await whenGap(follow)
      await follow.whenArchived(11)
      await follow.whenPolled()
      await follow.assertHonest(chain, 11, gap)
      node.intercept('GetOperations')
      node.state.addBlock(target)
      await follow.whenAllArchived(11)
      await follow.assertHonest(chain, 11)
      assert.equal(follow.status.quarantinedBlocks, 0)
      assert.deepEqual(follow.status.gaps, [])
    })

    it(`${title}, streamed: refused (${code}), the right one is archived`, async () => {
      const node = await stage.node(chain, 4, { finalitySlots: 32 })
      const follow = await stage.follow([node])
      await follow.whenArchived(2)
      await follow.whenStreaming()
      node.emitFilledBlock(streamed())
      await follow.whenRefused(code)
      node.broadcast = true
      node.advanceTo({ period: 12, thread: 31 })
      await follow.whenAllArchived(11)
      await follow.assertHonest(chain, 11)
      assert.equal(follow.status.quarantinedBlocks, 0)
    })
  }

  it('operation that the node holds back: no period with it is archived until it gives it', async () => {
    const node = await stage.node(chain, 4, { finalitySlots: 32 })
    giveOperations(node, (message) => (isTarget(message) ? undefined : message))
    const follow = await stage.follow([node])
    await follow.whenArchived(2)
    node.advanceTo({ period: 12, thread: 31 })
    const gap = await whenGap(follow)
    await follow.whenArchived(11)
    await follow.whenPolled()
    await follow.assertHonest(chain, 11, gap)
    assert.equal(follow.status.quarantinedBlocks, 0)
    node.intercept('GetOperations')
    await follow.whenAllArchived(11)
    await follow.assertHonest(chain, 11)
  })

  it('block of another slot named final for a slot: refused (ARCHIVER_BLOCK_ID_MISMATCH), both slots stay honest', async () => {
    const node = await stage.node(chain, 4, { broadcast: true, finalitySlots: 32 })
    // The one FINAL message is not the last that is waited for.
    const follow = await stage.follow([node], { streamSilenceMs: 500 })
    await follow.whenArchived(2)
    await follow.whenStreaming()
    await follow.whenArchived(2)
    // Named before the body is known, and before the node says where it really stands.
    node.broadcast = false
    node.emitFinal({ period: 6, thread: 11 }, target.id)
    node.advanceTo({ period: 12, thread: 31 })
    await follow.whenRefused('ARCHIVER_BLOCK_ID_MISMATCH')
    await follow.whenAllArchived(11)
    await follow.assertHonest(chain, 11)
  })

  it('block without parents that is no genesis block: refused (ARCHIVER_PARENT_LINK_BROKEN)', async () => {
    const node = await stage.node(chain, 4, { finalitySlots: 32 })
    const orphan = signBlock(target.producer, { slot: { period: 7, thread: 6 }, parents: [] }, [])
    node.state.addBlock(orphan)
    node.state.setFinal(orphan.slot, orphan.id)
    const follow = await stage.follow([node])
    await follow.whenArchived(2)
    node.advanceTo({ period: 12, thread: 31 })
    await follow.whenRefused('ARCHIVER_PARENT_LINK_BROKEN')
    await follow.whenAllArchived(11)
    await follow.assertHonest(chain, 11)
  })

  it('final block that skips a held one of its thread: refused (ARCHIVER_PARENT_LINK_BROKEN)', async () => {
    const node = await stage.node(chain, 4, { finalitySlots: 32 })
    const follow = await stage.follow([node])
    await follow.whenArchived(2)
    node.advanceTo({ period: 8, thread: 31 })
    await follow.whenArchived(6)
    const child = [...chain.blocks.values()].find(({ slot }) => slot.period >= 10 && slot.thread === target.slot.thread)
    assert.ok(child)
    const { thread } = child.slot
    // Its parent in its own thread is a block before the one that it must have built on.
    const parents = [...child.header.parents]
    const before = [...chain.blocks.values()].filter(({ slot }) => slot.thread === thread && slot.period < 7).at(-1)
    assert.ok(before)
    parents[thread] = before.idBytes
    const skipping = signBlock(child.producer, { slot: child.slot, parents }, [])
    node.state.addBlock(skipping)
    node.state.setFinal(child.slot, skipping.id)
    node.advanceTo(child.slot)
    await follow.whenRefused('ARCHIVER_PARENT_LINK_BROKEN')
    // Once that slot is archived, naming another block there would halt the archiving.
    node.state.setFinal(child.slot, child.id)
    node.advanceTo({ period: 12, thread: 31 })
    await follow.whenAllArchived(11)
    await follow.assertHonest(chain, 11)
  })

  for (const order of ['loser first', 'winner first'] as const) {
    it(`two blocks of one slot, ${order}: the one that does not become final is not archived`, async () => {
      const node = await stage.node(chain, 4, { finalitySlots: 32 })
      const follow = await stage.follow([node])
      await follow.whenStreaming()
      await follow.whenArchived(2)
      const rival = chain.makeRival(target)
      node.state.addBlock(rival)
      for (const block of order === 'loser first' ? [rival, target] : [target, rival]) {
        node.emitFilledBlock(block)
        await follow.when('spooled', () => follow.archiver.slotOf(block.id) !== undefined)
      }
      node.advanceTo({ period: 12, thread: 31 })
      await follow.whenAllArchived(11)
      await follow.assertHonest(chain, 11)
    })
  }

  it('two blocks of one slot called final at once: neither is believed (ARCHIVER_PARENT_LINK_BROKEN), descendants decide', async () => {
    const node = await stage.node(chain, 4, { finalitySlots: 32 })
    const rival = chain.makeRival(target)
    node.state.addBlock(rival)
    node.state.statusOverrides.set(rival.id, 2).set(target.id, 2)
    const follow = await stage.follow([node])
    await follow.whenArchived(2)
    node.advanceTo({ period: 12, thread: 31 })
    await follow.whenRefused('ARCHIVER_PARENT_LINK_BROKEN')
    await follow.whenAllArchived(11)
    await follow.assertHonest(chain, 11)
  })

  it('two valid signatures of one operation and of one header: equal roots, other SEALS', async () => {
    const stakers = Array.from({ length: 16 }, (_, i) => `${SEED} staker ${i}`)
    const senders = Array.from({ length: 400 }, (_, i) => `${SEED} sender ${i}`)
    const find = (texts: string[], key: Uint8Array) =>
      texts.find((text) => toHex(makeKey(text).publicKey) === toHex(key))
    const producer = find(stakers, target.producer.publicKey)
    const sender = find(senders, publicKeyOf(operation))
    assert.ok(producer && sender)
    const signature = formatSignature(signOtherwise(producer, headerHash(target)))
    const header = retellHeader(target, (message) => ({ ...message, signature }))
    const resigned = retellOperation(operation, (message) => ({
      ...message,
      signature: formatSignature(signOtherwise(sender, operation.id.subarray(1))),
    }))
    const seals: Uint8Array[][] = []
    for (const spoil of [false, true]) {
      const node = await stage.node(chain, 4, { finalitySlots: 32 })
      if (spoil) {
        node.state.addBlock(header)
        giveOperations(node, (message) => (isTarget(message) ? resigned.message : message))
      }
      const follow = await stage.follow([node])
      await follow.whenArchived(2)
      node.advanceTo({ period: 12, thread: 31 })
      await follow.whenAllArchived(11)
      await follow.assertHonest(chain, 11)
      assert.deepEqual(follow.refused, [])
      const bytes = await follow.store.chunks.readSeals(7)
      assert.ok(bytes)
      seals.push([bytes])
    }
    assert.notDeepEqual(seals[0], seals[1])
  })
})
