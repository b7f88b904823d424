import assert from 'node:assert/strict'
import {
  compareAddresses,
  computeAuditDraw,
  computeDraw,
  computeDrawChallengeId,
  computeDrawNonce,
  computeDrawNumber,
  computeDrawText,
  concatBytes,
  ERA_PERIODS,
  type EraAnchor,
  parseBody,
  selectDrawTarget,
  signText,
  toHex,
  verifyText,
} from '../../../core/index.ts'
import { drawAnchoredAudit } from '../../../storage-worker/challenge/draw-anchored-audit.ts'
import { PastPlacements } from '../../../storage-worker/placement/past-placements.ts'
import { PlacementArchive } from '../../../storage-worker/placement/placement-archive.ts'
import { makeEra, NETWORK } from '../../sc/anchored-world.ts'
import { MAS } from '../../sc/registry-world.ts'
import { seedOf } from '../replication/made-nodes.ts'
import { makePeriod } from '../synthetic-period.ts'
import { openMemoryLevel } from '../temp-store.ts'
import { type AnchoredDuty, ERA, makeAnchoredDuty, PLACEMENT_ERA } from './anchored-duty.ts'

const KEY = seedOf('challenger')
/** Of era 5, whose newest placement that may be used is the anchored one. */
const PERIOD = 656
const OPTIONS = { period: PERIOD, keySeed: KEY, count: 8, lagEras: 1 }

describe('storage-worker/challenge/draw-anchored-audit', () => {
  const blocks = makePeriod(PERIOD - 8, { blocks: 3, identity: { network: NETWORK, chunkSizeBytes: 4_096 } })
  let duty: AnchoredDuty
  let modules: Parameters<typeof drawAnchoredAudit>[1]

  before(async () => {
    duty = await makeAnchoredDuty()
    for (const manifest of makeEra(PLACEMENT_ERA - 1).manifests) duty.manifests.set(manifest.period, manifest)
    duty.manifests.set(blocks.manifest.period, blocks.manifest)
    const readChunk = async (_period: number, index: number) => blocks.chunks[index]
    modules = {
      store: { ...duty.store, readChunk },
      readFirstEra: async () => Number((await duty.registry.client.readState()).firstEra),
      anchors: duty.anchors,
      placements: new PastPlacements(duty.world.contract, duty.placements),
    }
  })

  /** Everything that the signature decides, from public data. */
  function recompute(signature: Uint8Array, anchored: readonly EraAnchor[]) {
    const { slots } = parseBody(concatBytes(...blocks.chunks))
    const ids = slots.flatMap((slot) => (slot.kind === 'block' ? [slot.record.id] : []))
    const text = computeDrawText(PERIOD, ids)
    assert.ok(verifyText(text, { publicKey: signText(KEY, text).publicKey, signature }))
    const draw = computeDraw(signature.subarray(1))
    const nodes = [...new Set(duty.holders.flat())].sort(compareAddresses)
    const node = nodes[Number(computeDrawNumber(draw, 0) % BigInt(nodes.length))] ?? assert.fail()
    const hashSlots = new Set(duty.holders.flatMap((holders, hashSlot) => (holders.includes(node) ? [hashSlot] : [])))
    const chunksOf = (era: number) =>
      [...duty.manifests.values()].flatMap(({ period, chunks }) =>
        Math.floor(period / ERA_PERIODS) === era
          ? chunks.map(({ byteLength, chunkId }, index) => ({ period, index, byteLength, chunkId }))
          : [],
      )
    const targets = Array.from({ length: 8 }, (_, j) => {
      const own = computeAuditDraw(draw, j)
      const found = selectDrawTarget(own, { eras: anchored, hashSlots }, chunksOf)
      const [challengeId, nonce] = [computeDrawChallengeId(own), computeDrawNonce(own)]
      return {
        era: found?.era,
        target: { challengeId, chunkId: found?.chunk.chunkId, nonce, drawSignature: signature },
      }
    })
    return { node, targets }
  }

  async function draw(change: Partial<typeof modules> = {}) {
    const audit = await drawAnchoredAudit(OPTIONS, { ...modules, ...change })
    assert.ok(audit && audit !== 'unarchived')
    return audit
  }

  it('names what anybody computes from its signature, and the contract takes it with its evidence', async () => {
    const audit = await draw()
    const { node, targets } = recompute(audit.signature, await duty.anchors.findAll([1, 2, 3, 4]))
    assert.deepEqual([audit.node, audit.placementEra], [node, PLACEMENT_ERA])
    assert.deepEqual(
      audit.targets,
      targets.map(({ target }) => target),
    )
    assert.equal(new Set(targets.map(({ era }) => era)).size, 2)
    const evidences = await Promise.all(
      audit.targets.map(({ chunkId }) => duty.evidence.gather(node, chunkId, audit.placementEra)),
    )
    const args = {
      challengeIds: audit.targets.map(({ challengeId }) => challengeId),
      nodeAddress: node,
      chunkIds: audit.targets.map(({ chunkId }) => toHex(chunkId)),
      nonces: audit.targets.map(({ nonce }) => nonce),
      evidences,
    }
    await duty.registry.send({ key: 'draw', call: 'issueChallenges', args, coinsNanoMas: MAS })
    const { openChallenges } = await duty.registry.client.read('getNodeInfo', { address: node })
    assert.equal(openChallenges, audit.targets.length)
  })

  it('limit: an era counts when it was anchored eight periods before, and no later', async () => {
    const [first] = await duty.anchors.findAll([ERA])
    assert.ok(first)
    const withEra2 = (anchoredPeriod: bigint) => ({
      findAll: async (eras: readonly number[]) => [
        ...(await duty.anchors.findAll(eras)),
        { ...first, era: 2, totalBytes: 1n << 60n, anchoredPeriod },
      ],
    })
    assert.deepEqual(await draw({ anchors: withEra2(649n) }), await draw())
    // Every challenge is of that era, which is not archived here.
    assert.equal(await drawAnchoredAudit(OPTIONS, { ...modules, anchors: withEra2(648n) }), undefined)
  })

  it('a challenge of an era that is not whole here is left out, and no other stands in for it', async () => {
    const store = {
      ...modules.store,
      readManifest: async (period: number) =>
        period === (PLACEMENT_ERA - 1) * ERA_PERIODS ? undefined : duty.manifests.get(period),
    }
    const audit = await draw({ store })
    const { targets } = recompute(audit.signature, await duty.anchors.findAll([1, 3]))
    assert.deepEqual(
      audit.targets,
      targets.filter(({ era }) => era === ERA).map(({ target }) => target),
    )
  })

  it('waits for the blocks that it depends on, and for who tells what is anchored', async () => {
    assert.equal(await drawAnchoredAudit({ ...OPTIONS, period: PERIOD + 1 }, modules), 'unarchived')
    const anchors = { findAll: async () => undefined }
    assert.equal(await drawAnchoredAudit(OPTIONS, { ...modules, anchors }), 'unarchived')
  })

  it('draws nobody by a placement that may not be used yet, or was not read here', async () => {
    assert.equal(await drawAnchoredAudit({ ...OPTIONS, lagEras: 2 }, modules), undefined)
    const placements = new PastPlacements(duty.world.contract, new PlacementArchive(await openMemoryLevel('index')))
    assert.equal(await drawAnchoredAudit(OPTIONS, { ...modules, placements }), undefined)
  })
})
