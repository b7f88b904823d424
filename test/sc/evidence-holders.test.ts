import assert from 'node:assert/strict'
import { sha256 } from '#crypto'
import {
  computeHashSlot,
  computeLeafHash,
  computePathLength,
  computeRootFromPath,
  type Evidence,
  encodeEvidence,
  encodePlacementLeaf,
  HASH_SLOTS,
} from '../../core/index.ts'
import type { EngineSnapshot } from '../../devnet/engine/index.ts'
import {
  type AnchoredWorld,
  anchor,
  CHUNK_AT,
  deployAnchored,
  FIRST_NODE,
  makeEra,
  makeEvidence,
  NETWORK,
  type Placement,
} from './anchored-world.ts'
import { CHUNK_ID, issueArgs, NONCE } from './challenge-steps.ts'
import { judgeEvidence } from './proof-judge.ts'
import { CHALLENGER, goTo, MAS, tryCall, type User, userOf, type World } from './registry-world.ts'

/*
 * Placements that no honest node would sign, each with a single leaf that can be written down: evidence may name whom
 * it likes there, and the contract must read the list as core does.
 */

const ERA_PERIODS = 128
const U64_MAX = 2n ** 64n - 1n
const hashSlot = computeHashSlot(CHUNK_ID)
const era = makeEra(1, CHUNK_AT)

/** What anchors such a placement, and shows its one leaf. */
function makeThinPlacement(placementEra: number, holders: readonly string[]) {
  const placementPath = Array.from({ length: computePathLength(hashSlot, HASH_SLOTS) }, (_, i) =>
    new Uint8Array(32).fill(i),
  )
  const leaf = computeLeafHash(encodePlacementLeaf(hashSlot, holders))
  const tree = computeRootFromPath(leaf, placementPath, { index: hashSlot, leafCount: HASH_SLOTS })
  const head = Buffer.alloc(25)
  head[0] = 6
  head.writeBigUInt64BE(NETWORK.chainId, 1)
  head.writeBigUInt64BE(BigInt(placementEra), 17)
  const root = sha256(Buffer.concat([head, tree]))
  return { root, shown: { placementEra: BigInt(placementEra), holders, placementPath } }
}

/** Evidence about CHUNK_ID, with the holders given. */
function showHolders(shown: Pick<Evidence, 'placementEra' | 'holders' | 'placementPath'>): Uint8Array {
  const nobody: Placement = { era: 0, holders: [], levels: [], root: new Uint8Array(32) }
  return encodeEvidence({ ...makeEvidence(era, CHUNK_AT, nobody), ...shown })
}

function issueWith(world: World, node: User, evidence: Uint8Array): string {
  const asked = { challengeId: 'c', node, chunkId: CHUNK_ID, nonce: NONCE }
  const { ok, code, error } = tryCall(world, CHALLENGER, 'issueChallenge', issueArgs(asked, evidence), MAS)
  return ok ? 'accepted' : (code ?? `no code: ${error}`)
}

describe('sc: the holders that evidence names', () => {
  let world: AnchoredWorld
  let snapshot: EngineSnapshot
  before(() => {
    world = deployAnchored(3)
    anchor(world, era, new Uint8Array(32))
    snapshot = world.engine.snapshot()
  })
  /** Of many lengths: each must be read where it lies. */
  const others = (count: number) => Array.from({ length: count }, (_, i) => `AU${'x'.repeat(i % 60)}`)
  const node = userOf(FIRST_NODE)
  const { address } = node

  const CASES: readonly (readonly [title: string, holders: readonly string[], wanted: string])[] = [
    ['limit: the last of 255', [...others(254), address], 'accepted'],
    ['the first of 255', [address, ...others(254)], 'accepted'],
    ['limit: nobody', [], 'REGISTRY_NOT_HOLDER'],
    ['named twice', [address, address], 'accepted'],
    ['255 others', others(255), 'REGISTRY_NOT_HOLDER'],
    // Behind a text lie zeros in the contract's memory.
    ...['\0', '\0\0', '1', 'A'].map(
      (more) => [`a text that goes on with ${JSON.stringify(more)}`, [address + more], 'REGISTRY_NOT_HOLDER'] as const,
    ),
    ['a text that ends before its last character', [address.slice(0, -1)], 'REGISTRY_NOT_HOLDER'],
    ['an empty text', [''], 'REGISTRY_NOT_HOLDER'],
    ['a text with a character before it', [`A${address}`], 'REGISTRY_NOT_HOLDER'],
    ['a text of 255 bytes that begins so', [address.padEnd(255, '1')], 'REGISTRY_NOT_HOLDER'],
  ]
  for (const [title, holders, wanted] of CASES) {
    it(`${title}: ${wanted}, as by core`, () => {
      world.engine.restore(snapshot)
      const { root, shown } = makeThinPlacement(4, holders)
      const second = makeEra(3)
      anchor(world, second, root)
      goTo(world, 5 * ERA_PERIODS + 20)
      const evidence = showHolders(shown)
      const byCore = judgeEvidence(evidence, {
        ...{ network: NETWORK, chunkId: CHUNK_ID, nodeAddress: address },
        ...{ registeredEra: 0n, currentEra: 5n, placementLagEras: 1 },
        findAnchor: (wantedEra) => ({ ...(wantedEra === 1n ? era : second), placementRoot: root }),
      })
      assert.deepEqual([issueWith(world, node, evidence), byCore], [wanted, wanted])
    })
  }
})

describe('sc: the era of a placement', () => {
  it('limit: eras whose sum with the lag passes 2^64 are too young, not unknown', () => {
    const lag = 64
    // The lag is so long that era + 2 x lag, taken modulo 2^64, is not over yet.
    const world = deployAnchored(3, { placementLagEras: BigInt(lag) })
    anchor(world, era, new Uint8Array(32))
    const node = userOf(FIRST_NODE)
    const currentEra = BigInt(Math.floor(world.engine.slot.period / ERA_PERIODS))
    assert.ok(currentEra < 2 * lag - 1)
    for (const placementEra of [U64_MAX, U64_MAX - 1n, U64_MAX - BigInt(lag) + 1n]) {
      const evidence = showHolders({ ...makeThinPlacement(0, [node.address]).shown, placementEra })
      const byCore = judgeEvidence(evidence, {
        ...{ network: NETWORK, chunkId: CHUNK_ID, nodeAddress: node.address },
        ...{ registeredEra: 0n, currentEra, placementLagEras: lag },
        findAnchor: (wantedEra) => (wantedEra === 1n ? { ...era, placementRoot: new Uint8Array(32) } : undefined),
      })
      const both = [issueWith(world, node, evidence), byCore]
      assert.deepEqual(both, ['REGISTRY_PLACEMENT_AGE', 'REGISTRY_PLACEMENT_AGE'], String(placementEra))
    }
  })
})
