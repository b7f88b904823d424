import fc from 'fast-check'
import {
  CHALLENGE_OUTCOMES,
  PRUNE_KINDS,
  type RegistryCallArgs,
  type RegistryCallName,
  type RegistryConfig,
  type RegistryViewName,
  type RegistryViewResult,
} from '../../../core/index.ts'
import { makeWallet } from '../../devnet/node/face.ts'

const u64 = fc.bigInt(0n, (1n << 64n) - 1n)
const u32 = fc.nat(0xffff_ffff)
const address = fc.constantFrom(...['a', 'b', 'c'].map((name) => makeWallet(name).address))
const hex = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex'))
const hash = fc.uint8Array({ minLength: 32, maxLength: 32 })
const bytes = fc.uint8Array({ maxLength: 200 })
const id = fc.stringMatching(/^[0-9A-Za-z_-]{1,64}$/)
const printable = (maxLength: number) => fc.string({ maxLength })
const none = fc.constant({})

/** Anything the wire can carry, in the contract's bounds or not. */
export const anyConfig: fc.Arbitrary<RegistryConfig> = fc.record({
  rewardPerGbPerPeriod: u64,
  minAllocatedGb: u64,
  maxAllocatedGb: u64,
  challengeResponseTimeout: u64,
  slashPercentage: u64,
  minStake: u64,
  samplesPerChallenge: u32,
  maxOpenChallengesPerNode: u32,
  strikesBeforeSlash: u32,
  strikeSpacingPeriods: u64,
  unbondingPeriods: u64,
  replicationFactor: u32,
  anchorQuorumPpm: u32,
  requireAnchors: fc.boolean(),
  maxNodes: u64,
  passesPerStrike: u32,
  minChallengeIntervalPeriods: u64,
  stakePerGb: u64,
  maxRewardPerPeriod: u64,
  placementLagEras: u32,
  recordRetentionPeriods: u64,
  adminDelayPeriods: u64,
})

/** The first `count` settings, at least the six that must be there. */
function cut(config: RegistryConfig, count: number): RegistryConfig {
  return Object.fromEntries(Object.entries(config).slice(0, count)) as unknown as RegistryConfig
}

const partialConfig = fc.tuple(anyConfig, fc.integer({ min: 6, max: 22 })).map(([config, count]) => cut(config, count))
const signature = fc.string({ maxLength: 160 }).map((text) => new Uint8Array(Buffer.from(text, 'latin1')))

function batch<T>(item: fc.Arbitrary<T>, size: number) {
  return fc.array(item, { minLength: size, maxLength: size })
}

const size = fc.integer({ min: 1, max: 8 })

/** Arguments that a client may send, for every call. */
export const CALL_ARGS: { readonly [N in RegistryCallName]: fc.Arbitrary<RegistryCallArgs<N>> } = {
  constructor: fc.record({ admin: address, config: partialConfig }),
  registerStorageNode: fc.oneof(
    fc.record({ allocatedGb: u64 }),
    fc.record({ allocatedGb: u64, retentionPeriods: u64 }),
    fc.record({ allocatedGb: u64, retentionPeriods: u64, stake: u64 }),
  ),
  updateStorageAllocation: fc.oneof(
    fc.record({ newAllocatedGb: u64 }),
    fc.record({ newAllocatedGb: u64, retentionPeriods: u64 }),
  ),
  unregisterStorageNode: none,
  topUpStake: none,
  fundRewards: none,
  updateNodeMetadata: fc.record({
    p2pAddrs: fc.array(printable(128), { maxLength: 8 }),
    endpoint: printable(256),
    location: printable(64),
    operator: printable(64),
  }),
  issueChallenge: fc.oneof(
    fc.record({ challengeId: id, nodeAddress: address, chunkId: hex, nonce: u64 }),
    fc.record({ challengeId: id, nodeAddress: address, chunkId: hex, nonce: u64, evidence: bytes }),
  ),
  issueChallenges: size.chain((n) =>
    fc.oneof(
      fc.record({ challengeIds: batch(id, n), nodeAddress: address, chunkIds: batch(hex, n), nonces: batch(u64, n) }),
      fc.record({
        challengeIds: batch(id, n),
        nodeAddress: address,
        chunkIds: batch(hex, n),
        nonces: batch(u64, n),
        evidences: fc.oneof(batch(bytes, n), fc.constant([])),
      }),
    ),
  ),
  submitProof: fc.record({ challengeId: id, merkleProof: bytes, signature }),
  submitProofs: size.chain((n) =>
    fc.record({ challengeIds: batch(id, n), merkleProofs: batch(bytes, n), signatures: batch(signature, n) }),
  ),
  resolveExpiredChallenges: size.chain((n) => fc.record({ challengeIds: batch(id, n) })),
  distributeRewards: fc.record({ period: u64 }),
  claimRewards: none,
  anchorEra: fc.record({
    era: u64,
    root: hash,
    totalBytes: u64,
    totalChunks: u64,
    placementRoot: hash,
    signatures: fc.array(signature, { minLength: 1, maxLength: 12 }),
  }),
  prune: fc.record({ kind: fc.constantFrom(...PRUNE_KINDS), ids: fc.array(id, { minLength: 1, maxLength: 20 }) }),
  updateConfig: partialConfig,
  upgrade: fc.record({
    bytecode: fc
      .uint8Array({ minLength: 1, maxLength: 64 })
      .map((tail) => Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...tail])),
  }),
  addChallenger: fc.record({ address }),
  removeChallenger: fc.record({ address }),
  setPaused: fc.record({ paused: fc.boolean() }),
  transferAdmin: fc.record({ address }),
  acceptAdmin: none,
}

