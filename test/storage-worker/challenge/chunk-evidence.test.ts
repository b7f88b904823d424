import assert from 'node:assert/strict'
import { computeHashSlot, fromHex, isArchiveError } from '../../../core/index.ts'
import type { EngineSnapshot } from '../../../devnet/engine/index.ts'
import { ChainChallenger } from '../../../storage-worker/challenge/chain-challenger.ts'
import { ChallengeHistory } from '../../../storage-worker/challenge/challenge-history.ts'
import { ChunkEvidence } from '../../../storage-worker/challenge/chunk-evidence.ts'
import { PastPlacements } from '../../../storage-worker/placement/past-placements.ts'
import { PlacementArchive } from '../../../storage-worker/placement/placement-archive.ts'
import type { RegistrySender } from '../../../storage-worker/sending/registry-sender.ts'
import { createLogger } from '../../../telemetry/index.ts'
import { SteppedClock } from '../../devnet/node/face.ts'
import { FIRST_NODE } from '../../sc/anchored-world.ts'
import { CHUNK_ID, registerNode } from '../../sc/challenge-steps.ts'
import { deployRegistry, fund, goTo, userOf } from '../../sc/registry-world.ts'
import { EngineRegistry } from '../eras/engine-registry.ts'
import { openMemoryLevel } from '../temp-store.ts'
import { type AnchoredDuty, ERA, makeAnchoredDuty } from './anchored-duty.ts'

const NEWCOMER = userOf(FIRST_NODE + 3)

