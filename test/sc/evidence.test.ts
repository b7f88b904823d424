import assert from 'node:assert/strict'
import fc from 'fast-check'
import { sha256 } from '#crypto'
import {
  computeLeafHash,
  computePathLength,
  computeRootFromPath,
  computeTreePath,
  computeTreeRoot,
  type Evidence,
  type EvidenceClaim,
  encodeEvidence,
  verifyEvidence,
} from '../../core/index.ts'
import { u64Arg } from '../reference/args-writer.ts'
import {
  type AnchoredWorld,
  anchor,
  CHUNK_AT,
  deployAnchored,
  type Era,
  holderOf,
  makeEra,
  makeEvidence,
  makePlacement,
  NETWORK,
  type Placement,
} from './anchored-world.ts'
import { CHUNK_ID, issueArgs, NONCE } from './challenge-steps.ts'
import { evidenceMutations, mutateEvidence } from './evidence-mutations.ts'
import { Counts, FUZZ_RUNS, FUZZ_SEED } from './fuzz-runs.ts'
import { judgeEvidence } from './proof-judge.ts'
import { CHALLENGER, call, fund, goTo, MAS, tryCall, type User, userOf } from './registry-world.ts'

const ERA_PERIODS = 128
const OTHER_CHUNK_ID = new Uint8Array(32).fill(9)

/** Eras 1 and 3 are anchored, with the placements of 2 and 4; evidence about era 1 and the placement of 4. */
interface Scene {
  readonly world: AnchoredWorld
  readonly eras: readonly Era[]
  readonly placements: readonly Placement[]
  readonly honest: Evidence
  readonly foreign: Evidence
}

const eras = [makeEra(1, CHUNK_AT), makeEra(3)]
let placements: readonly Placement[] = []

function setScene(): Scene {
  const world = deployAnchored(12)
  // The nodes of all worlds are the same, and a placement takes a second.
  if (placements.length === 0) {
    placements = [makePlacement(2, world.nodes), makePlacement(4, world.nodes.toReversed())]
  }
  const [first, second] = eras
  const [old, young] = placements
  assert.ok(first && second && old && young)
  anchor(world, first, old.root)
  anchor(world, second, young.root)
  const honest = makeEvidence(first, CHUNK_AT, young)
  const foreign = makeEvidence(second, { position: 5, index: 2 }, old)
  return { world, eras, placements, honest, foreign }
}

/** The same scene when the challenge is issued in the era given. */
function moveTo({ world }: Pick<Scene, 'world'>, era: number): AnchoredWorld {
  goTo(world, era * ERA_PERIODS + 20)
  return world
}

function claimIn(
  scene: Pick<Scene, 'eras' | 'placements'>,
  era: number,
  node: User,
  chunkId: Uint8Array,
): EvidenceClaim {
  return {
    network: NETWORK,
    chunkId,
    nodeAddress: node.address,
    registeredEra: 0n,
    currentEra: BigInt(era),
    placementLagEras: 1,
    findAnchor: (wanted) => {
      const i = scene.eras.findIndex((one) => BigInt(one.era) === wanted)
      const anchored = scene.eras[i]
      const next = scene.placements[i]
      return anchored && next ? { ...anchored, placementRoot: next.root } : undefined
    },
  }
}

function issueWith(world: AnchoredWorld, node: User, chunkId: Uint8Array, evidence: Uint8Array) {
  const asked = { challengeId: 'c', node, chunkId, nonce: NONCE }
  const { ok, code, error } = tryCall(world, CHALLENGER, 'issueChallenge', issueArgs(asked, evidence), MAS)
  return ok ? 'accepted' : (code ?? `no code: ${error}`)
}