const metadata = fc.record({
  p2pAddrs: fc.array(printable(20), { maxLength: 3 }),
  endpoint: printable(20),
  location: printable(20),
  operator: printable(20),
})

const node = fc.record({
  address,
  allocatedGb: u64,
  registeredPeriod: u64,
  totalChallenges: u64,
  passedChallenges: u64,
  pendingRewards: u64,
  lastChallengedPeriod: u64,
  active: fc.boolean(),
  stake: u64,
  unvested: u64,
  underAudit: u64,
  indexPaid: u64,
  weightGb: u64,
  vote: u64,
  voteEra: u64,
  previousVote: u64,
  nextWeightGb: u64,
  nextWeightEra: u64,
  placementGb: u64,
  placementEra: u64,
  previousPlacementGb: u64,
  retentionPeriods: u64,
  retentionEra: u64,
  previousRetentionPeriods: u64,
  openChallenges: u32,
  auditPassed: u32,
  auditTotal: u32,
  auditPeriod: u64,
  strikePoints: u32,
  lastStrikePeriod: fc.option(fc.bigInt(0n, (1n << 64n) - 2n), { nil: undefined }),
  leaving: fc.boolean(),
  unlockPeriod: u64,
  lastChallenger: fc.option(address, { nil: undefined }),
  index: u64,
  slashedTotal: u64,
  rules: fc.nat(255),
  movedEra: u64,
})

/** Results, for every view. */
export const VIEW_RESULTS: { readonly [N in RegistryViewName]: fc.Arbitrary<RegistryViewResult<N>> } = {
  getNodeInfo: node,
  getChallenge: fc.record({
    id,
    nodeAddress: address,
    chunkId: hex,
    nonce: u64,
    issuedPeriod: u64,
    deadline: u64,
    resolved: fc.boolean(),
    passed: fc.boolean(),
    issuer: address,
    samples: u32,
    outcome: fc.constantFrom(...CHALLENGE_OUTCOMES),
  }),
  getPeriodStats: fc.record({
    period: u64,
    totalGbStored: u64,
    totalRewardsDistributed: u64,
    activeNodes: u64,
    challengesIssued: u64,
    challengesPassed: u64,
    rewardsReturned: u64,
  }),
  getConfig: anyConfig,
  getTotalNodes: u64,
  calculatePendingRewards: u64,
  getNodes: fc.record({ registryVersion: u64, total: u64, items: fc.array(node, { maxLength: 3 }) }),
  getNodeMetadata: fc.record({ fromEra: u64, current: metadata, previous: metadata }),
  getEra: fc.record({
    era: u64,
    root: hash,
    placementRoot: hash,
    totalBytes: u64,
    totalChunks: u64,
    anchoredPeriod: u64,
  }),
  getLatestEra: fc.option(fc.bigInt(0n, (1n << 64n) - 2n), { nil: undefined }),
  isChallenger: fc.boolean(),
  getRewardPool: u64,
  getVersion: u32,
}
