import { ERA_PERIODS, encodeEvidence } from '../../core/index.ts'
import { ArgsWriter, NO_ARGS, stringArg, stringsArg, u64Arg } from '../reference/args-writer.ts'
import {
  type AnchoredWorld,
  anchor,
  anchorArgs,
  CHUNK_AT,
  deployAnchored,
  holderOf,
  makeEra,
  makeEvidence,
  makePlacement,
  type Placement,
} from './anchored-world.ts'
import { type Asked, addChallenger, CHUNK_ID, issue, issueArgs, NONCE, prove, registerNode } from './challenge-steps.ts'
import { moveNode, registerMany } from './many-nodes.ts'
import {
  ADMIN,
  ANYONE,
  CHALLENGER,
  call,
  deployRegistry,
  encodeConfig,
  goTo,
  MAS,
  makeChain,
  NODE,
  OTHER_CHALLENGER,
  OTHER_NODE,
  REGISTRY_WASM,
  readOnly,
  tryDeploy,
  type User,
  view,
  type World,
} from './registry-world.ts'

/*
 * Exact gas of every function among 10, 1,000 and 10,000 registered nodes.
 */

export const NODE_COUNTS = [10, 1000, 10_000] as const
/** Those of design and docs: what a node reports at least for any call, and what the largest calls may take. */
export const GAS_BUDGETS: ReadonlyMap<string, bigint> = new Map([
  ['registerStorageNode', 2_100_000n],
  ['issueChallenge, with evidence', 2_100_000n],
  ['submitProof, 1 MiB, 2 samples', 2_100_000n],
  ['distributeRewards', 2_100_000n],
  ['claimRewards', 2_100_000n],
  ['submitProofs, 8', 12_000_000n],
  ['anchorEra, 100 signatures', 25_000_000n],
  ['anchorEra, 100 signatures of 100 pages', 25_000_000n],
])
export const MAX_WASM_BYTES = 65_536

/** Gas by function, in the order in which they are called. */
export type GasRows = ReadonlyMap<string, bigint>

/** Everything that can be called, among so many nodes. Deterministic. */
export function measureGas(nodeCount: number): GasRows {
  return new Map([...measureFree(nodeCount), ...measureAnchored(nodeCount)])
}

// A digit more in an event is 600 gas more: with a bound on the reward, amounts have as many at any number of nodes.
const FREE_CONFIG = { maxRewardPerPeriod: 10_000_000n, unbondingPeriods: 0n, recordRetentionPeriods: 1n }

/** Every field another than in FREE_CONFIG; anchors stay as they are, and the delay begins. */
const OTHER_CONFIG = {
  rewardPerGbPerPeriod: 999_999n,
  minAllocatedGb: 2n,
  maxAllocatedGb: 999_999n,
  challengeResponseTimeout: 59_999n,
  slashPercentage: 11n,
  minStake: 9_999_999_999n,
  samplesPerChallenge: 3n,
  maxOpenChallengesPerNode: 7n,
  strikesBeforeSlash: 6n,
  strikeSpacingPeriods: 224n,
  unbondingPeriods: 1n,
  replicationFactor: 2n,
  anchorQuorumPpm: 666_666n,
  maxNodes: 9_999n,
  passesPerStrike: 19n,
  minChallengeIntervalPeriods: 2n,
  stakePerGb: 1n,
  maxRewardPerPeriod: 9_999_999n,
  placementLagEras: 2n,
  recordRetentionPeriods: 2n,
  adminDelayPeriods: 10n,
}