describe('storage-worker/challenge/chunk-evidence on the shipped contract', () => {
  let duty: AnchoredDuty
  let snapshot: EngineSnapshot
  let holder: string
  let other: string

  before(async () => {
    duty = await makeAnchoredDuty()
    snapshot = duty.world.engine.snapshot()
    const holders = duty.holders[computeHashSlot(CHUNK_ID)] ?? []
    const addresses = duty.world.nodes.map(({ address }) => address)
    holder = addresses.find((address) => holders.includes(address)) ?? assert.fail()
    other = addresses.find((address) => !holders.includes(address)) ?? assert.fail()
  })

  afterEach(() => duty.world.engine.restore(snapshot))

  async function makeChallenger(): Promise<ChainChallenger> {
    const { world, registry } = duty
    return new ChainChallenger(
      { network: duty.store.identity.network, registry: world.contract, everyMs: 2_000 },
      {
        sender: registry as unknown as RegistrySender,
        history: new ChallengeHistory(await openMemoryLevel('index')),
        drawSignatures: { put: () => assert.fail('no draw') },
        network: { request: async () => assert.fail('asked') },
        findPeer: () => undefined,
        onOffence: () => assert.fail('an offence'),
        clock: new SteppedClock(),
        log: createLogger({ level: 'error', format: 'json', destination: { write: () => true } }),
      },
    )
  }

  /** What becomes of it is of no matter. */
  async function issue(node: string, evidence: Uint8Array | undefined, chunkId = CHUNK_ID): Promise<void> {
    const challenger = await makeChallenger()
    const target = { challengeId: 'm-1', chunkId, nonce: 7n, ...(evidence && { evidence }) }
    const issuing = challenger.issue(node, [target])
    challenger.stop()
    await issuing
  }

  it('of a holder: the contract takes it, for this node and no other', async () => {
    const evidence = await duty.evidence.gatherIfRequired(holder, CHUNK_ID)
    await assert.rejects(issue(other, evidence), { code: 'REGISTRY_NOT_HOLDER' })
    await assert.rejects(issue(holder, undefined), (error) => isArchiveError(error) && /^REGISTRY_/.test(error.code))
    await assert.rejects(issue(holder, evidence), { code: 'CHAIN_OUTCOME_UNKNOWN' })
    const { nodeAddress, chunkId } = await duty.registry.client.read('getChallenge', { challengeId: 'm-1' })
    assert.deepEqual([nodeAddress, fromHex(chunkId)], [holder, CHUNK_ID])
  })

  it('another node answers for nothing: what shows that is for the contract to refuse', async () => {
    const evidence = await duty.evidence.gather(other, CHUNK_ID)
    await assert.rejects(issue(other, evidence), { code: 'REGISTRY_NOT_HOLDER' })
  })

  it('nor does one that registered after the placement, though it names it', async () => {
    fund(duty.world, NEWCOMER)
    registerNode(duty.world, NEWCOMER)
    const chunk = duty.era.manifests
      .flatMap(({ chunks }) => chunks)
      .find(({ chunkId }) => duty.holders[computeHashSlot(chunkId)]?.includes(NEWCOMER.address))
    const chunkId = chunk?.chunkId ?? assert.fail()
    const evidence = await duty.evidence.gather(NEWCOMER.address, chunkId)
    await assert.rejects(issue(NEWCOMER.address, evidence, chunkId), { code: 'REGISTRY_PLACEMENT_AGE' })
  })

  it('limit: a placement counts from one lag to two lags behind, and only once it is anchored', async () => {
    const { world, evidence } = duty
    goTo(world, 7 * 128 - 2)
    assert.ok(await evidence.gather(holder, CHUNK_ID))
    goTo(world, 7 * 128 + 1)
    await assert.rejects(evidence.gather(holder, CHUNK_ID), { code: 'CHAIN_EVIDENCE_UNANCHORED' })
  })

  it('that of the era that is asked for, or none', async () => {
    assert.deepEqual(await duty.evidence.gather(holder, CHUNK_ID, 4), await duty.evidence.gather(holder, CHUNK_ID))
    for (const era of [3, 5]) {
      await assert.rejects(duty.evidence.gather(holder, CHUNK_ID, era), { code: 'CHAIN_EVIDENCE_UNANCHORED' })
    }
  })

  it('error: says what lacks here', async () => {
    const { evidence, manifests, anchors, registry, store, world } = duty
    const ids = Array.from({ length: 64 }, (_, i) => new Uint8Array(32).fill(i).fill(7, 31))
    const unknown = ids.find((id) => duty.holders[computeHashSlot(id)]?.includes(holder)) ?? assert.fail()
    await assert.rejects(evidence.gather(holder, unknown), { code: 'CHAIN_EVIDENCE_CHUNK_UNKNOWN' })
    const [period, manifest] = [...manifests][5] ?? assert.fail()
    manifests.set(period, { ...manifest, bitmap: 1 })
    await assert.rejects(evidence.gather(holder, CHUNK_ID), { code: 'CHAIN_EVIDENCE_DIFFERS' })
    manifests.delete(period)
    await assert.rejects(evidence.gather(holder, CHUNK_ID), { code: 'CHAIN_EVIDENCE_ERA_INCOMPLETE' })
    manifests.clear()
    for (const each of duty.era.manifests) manifests.set(each.period, each)
    const placements = new PastPlacements(world.contract, duty.placements)
    const modules = { client: registry.client, store, anchors, placements }
    const none = new PastPlacements(world.contract, new PlacementArchive(await openMemoryLevel('index')))
    const cases = [
      [{ ...modules, placements: none }, 'CHAIN_EVIDENCE_PLACEMENT_UNKNOWN'],
      [
        { ...modules, anchors: { find: async (era: number) => (era === ERA ? undefined : anchors.find(era)) } },
        'CHAIN_EVIDENCE_UNANCHORED',
      ],
    ] as const
    for (const [each, code] of cases) await assert.rejects(new ChunkEvidence(each).gather(holder, CHUNK_ID), { code })
    assert.ok(await new ChunkEvidence(modules).gather(holder, CHUNK_ID))
  })

  it('where the registry requires no anchors none is gathered', async () => {
    const { client } = new EngineRegistry(deployRegistry())
    const nobody = async () => assert.fail('asked')
    const { store } = duty
    const evidence = new ChunkEvidence({ client, store, anchors: { find: nobody }, placements: { find: nobody } })
    assert.equal(await evidence.gatherIfRequired(holder, CHUNK_ID), undefined)
  })
})
