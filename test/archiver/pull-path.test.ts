import assert from 'node:assert/strict'
import type { Feed } from '../../archiver/feed.ts'
import type { NodeClient, NodeStatus, PulledBlock } from '../../archiver/node-client.ts'
import { fetchFilledBlocks, pullOnce } from '../../archiver/pull-path.ts'
import { type BlockIdText, type Slot, slotIndex, THREAD_COUNT } from '../../core/index.ts'
import { type MadeBlock, makeChain } from '../../devnet/index.ts'
import { createLogger } from '../../telemetry/index.ts'
import { until } from '../turns.ts'
import {
  type ArchiverHolder,
  giveFinal,
  holdArchiver,
  offerChain,
  offerMadeBlock,
  reportFinal,
} from './archiver-holder.ts'

const NETWORK = { chainId: 77n, genesisTimestampMs: 1_000_000n }
const log = createLogger({ level: 'error', format: 'json', destination: { write: () => undefined } })

/** What a poll asks of a node, answered from blocks. */
class FakeClient {
  readonly url = 'fake'
  readonly askedIds: BlockIdText[][] = []
  readonly askedRanges: { from: Slot; to: Slot }[] = []
  failExecutions = false
  private readonly blocks: ReadonlyMap<BlockIdText, MadeBlock>
  private readonly shown: readonly MadeBlock[]

  constructor(held: readonly MadeBlock[], shown: readonly MadeBlock[]) {
    this.blocks = new Map(held.map((block) => [block.id, block]))
    this.shown = shown
  }

  async searchBlocks(from: Slot, to: Slot) {
    this.askedRanges.push({ from, to })
    return this.shown.map(({ id }) => ({ id, final: true }))
  }

  async *getBlocks(ids: readonly BlockIdText[]): AsyncGenerator<PulledBlock[]> {
    if (ids.length === 0) return
    this.askedIds.push([...ids])
    yield ids.flatMap((id) => {
      const block = this.blocks.get(id)
      if (!block) return []
      return [
        { id, final: true, header: block.headerMessage, operationIds: block.operations.map(({ idText }) => idText) },
      ]
    })
  }

  async getOperations(ids: readonly string[]): Promise<Map<string, Uint8Array>> {
    const wanted = new Set(ids)
    const operations = [...this.blocks.values()].flatMap((block) => block.operations)
    return new Map(operations.flatMap(({ idText, message }) => (wanted.has(idText) ? [[idText, message]] : [])))
  }

  async getEvents() {
    if (this.failExecutions) throw new Error('no events today')
    return []
  }

  async queryOutcomes() {
    return new Map()
  }
}

function poll(holder: ArchiverHolder, client: FakeClient, lastPeriod: number): Promise<void> {
  const lastFinalSlot = { period: lastPeriod, thread: THREAD_COUNT - 1 }
  const status: NodeStatus = { network: NETWORK, threadCount: 32, version: '', currentTimeMs: 1_000_000, lastFinalSlot }
  reportFinal(holder, 0, lastFinalSlot)
  const pull = { node: 0, client: client as unknown as NodeClient, feed: holder.archiver, log, unanswered: new Map() }
  return pullOnce(pull, status)
}