/** Without `requireAnchors`. */
function measureFree(nodeCount: number): Map<string, bigint> {
  const rows = new Map<string, bigint>()
  const world = deployRegistry(FREE_CONFIG)
  const run = (label: string, by: User, name: string, args: Uint8Array = NO_ARGS, coins = 0n) =>
    rows.set(label, call(world, by, name, args, coins).gas)
  call(world, ANYONE, 'fundRewards', undefined, 100_000n * MAS)
  addChallenger(world, CHALLENGER)
  registerMany(world, 0, nodeCount - 2)
  registerNode(world, NODE)
  goTo(world, 30)
  run('registerStorageNode', OTHER_NODE, 'registerStorageNode', u64Arg(5), 11n * MAS)
  run('updateNodeMetadata', NODE, 'updateNodeMetadata', METADATA, MAS)
  run('updateStorageAllocation', NODE, 'updateStorageAllocation', u64Arg(6))
  run('topUpStake', NODE, 'topUpStake', undefined, MAS)
  run('fundRewards', ANYONE, 'fundRewards', undefined, MAS)

  const asked = askedFor('c')
  run('issueChallenge', CHALLENGER, 'issueChallenge', issueArgs(asked), MAS)
  run('submitProof, 1 MiB, 2 samples', NODE, 'submitProof', proofArgs(world, [asked], 'one'))
  run('claimRewards', NODE, 'claimRewards')
  goTo(world, 40)
  const eight = Array.from({ length: 8 }, (_, i) => ({ ...askedFor(`p${i}`), issuedPeriod: 40 }))
  run('issueChallenges, 8', CHALLENGER, 'issueChallenges', batchArgs(eight), 2n * MAS)
  run('submitProofs, 8', NODE, 'submitProofs', proofArgs(world, eight, 'batch'))
  goTo(world, 50)
  const missed = Array.from({ length: 8 }, (_, i) => issue(world, `m${i}`).challengeId)
  goTo(world, 60)
  run('resolveExpiredChallenges, 8', ANYONE, 'resolveExpiredChallenges', stringsArg(missed))
  run('distributeRewards', ANYONE, 'distributeRewards', u64Arg(59), MAS)
  run('prune, 8', CHALLENGER, 'prune', new ArgsWriter().u8(0).strings(missed).finish())
  measureViews(world, rows, nodeCount)

  run('addChallenger', ADMIN, 'addChallenger', stringArg(OTHER_CHALLENGER.address), MAS)
  run('removeChallenger', ADMIN, 'removeChallenger', stringArg(OTHER_CHALLENGER.address))
  run('setPaused', ADMIN, 'setPaused', new ArgsWriter().bool(true).finish())
  run('setPaused, unchanged', ADMIN, 'setPaused', new ArgsWriter().bool(true).finish())
  call(world, ADMIN, 'setPaused', new ArgsWriter().bool(false).finish())
  run('transferAdmin', ADMIN, 'transferAdmin', stringArg(ADMIN.address), MAS)
  run('acceptAdmin', ADMIN, 'acceptAdmin')
  run('updateConfig, unchanged', ADMIN, 'updateConfig', view(world, 'getConfig'), MAS)
  run('updateConfig, one field', ADMIN, 'updateConfig', encodeConfig({ ...FREE_CONFIG, maxNodes: 50_000n }), MAS)
  call(world, NODE, 'updateStorageAllocation', u64Arg(5))
  run('unregisterStorageNode, leave and withdraw', NODE, 'unregisterStorageNode')
  run('upgrade', ADMIN, 'upgrade', new ArgsWriter().bytes(REGISTRY_WASM).finish(), MAS)
  run('updateConfig, all fields that can', ADMIN, 'updateConfig', encodeConfig(OTHER_CONFIG), MAS)
  // There is a delay now.
  run('updateConfig, announcing', ADMIN, 'updateConfig', encodeConfig({ ...OTHER_CONFIG, maxNodes: 1n }), MAS)
  run('upgrade, announcing', ADMIN, 'upgrade', new ArgsWriter().bytes(REGISTRY_WASM).finish(), MAS)
  const deployed = tryDeploy(makeChain(), new ArgsWriter().string(ADMIN.address).raw(encodeConfig()).finish())
  rows.set('constructor, with the deployment', deployed.gasUsed)
  return rows
}

function measureViews(world: World, rows: Map<string, bigint>, nodeCount: number): void {
  const node = stringArg(NODE.address)
  const calls: readonly (readonly [label: string, name: string, args: Uint8Array])[] = [
    ['getNodeInfo', 'getNodeInfo', node],
    ['getNodes, 5', 'getNodes', new ArgsWriter().u64(0).u32(5).finish()],
    ...(nodeCount < 50 ? [] : [['getNodes, 50', 'getNodes', new ArgsWriter().u64(0).u32(50).finish()] as const]),
    ['getNodeMetadata', 'getNodeMetadata', node],
    ['calculatePendingRewards', 'calculatePendingRewards', node],
    ['getChallenge', 'getChallenge', stringArg('c')],
    ['getPeriodStats', 'getPeriodStats', u64Arg(30)],
    ['getConfig', 'getConfig', NO_ARGS],
    ['getTotalNodes', 'getTotalNodes', NO_ARGS],
    ['getLatestEra', 'getLatestEra', NO_ARGS],
    ['isChallenger', 'isChallenger', stringArg(CHALLENGER.address)],
    ['getRewardPool', 'getRewardPool', NO_ARGS],
    ['getVersion', 'getVersion', NO_ARGS],
  ]
  for (const [label, name, args] of calls) {
    const { success, error, gasUsed } = readOnly(world, name, args)
    if (!success) throw new Error(`${label}: ${error}`)
    rows.set(label, gasUsed)
  }
}

