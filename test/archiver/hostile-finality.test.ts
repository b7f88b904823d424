import assert from 'node:assert/strict'
import { NODE_GRACE_MS } from '../../archiver/node-presence.ts'
import { computeGenesisBlock, formatBlockId, type Slot, slotIndex, THREAD_COUNT, toHex } from '../../core/index.ts'
import { type MadeBlock, type MadeChain, makeKey, ScriptedNode, signBlock } from '../../devnet/index.ts'
import { blockOf, type Follow, type FollowOptions, makeTestChain, SkippingClock, Stage } from './follow-harness.ts'

/** No block of the chain stands here. */
const MISSED: Slot = { period: 7, thread: 6 }

describe('archiver: nodes that lie about finality', () => {
  const stage = new Stage()
  let chain: MadeChain
  let target: MadeBlock
  let rival: MadeBlock
  before(() => {
    chain = makeTestChain({ missRate: 0.15, missedSlots: [MISSED], seed: 'finality' })
    const found = [5, 7, 8, 9].map((thread) => chain.blockAt(7, thread)).find((block) => block !== undefined)
    assert.ok(found)
    target = found
    rival = chain.makeRival(target)
  })
  afterEach(() => stage.clean())

  async function followAll(nodes: readonly ScriptedNode[], options: Partial<FollowOptions> = {}): Promise<Follow> {
    const follow = await stage.follow(nodes, options)
    await follow.whenStreaming()
    await follow.whenArchived(2)
    return follow
  }

  function advance(nodes: readonly ScriptedNode[], period: number): void {
    for (const node of nodes) node.advanceTo({ period, thread: 31 })
  }

  /** Nothing from the target's slot on is archived, and all before it that needs no later block to be decided. */
  async function assertStopped(follow: Follow): Promise<void> {
    await follow.whenArchived(5)
    await follow.whenPolled()
    const range = await follow.range()
    assert.ok(range && range.last < target.slot.period)
    await follow.assertHonest(chain, range.last)
  }

  function nameRival(node: ScriptedNode): void {
    node.state.addBlock(rival)
    node.state.setFinal(rival.slot, rival.id)
  }

  for (const broadcast of [false, true]) {
    const how = broadcast ? 'streamed' : 'polled'

    it(`two nodes that name different blocks, ${how}: nothing from that slot on (ARCHIVER_NODE_CONFLICT), until they agree`, async () => {
      const options = { broadcast, finalitySlots: 32 }
      const nodes = [await stage.node(chain, 4, options), await stage.node(chain, 4, options)] as const
      nameRival(nodes[1])
      const follow = await followAll(nodes)
      advance(nodes, 12)
      await follow.whenSaid('ARCHIVER_NODE_CONFLICT')
      await follow.when('head spooled', () => follow.archiver.isKnown(headOf(chain).id))
      await assertStopped(follow)
      assert.deepEqual(follow.status.conflict?.slot, target.slot)
      nodes[1].state.setFinal(target.slot, target.id)
      await follow.whenAllArchived(11)
      await follow.assertHonest(chain, 11)
      assert.equal(follow.status.conflict, undefined)
    })

    it(`three nodes, ${how}: the majority decides against the one that names another block`, async () => {
      const options = { broadcast, finalitySlots: 32 }
      const nodes = [
        await stage.node(chain, 4, options),
        await stage.node(chain, 4, options),
        await stage.node(chain, 4, options),
      ] as const
      nameRival(nodes[0])
      const follow = await followAll(nodes)
      advance(nodes, 12)
      await follow.whenAllArchived(11)
      await follow.whenPolled()
      await follow.assertHonest(chain, 11)
      assert.equal(follow.countSaid('ARCHIVER_NODE_CONFLICT'), 0)
      assert.equal(follow.status.halted, undefined)
    })
  }

  it('one of two nodes says that a slot has no block: nothing from it on (ARCHIVER_NODE_CONFLICT), until they agree', async () => {
    const options = { broadcast: true, finalitySlots: 32 }
    const nodes = [await stage.node(chain, 4, options), await stage.node(chain, 4, options)] as const
    nodes[1].state.setFinal(target.slot, undefined)
    const follow = await followAll(nodes)
    advance(nodes, 7)
    await follow.whenSaid('ARCHIVER_NODE_CONFLICT')
    advance(nodes, 12)
    await assertStopped(follow)
    nodes[1].state.setFinal(target.slot, target.id)
    await follow.whenAllArchived(11)
    await follow.assertHonest(chain, 11)
  })

  it('one of two polled nodes names a block where the other shows none: it is not archived', async () => {
    const options = { finalitySlots: 32 }
    const nodes = [await stage.node(chain, 4, options), await stage.node(chain, 4, options)] as const
    const invented = inventAt(MISSED)
    nodes[1].state.addBlock(invented)
    nodes[1].state.setFinal(MISSED, invented.id)
    const follow = await followAll(nodes)
    advance(nodes, 12)
    await follow.whenAllArchived(11)
    await follow.whenPolled()
    await follow.assertHonest(chain, 11)
  })

  it('a node whose finality runs ahead does not decide alone', async () => {
    const options = { finalitySlots: 32 }
    const nodes = [await stage.node(chain, 4, options), await stage.node(chain, 4, options)] as const
    nameRival(nodes[1])
    const follow = await followAll(nodes)
    advance([nodes[1]], 12)
    await follow.when('head spooled', () => follow.archiver.isKnown(headOf(chain).id))
    await follow.whenPolled()
    const range = await follow.range()
    assert.ok(range && range.last <= 4)
    advance([nodes[0]], 12)
    await follow.whenSaid('ARCHIVER_NODE_CONFLICT')
    await assertStopped(follow)
  })

  it('a final slot that is not due by our clock: the node is not believed (ARCHIVER_NODE_REFUSED)', async () => {
    const node = await stage.node(chain, 4)
    const follow = await followAll([node])
    const honest = node.state.finalIndex
    node.state.finalIndex = 2 ** 40
    await follow.whenSaid('ARCHIVER_NODE_REFUSED')
    assert.ok((follow.status.nodeFinalSlot?.period ?? 0) <= 4)
    node.state.finalIndex = honest
    advance([node], 12)
    await follow.whenAllArchived(11)
    await follow.assertHonest(chain, 11)
  })

  it('false miss: no period with it is archived, and it is fetched as soon as it is given', async () => {
    const node = await stage.node(chain, 4, { broadcast: true, finalitySlots: 32 })
    node.state.removeBlock(target.id)
    node.state.setFinal(target.slot, undefined)
    const follow = await followAll([node])
    node.broadcast = false
    // Bodies by polling, so that the stream does not bring the one that is withheld.
    advance([node], 12)
    for (let index = 5 * THREAD_COUNT; index < 13 * THREAD_COUNT; index++) {
      node.emitFinal(
        { period: Math.floor(index / THREAD_COUNT), thread: index % THREAD_COUNT },
        node.state.finalIdAt(index),
      )
    }
    const find = () => follow.status.gaps.find(({ missing }) => missing === target.id)
    await follow.when('gap listed', () => find() !== undefined)
    await follow.whenArchived(11)
    await follow.whenPolled()
    const gap = find()
    assert.ok(gap)
    const open = Array.from({ length: gap.lastPeriod - 6 }, (_, i) => 7 + i)
    await follow.assertHonest(chain, 11, open)
    node.state.addBlock(target)
    await follow.whenAllArchived(11)
    await follow.assertHonest(chain, 11)
  })

  for (const status of [0, 4]) {
    it(`status ${status} below the final cursor is no miss`, async () => {
      const node = await stage.node(chain, 4, { finalitySlots: 32 })
      for (const block of chain.blocks.values()) {
        if (block.slot.period === 7 || block.slot.period === 8) node.state.statusOverrides.set(block.id, status)
      }
      const follow = await followAll([node])
      advance([node], 12)
      await follow.whenAllArchived(11)
      await follow.assertHonest(chain, 11)
    })
  }

  it('jump in the numbers of FINAL messages: healed by polling', async () => {
    const node = await stage.node(chain, 4, { broadcast: true, finalitySlots: 32 })
    const follow = await followAll([node])
    node.broadcast = false
    advance([node], 7)
    node.broadcast = true
    advance([node], 12)
    await follow.whenAllArchived(11)
    await follow.assertHonest(chain, 11)
  })

  it('node restarted without memory, its final slot goes backwards: followed on, nothing lost', async () => {
    const node = await stage.node(chain, 4, { broadcast: true, finalitySlots: 32 })
    const follow = await followAll([node])
    advance([node], 8)
    await follow.whenArchived(7)
    node.state.finalIndex = 6 * THREAD_COUNT
    for (const block of chain.blocks.values()) if (block.slot.period < 7) node.state.removeBlock(block.id)
    await follow.when('restart noticed', () => follow.lines.some(({ msg }) => msg === 'node restarted'))
    advance([node], 12)
    await follow.whenAllArchived(11)
    await follow.assertHonest(chain, 11)
    assert.equal(follow.status.halted, undefined)
  })

  it('other id at an archived slot: ARCHIVER_CHAIN_REPLACED, halted, the archive unchanged', async () => {
    const node = await stage.node(chain, 4, { broadcast: true, finalitySlots: 32 })
    const follow = await followAll([node])
    advance([node], 9)
    await follow.whenAllArchived(7)
    node.broadcast = false
    node.emitFinal(rival.slot, rival.id)
    await follow.whenSaid('ARCHIVER_CHAIN_REPLACED')
    const range = await follow.range()
    node.broadcast = true
    advance([node], 12)
    await follow.when('head spooled', () => follow.archiver.isKnown(headOf(chain).id))
    await follow.whenPolled()
    assert.equal(follow.status.halted?.code, 'ARCHIVER_CHAIN_REPLACED')
    assert.deepEqual(await follow.range(), range)
    await follow.assertHonest(chain, range?.last ?? -1)
  })

  it('node on another chain of the same network, polled: ARCHIVER_CHAIN_REPLACED, the archive unchanged', async () => {
    const node = await stage.node(chain, 4, { finalitySlots: 32 })
    const follow = await followAll([node])
    advance([node], 9)
    await follow.whenAllArchived(7)
    const range = await follow.range()
    await node.stop()
    const other = new ScriptedNode({ chain: makeTestChain({ seed: 'another' }), broadcast: false, port: portOf(node) })
    other.state.keepFinalPeriods = Number.POSITIVE_INFINITY
    other.advanceTo({ period: 12, thread: 31 })
    await other.start()
    try {
      await follow.whenSaid('ARCHIVER_CHAIN_REPLACED')
      await other.whenCalled('GetStatus', other.countOf('GetStatus') + 3)
      assert.deepEqual(await follow.range(), range)
      await follow.assertHonest(chain, range?.last ?? -1)
    } finally {
      await other.stop()
    }
  })

  it('one of three nodes on another chain: outvoted, the others are followed on', async () => {
    const options = { finalitySlots: 32 }
    const nodes = [await stage.node(chain, 4, options), await stage.node(chain, 4, options)]
    const other = await stage.node(makeTestChain({ seed: 'another' }), 4, options)
    const follow = await followAll([...nodes, other])
    advance([...nodes, other], 12)
    await follow.whenAllArchived(11)
    await follow.whenPolled()
    await follow.assertHonest(chain, 11)
    assert.equal(follow.status.halted, undefined)
  })

  it('failover: either of two nodes dies and comes back (ARCHIVER_NODE_UNREACHABLE), nothing is lost', async () => {
    const options = { broadcast: true, finalitySlots: 32 }
    const nodes = [await stage.node(chain, 4, options), await stage.node(chain, 4, options)] as const
    const clock = new SkippingClock()
    const follow = await followAll(nodes, { clock })
    await follow.whenArchived(3)
    await nodes[1].stop()
    await follow.whenSaid('ARCHIVER_NODE_UNREACHABLE')
    advance(nodes, 7)
    // For a minute it is waited for.
    await follow.when('head spooled', () => follow.archiver.isKnown(lastOf(7).id))
    await nodes[0].whenCalled('GetStatus', nodes[0].countOf('GetStatus') + 4)
    assert.equal((await follow.range())?.last, 3)
    clock.skip(NODE_GRACE_MS)
    await follow.whenAllArchived(6)
    assert.equal(follow.countSaid('ARCHIVER_NODE_ALONE'), 1)
    await nodes[1].start()
    await follow.when('both up', () => follow.followers.every((follower) => follower.status().up))
    advance(nodes, 9)
    await follow.whenAllArchived(7)
    await nodes[0].stop()
    await follow.when('one down', () => follow.followers[0]?.status().up === false)
    // What the stream had brought by then is still taken, and counts as heard; after further polls it is.
    await nodes[1].whenCalled('GetStatus', nodes[1].countOf('GetStatus') + 8)
    clock.skip(NODE_GRACE_MS)
    advance(nodes, 12)
    await follow.whenAllArchived(11)
    await follow.assertHonest(chain, 11)
    assert.equal(follow.countSaid('ARCHIVER_NODE_ALONE'), 2)
  })

  for (const broadcast of [false, true]) {
    it(`sidecar stopped and started in the middle, ${broadcast ? 'streamed' : 'polled'}: the same archive`, async () => {
      const node = await stage.node(chain, 4, { broadcast, finalitySlots: 64 })
      const dataDir = await stage.folder()
      const first = await stage.follow([node], { dataDir })
      await first.whenArchived(2)
      advance([node], 7)
      await first.whenArchived(5)
      await first.stop()
      advance([node], 9)
      const second = await stage.follow([node], { dataDir })
      await second.whenStreaming()
      advance([node], 12)
      await second.whenAllArchived(11)
      await second.assertHonest(chain, 11)
    })
  }

  describe('a chain that was restarted', () => {
    const restart = { lastKeptSlot: { period: 6, thread: 31 }, restartPeriod: 10 }
    let chain: MadeChain
    let restarted: MadeChain
    before(() => {
      // What was missed last before a restart no later block proves.
      chain = makeTestChain({ seed: 'before the restart', periods: 6 })
      restarted = restartChain(chain, restart.lastKeptSlot.period, restart.restartPeriod, 18)
    })

    it('unknown restart: halted with ARCHIVER_CHAIN_RESTARTED; configured: void slots, genesis blocks, then the new chain', async () => {
      const node = await stage.node(restarted, 4, { finalitySlots: 32 })
      const dataDir = await stage.folder()
      const first = await stage.follow([node], { dataDir })
      await first.whenArchived(2)
      advance([node], 14)
      await first.whenSaid('ARCHIVER_CHAIN_RESTARTED')
      await first.whenPolled()
      assert.equal(first.status.halted?.code, 'ARCHIVER_CHAIN_RESTARTED')
      const range = await first.range()
      assert.ok(range && range.last <= 6)
      await first.assertHonest(chain, range.last)
      await first.stop()

      const second = await stage.follow([node], { dataDir, restarts: [restart] })
      advance([node], 16)
      await second.whenAllArchived(15)
      for (let period = 0; period <= 6; period++) {
        const ids = Array.from({ length: THREAD_COUNT }, (_, thread) => chain.blockAt(period, thread)?.id)
        if (period > 0) assert.deepEqual(await second.archivedIds(period), ids)
      }
      for (const period of [7, 8, 9]) assert.deepEqual([...new Set(await second.archivedKinds(period))], ['void'])
      const genesis = Array.from({ length: THREAD_COUNT }, (_, thread) =>
        formatBlockId(computeGenesisBlock({ period: 10, thread }).id),
      )
      assert.deepEqual(await second.archivedIds(10), genesis)
      for (let period = 11; period <= 15; period++) {
        const ids = Array.from({ length: THREAD_COUNT }, (_, thread) => blockOf(restarted, period, thread).id)
        assert.deepEqual(await second.archivedIds(period), ids)
      }
    })
  })

  function lastOf(period: number): MadeBlock {
    const last = [...chain.blocks.values()].filter(({ slot }) => slot.period === period).at(-1)
    assert.ok(last)
    return last
  }

  function inventAt(slot: Slot): MadeBlock {
    const later = [...chain.blocks.values()].find((block) => slotIndex(block.slot) > slotIndex(slot))
    assert.ok(later)
    return signBlock(makeKey('nobody'), { slot, parents: later.header.parents }, [])
  }
})