describe('archiver/pull-path', () => {
  it('closes a gap of many periods in one poll, parent by parent', async () => {
    const chain = makeChain({ seed: 'wide gap', ...NETWORK, periods: 40, endorsements: 0 })
    const blocks = [...chain.blocks.values()]
    const isLost = ({ slot }: MadeBlock) => slot.thread === 5 && slot.period >= 3 && slot.period <= 34
    const holder = await holdArchiver({ network: NETWORK })
    await giveFinal(holder, blocks.filter((block) => !isLost(block)).map(offerMadeBlock))
    await until(() => holder.archivedPeriods.includes(39))
    assert.equal(holder.archiver.status().gaps.length, 1)
    const client = new FakeClient(blocks.filter(isLost), [])
    await poll(holder, client, 40)
    assert.deepEqual(holder.archiver.status().gaps, [])
    await until(() => holder.archivedPeriods.length === 41)
    await holder.archiver.stop()
  })

  it('regression: a node behind the archive is asked for what it has, not for a range that ends before it begins', async () => {
    const chain = makeChain({ seed: 'behind', ...NETWORK, periods: 12, endorsements: 0 })
    const holder = await holdArchiver({ network: NETWORK })
    await giveFinal(holder, offerChain(chain))
    await until(() => holder.archivedPeriods.includes(11))
    // As a recording does that is played anew into the archive of its last replay.
    const client = new FakeClient([], [])
    for (const finalPeriod of [0, 2, 10, 11, 12, 13]) await poll(holder, client, finalPeriod)
    assert.equal(client.askedRanges.length, 6)
    for (const { from, to } of client.askedRanges) {
      assert.ok(slotIndex(from) < slotIndex(to), `${JSON.stringify({ from, to })}`)
    }
    const covered = client.askedRanges.map(({ from, to }) => [from.period, to.period])
    assert.deepEqual(covered.slice(0, 2), [
      [0, 1],
      [2, 3],
    ])
    await holder.archiver.stop()
  })

  it('asks once per poll for what the node does not have', async () => {
    const chain = makeChain({ seed: 'forgotten', ...NETWORK, periods: 8, endorsements: 0 })
    const blocks = [...chain.blocks.values()]
    const isLost = ({ slot }: MadeBlock) => slot.thread === 5 && slot.period === 3
    const holder = await holdArchiver({ network: NETWORK })
    await giveFinal(holder, blocks.filter((block) => !isLost(block)).map(offerMadeBlock))
    const client = new FakeClient([], [])
    await poll(holder, client, 8)
    assert.deepEqual(client.askedIds, [[chain.blockAt(3, 5)?.id]])
    await holder.archiver.stop()
  })

  it('fetches what a node shows and takes its word of what is final, even when it says nothing of executions', async () => {
    const chain = makeChain({ seed: 'pull', ...NETWORK, periods: 4, endorsements: 0, operationsPerBlock: 1 })
    const blocks = [...chain.blocks.values()]
    const holder = await holdArchiver({ network: NETWORK })
    const client = new FakeClient(blocks, blocks)
    client.failExecutions = true
    for (let i = 0; i < 2; i++) await poll(holder, client, 4).catch(() => undefined)
    await until(() => holder.archivedPeriods.includes(3))
    await holder.archiver.stop()
  })

  describe('limit: a poll', () => {
    const idOf = (i: number) => `B${i}`.padEnd(64, 'x') as BlockIdText

    /** One poll of a node that shows blocks, and what it is asked for. */
    async function pollFor(
      shown: readonly BlockIdText[],
      unanswered: Map<BlockIdText, number>,
    ): Promise<BlockIdText[]> {
      const asked: BlockIdText[] = []
      const client = {
        searchBlocks: async () => shown.map((id) => ({ id, final: false })),
        async *getBlocks(ids: readonly BlockIdText[]) {
          asked.push(...ids)
          yield []
        },
      } as unknown as NodeClient
      const feed = {
        searchFrom: () => ({ period: 1, thread: 0 }),
        listWanted: () => [],
        isWorthAsking: () => true,
        isKnown: () => false,
        onClaims: async () => undefined,
      } as unknown as Feed
      const lastFinalSlot = { period: 3, thread: 0 }
      const status = { network: NETWORK, threadCount: 32, version: '', currentTimeMs: 1_000_000, lastFinalSlot }
      await pullOnce({ node: 0, client, feed, log, unanswered }, status)
      return asked
    }

    it('asks for 500 bodies, and for the rest with the next one', async () => {
      const shown = Array.from({ length: 501 }, (_, i) => idOf(i))
      const unanswered = new Map<BlockIdText, number>()
      assert.deepEqual(await pollFor(shown, unanswered), shown.slice(0, 500))
      assert.equal((await pollFor(shown, unanswered))[0], idOf(500))
    })

    it('asks for an id of 64 letters, and for none of 65', async () => {
      const longer = `${idOf(1)}x` as BlockIdText
      assert.deepEqual(await pollFor([longer, idOf(0)], new Map()), [idOf(0)])
    })

    it('fetches 5,000 operations before it hands their blocks on, and no more', async () => {
      for (const [counts, wanted] of [
        [[2_499, 2_500, 1], [5_000]],
        [
          [2_500, 2_500, 1],
          [5_000, 1],
        ],
      ] as const) {
        const asked: number[] = []
        const client = {
          async *getBlocks() {
            yield counts.map((count, block) => ({
              id: idOf(block),
              header: new Uint8Array(0),
              operationIds: Array.from({ length: count }, (_, i) => `O${block} ${i}`),
            }))
          },
          getOperations: async (ids: readonly string[]) => {
            asked.push(ids.length)
            return new Map()
          },
        } as unknown as NodeClient
        await fetchFilledBlocks(
          client,
          counts.map((_, block) => idOf(block)),
          async () => undefined,
        )
        assert.deepEqual(asked, wanted)
      }
    })
  })
})