/** Nodes with a vote; the others joined after the era began. */
const VOTERS = 7
const MANY_VOTERS = 100
/** Places of a page of marks. */
const PAGE_VOTERS = 256
const eras = { challenged: makeEra(1, CHUNK_AT), next: makeEra(2), placing: makeEra(3) }
let placement: Placement | undefined

/** With `requireAnchors`. */
function measureAnchored(nodeCount: number): Map<string, bigint> {
  const rows = new Map<string, bigint>()
  const world = deployAnchored(VOTERS)
  // The nodes are the same each time.
  placement ??= makePlacement(4, world.nodes)
  anchor(world, eras.challenged, new Uint8Array(32))
  anchor(world, eras.placing, placement.root)
  goTo(world, 5 * ERA_PERIODS + 20)
  registerMany(world, 0, nodeCount - VOTERS)
  const evidence = encodeEvidence(makeEvidence(eras.challenged, CHUNK_AT, placement))
  const asked = { ...askedFor('c'), node: holderOf(world) }
  const args = issueArgs(asked, evidence)
  rows.set('issueChallenge, with evidence', call(world, CHALLENGER, 'issueChallenge', args, MAS).gas)
  rows.set(`anchorEra, ${VOTERS} signatures`, measureAnchor(world))
  rows.set('getEra', readOnly(world, 'getEra', u64Arg(1)).gasUsed)
  if (nodeCount > MANY_VOTERS) {
    const crowd = deployAnchored(MANY_VOTERS)
    registerMany(crowd, 0, nodeCount - MANY_VOTERS)
    rows.set(`anchorEra, ${MANY_VOTERS} signatures`, measureAnchor(crowd))
    // Two on each page, and one more who is missing to the quorum: the second call finds the pages of the first.
    const scattered = deployAnchored(2 * MANY_VOTERS + 1, { anchorQuorumPpm: 1_000_000n })
    for (const [i, { address }] of scattered.nodes.entries()) {
      moveNode(scattered, address, BigInt(Math.floor(i / 2) * PAGE_VOTERS + (i % 2)))
    }
    const [first, second] = [0, 1].map((part) =>
      scattered.nodes.slice(0, 2 * MANY_VOTERS).filter((_, i) => i % 2 === part),
    )
    measureAnchor(scattered, first)
    rows.set(`anchorEra, ${MANY_VOTERS} signatures of ${MANY_VOTERS} pages`, measureAnchor(scattered, second))
  }
  return rows
}

function measureAnchor(world: AnchoredWorld, signers = world.nodes): bigint {
  return call(world, ANYONE, 'anchorEra', anchorArgs(world, eras.next, new Uint8Array(32), signers), MAS).gas
}

const METADATA = new ArgsWriter()
  .strings(['/ip4/192.0.2.1/tcp/31244'])
  .string('https://node.example')
  .string('EU')
  .string('op')
  .finish()

function askedFor(challengeId: string): Asked {
  return { challengeId, node: NODE, chunkId: CHUNK_ID, nonce: NONCE, issuedPeriod: 30 }
}

function batchArgs(asked: readonly Asked[]): Uint8Array {
  const ids = asked.map(({ challengeId }) => challengeId)
  const chunkIds = asked.map(({ chunkId }) => Buffer.from(chunkId).toString('hex'))
  const nonces = asked.map(({ nonce }) => nonce)
  return new ArgsWriter().strings(ids).string(NODE.address).strings(chunkIds).numbers(nonces).finish()
}

function proofArgs(world: World, asked: readonly Asked[], form: 'one' | 'batch'): Uint8Array {
  const given = asked.map((one) => ({ id: one.challengeId, ...prove(world, one) }))
  const [first] = given
  if (!first) throw new Error('nothing to prove')
  if (form === 'one') return new ArgsWriter().string(first.id).bytes(first.proof).bytes(first.signature).finish()
  return new ArgsWriter()
    .strings(given.map(({ id }) => id))
    .byteStrings(given.map(({ proof }) => proof))
    .byteStrings(given.map(({ signature }) => signature))
    .finish()
}