describe('sc: evidence on chain and in core', () => {
  it('honest evidence is accepted as long as its placement counts', () => {
    const verdicts = [4, 5, 6, 7].map((era) => {
      const scene = setScene()
      const world = moveTo(scene, era)
      const holder = world.nodes.find(({ address }) => address === scene.honest.holders[0])
      assert.ok(holder)
      const evidence = encodeEvidence(scene.honest)
      const onChain = issueWith(world, holder, CHUNK_ID, evidence)
      assert.equal(onChain, judgeEvidence(evidence, claimIn(scene, era, holder, CHUNK_ID)))
      return onChain
    })
    assert.deepEqual(verdicts, ['REGISTRY_PLACEMENT_AGE', 'accepted', 'accepted', 'REGISTRY_PLACEMENT_AGE'])
  })

  it('limit: no placement of the era in which a node registered asks it, that of the next era does', () => {
    const world = deployAnchored(12)
    const late = userOf(200)
    fund(world, late)
    call(world, late, 'registerStorageNode', u64Arg(10), 11n * MAS)
    const anchored = [makeEra(1, CHUNK_AT), makeEra(3), makeEra(4)]
    const roots = [2, 4, 5].map((era) => makePlacement(era, [late]))
    for (const [i, era] of anchored.entries()) {
      if (i === 2) goTo(world, 5 * ERA_PERIODS + 8)
      anchor(world, era, roots[i]?.root ?? new Uint8Array(32))
    }
    const scene = { world, eras: anchored, placements: roots }
    moveTo(scene, 6)
    const verdicts = roots.slice(1).map((placement) => {
      const evidence = encodeEvidence(makeEvidence(makeEra(1, CHUNK_AT), CHUNK_AT, placement))
      const onChain = issueWith(world, late, CHUNK_ID, evidence)
      assert.equal(onChain, judgeEvidence(evidence, { ...claimIn(scene, 6, late, CHUNK_ID), registeredEra: 4n }))
      return onChain
    })
    assert.deepEqual(verdicts, ['REGISTRY_PLACEMENT_AGE', 'accepted'])
  })

  for (const chunkCount of [1, 2 ** 31 + 1, 2 ** 32 - 1]) {
    it(`limit: the last chunk of a period of ${chunkCount} is accepted`, () => {
      const world = deployAnchored(12)
      const placement = makePlacement(4, world.nodes)
      const { era, evidence } = makeHugePeriod(chunkCount, placement)
      anchor(world, era, new Uint8Array(32))
      anchor(world, makeEra(3), placement.root)
      goTo(world, 5 * ERA_PERIODS + 20)
      const bytes = encodeEvidence(evidence)
      verifyEvidence(bytes, {
        ...{ network: NETWORK, chunkId: CHUNK_ID, nodeAddress: holderOf(world).address },
        ...{ registeredEra: 0n, currentEra: 5n, placementLagEras: 1 },
        findAnchor: (wanted) => ({ ...era, placementRoot: wanted === 3n ? placement.root : new Uint8Array(32) }),
      })
      assert.equal(issueWith(world, holderOf(world), CHUNK_ID, bytes), 'accepted')
    })
  }

  it(`${FUZZ_RUNS} mutated evidences get the same answer`, function () {
    this.timeout(FUZZ_RUNS > 10_000 ? 0 : 60_000)
    const moments = [5, 6, 7, 4].map((era) => {
      const scene = setScene()
      const world = moveTo(scene, era)
      return { era, scene, world, snapshot: world.engine.snapshot() }
    })
    const verdicts = new Counts()
    fc.assert(
      fc.property(evidenceMutations(moments.length), (mutation) => {
        const moment = moments[mutation.when]
        assert.ok(moment)
        const { era, scene, world } = moment
        const holders = world.nodes.filter(({ address }) => scene.honest.holders.includes(address))
        const node =
          mutation.kind === 'other-node'
            ? world.nodes[mutation.a % world.nodes.length]
            : holders[mutation.kind === 'second-holder' ? mutation.a % holders.length : 0]
        assert.ok(node)
        const chunkId = mutation.kind === 'other-chunk' ? OTHER_CHUNK_ID : CHUNK_ID
        const evidence = mutateEvidence(mutation, scene.honest, scene.foreign)
        const wanted = judgeEvidence(evidence, claimIn(scene, era, node, chunkId))
        const verdict = issueWith(world, node, chunkId, evidence)
        world.engine.restore(moment.snapshot)
        assert.equal(verdict, wanted)
        verdicts.add(verdict)
        verdicts.add(`(${mutation.kind})`)
      }),
      { numRuns: FUZZ_RUNS, seed: FUZZ_SEED },
    )
    console.log(`      seed ${FUZZ_SEED}: ${verdicts}`)
    for (const verdict of ['accepted', 'EVIDENCE_INVALID', 'ERA_UNKNOWN', 'PLACEMENT_AGE', 'NOT_HOLDER']) {
      assert.ok(
        [...verdicts.byName.keys()].some((name) => name.endsWith(verdict)),
        `none was ${verdict}`,
      )
    }
  })
})

/** An era with a period of so many chunks that only the path to its last one can be written down. */
function makeHugePeriod(chunkCount: number, placement: Placement): { readonly era: Era; readonly evidence: Evidence } {
  const base = makeEra(1)
  const chunkIndex = chunkCount - 1
  const chunkPath = Array.from({ length: computePathLength(chunkIndex, chunkCount) }, (_, i) =>
    new Uint8Array(32).fill(i),
  )
  const tree = computeRootFromPath(computeLeafHash(CHUNK_ID), chunkPath, { index: chunkIndex, leafCount: chunkCount })
  const head = Buffer.alloc(33)
  head[0] = 3
  head.writeBigUInt64BE(NETWORK.chainId, 1)
  head.writeBigUInt64BE(BigInt(ERA_PERIODS), 17)
  head.writeUInt32BE(0xffff_ffff, 25)
  head.writeUInt32BE(chunkCount, 29)
  const periodRoots = base.periodRoots.with(0, sha256(Buffer.concat([head, tree])))
  const leaves = periodRoots.map(computeLeafHash)
  const eraHead = Buffer.alloc(41)
  eraHead[0] = 4
  eraHead.writeBigUInt64BE(NETWORK.chainId, 1)
  eraHead.writeBigUInt64BE(1n, 17)
  eraHead.writeBigUInt64BE(base.totalBytes, 25)
  eraHead.writeBigUInt64BE(base.totalChunks, 33)
  const root = sha256(Buffer.concat([eraHead, computeTreeRoot(leaves)]))
  const evidence: Evidence = {
    ...makeEvidence(base, { position: 0, index: 0 }, placement),
    ...{ chunkCount, chunkIndex, chunkPath, periodPath: computeTreePath(leaves, 0) },
  }
  return { era: { ...base, periodRoots, root }, evidence }
}