function headOf(chain: MadeChain): MadeBlock {
  const head = [...chain.blocks.values()].filter(({ slot }) => slot.period === 13).at(-1)
  assert.ok(head)
  return head
}

function portOf(node: ScriptedNode): number {
  return Number(node.url.split(':')[1])
}

/** The blocks up to a period, then a new chain on the genesis blocks of a later one. */
function restartChain(chain: MadeChain, lastKept: number, restartPeriod: number, periods: number): MadeChain {
  const blocks = new Map([...chain.blocks].filter(([, { slot }]) => slot.period <= lastKept))
  const producer = makeKey('after the restart')
  const parents = Array.from(
    { length: THREAD_COUNT },
    (_, thread) => computeGenesisBlock({ period: restartPeriod, thread }).id,
  )
  for (let period = restartPeriod + 1; period <= periods; period++) {
    for (let thread = 0; thread < THREAD_COUNT; thread++) {
      const block = signBlock(producer, { slot: { period, thread }, parents: [...parents] }, [])
      blocks.set(slotIndex(block.slot), block)
      parents[thread] = block.idBytes
    }
  }
  assert.notEqual(toHex(parents[0] ?? new Uint8Array()), '')
  return {
    ...chain,
    lastPeriod: periods,
    blocks,
    blockAt: (period, thread) => blocks.get(slotIndex({ period, thread })),
  }
}
