import assert from 'node:assert/strict'
import {
  computeAuditDraw,
  computeDraw,
  computeDrawChallengeId,
  computeDrawNonce,
  computeDrawText,
  concatBytes,
  parseBody,
  selectDrawNode,
  selectDrawTarget,
  signText,
  verifyText,
} from '../../../core/index.ts'
import { type DrawNode, drawAudit } from '../../../storage-worker/challenge/draw-audit.ts'
import { openMemoryStore } from '../replication/audited-nodes.ts'
import { addressOf, seedOf } from '../replication/made-nodes.ts'
import { makePeriod } from '../synthetic-period.ts'

const KEY = seedOf('challenger')
const NODES = ['one', 'two', 'three'].map((name) => addressOf(seedOf(name)))

describe('storage-worker/challenge/draw-audit', () => {
  const periods = Array.from({ length: 12 }, (_, period) => makePeriod(period, { blocks: 2 + (period % 3) }))

  async function setUp(count = periods.length) {
    const store = await openMemoryStore()
    for (const each of periods.slice(0, count)) await store.writePeriod(each)
    return { store, listNodes: async () => listKeeping(0n), claims: () => true }
  }

  it('names what anybody computes from its signature: node, chunks, ids and nonces', async () => {
    const modules = await setUp()
    const audit = await drawAudit({ period: 16, keySeed: KEY, count: 8 }, modules)
    assert.ok(audit && audit !== 'unarchived')
    const { slots } = parseBody(concatBytes(...(periods[8]?.chunks ?? [])))
    const text = computeDrawText(
      16,
      slots.flatMap((slot) => (slot.kind === 'block' ? [slot.record.id] : [])),
    )
    const { publicKey } = signText(KEY, text)
    assert.ok(verifyText(text, { publicKey, signature: audit.signature }))
    const draw = computeDraw(audit.signature.subarray(1))
    assert.equal(audit.node, selectDrawNode(draw, NODES))
    const all = periods
      .slice(0, 9)
      .flatMap(({ manifest: { period, chunks } }) =>
        chunks.map(({ byteLength, chunkId }, index) => ({ period, index, byteLength, chunkId })),
      )
    const totalBytes = all.reduce((sum, { byteLength }) => sum + BigInt(byteLength), 0n)
    const hashSlots = new Set(Array.from({ length: 16_384 }, (_, slot) => slot))
    assert.equal(audit.targets.length, 8)
    for (const [j, target] of audit.targets.entries()) {
      const own = computeAuditDraw(draw, j)
      const found = selectDrawTarget(own, { eras: [{ era: 0, totalBytes }], hashSlots }, () => all)
      assert.deepEqual(target.chunkId, found?.chunk.chunkId)
      assert.deepEqual([target.challengeId, target.nonce], [computeDrawChallengeId(own), computeDrawNonce(own)])
    }
    assert.ok(new Set(audit.targets.map(({ chunkId }) => String(chunkId))).size > 3)
  })

  it('another period, or another challenger, draws something else', async () => {
    const modules = await setUp()
    const draw = async (period: number, keySeed: Uint8Array) => {
      const audit = await drawAudit({ period, keySeed, count: 1 }, modules)
      assert.ok(audit && audit !== 'unarchived')
      return audit.targets[0]?.challengeId
    }
    const drawn = [await draw(16, KEY), await draw(16, KEY), await draw(17, KEY), await draw(16, seedOf('other'))]
    assert.equal(drawn[0], drawn[1])
    assert.equal(new Set(drawn).size, 3)
  })

  it('asks for what the node says that it holds alone, and for nothing where it says that of nothing', async () => {
    const modules = await setUp()
    const only = { ...modules, claims: (_node: string, _slot: number, period: number) => period === 5 }
    const audit = await drawAudit({ period: 16, keySeed: KEY, count: 4 }, only)
    assert.ok(audit && audit !== 'unarchived')
    const own = new Set(periods[5]?.manifest.chunks.map(({ chunkId }) => String(chunkId)))
    assert.ok(audit.targets.every(({ chunkId }) => own.has(String(chunkId))))
    assert.equal(
      await drawAudit({ period: 16, keySeed: KEY, count: 4 }, { ...modules, claims: () => false }),
      undefined,
    )
    assert.equal(
      await drawAudit({ period: 16, keySeed: KEY, count: 4 }, { ...modules, listNodes: async () => [] }),
      undefined,
    )
  })

  it('asks of each node what it has promised to keep alone: what is older may go before it has to be shown', async () => {
    const modules = await setUp()
    for (const [retentionPeriods, wanted] of [
      [3n, [6, 7, 8]],
      [8n, [1, 2, 3, 4, 5, 6, 7, 8]],
      [100n, [0, 1, 2, 3, 4, 5, 6, 7, 8]],
    ] as const) {
      const drawn = new Set<number>()
      const listNodes = async () => listKeeping(retentionPeriods)
      for (let challenger = 0; challenger < 40; challenger++) {
        const options = { period: 16, keySeed: seedOf(`challenger ${challenger}`), count: 8 }
        const audit = await drawAudit(options, { ...modules, listNodes })
        assert.ok(audit && audit !== 'unarchived')
        for (const { chunkId } of audit.targets) {
          const id = String(chunkId)
          drawn.add(periods.findIndex(({ manifest }) => manifest.chunks.some((chunk) => String(chunk.chunkId) === id)))
        }
      }
      assert.deepEqual(
        [...drawn].sort((a, b) => a - b),
        wanted,
      )
    }
  })

  it('draws the same however far the archive has come behind the blocks that it depends on', async () => {
    const draw = async (archived: number) => {
      const audit = await drawAudit({ period: 16, keySeed: KEY, count: 8 }, await setUp(archived))
      assert.ok(audit && audit !== 'unarchived')
      return audit.targets
    }
    assert.deepEqual(await draw(9), await draw(12))
  })

  it('waits for the blocks that it depends on, and until it is known who may be drawn', async () => {
    const modules = await setUp()
    const listNodes = async () => undefined
    assert.equal(await drawAudit({ period: 16, keySeed: KEY, count: 1 }, { ...modules, listNodes }), 'unarchived')
    for (const period of [20, 7]) {
      assert.equal(await drawAudit({ period, keySeed: KEY, count: 1 }, modules), 'unarchived')
    }
  })
})

function listKeeping(retentionPeriods: bigint): readonly DrawNode[] | undefined {
  return NODES.map((address) => ({ address, retentionPeriods }))
}
