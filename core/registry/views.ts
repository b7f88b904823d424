import {
  type ArgsCodec,
  address,
  bool,
  chunkIdHex,
  decodeArgs,
  encodeArgs,
  hash,
  list,
  optionalAs,
  refuse,
  type StructOf,
  struct,
  text,
  u8,
  u32,
  u64,
} from './args.ts'
import { registryConfigCodec } from './registry-config.ts'

const NONE = (1n << 64n) - 1n

/** Amounts in nanoMAS, periods and eras as numbers of u64; nothing is projected to now. */
const nodeInfo = struct({
  address: text,
  allocatedGb: u64,
  registeredPeriod: u64,
  totalChallenges: u64,
  passedChallenges: u64,
  /** What `claimRewards` pays. */
  pendingRewards: u64,
  lastChallengedPeriod: u64,
  active: bool,
  stake: u64,
  /** Accrued, not yet judged by an audit. */
  unvested: u64,
  /** Frozen by the open audit. */
  underAudit: u64,
  indexPaid: u64,
  weightGb: u64,
  /** nanoMAS that count when eras are anchored; `previousVote` was it at the start of `voteEra`. */
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
  lastStrikePeriod: optionalAs(u64, NONE),
  leaving: bool,
  unlockPeriod: u64,
  lastChallenger: optionalAs(text, ''),
  index: u64,
  slashedTotal: u64,
  /** 1 when the stake was last judged with anchors required: before that the node has no weight there. */
  rules: u8,
  /** Era in which the node last took the place of another: it has no vote in it; 0 = never. */
  movedEra: u64,
})
export type RegistryNode = ReturnType<typeof nodeInfo.read>

/** The place in this list is the outcome on the wire. */
export const CHALLENGE_OUTCOMES = ['open', 'passed', 'failed', 'expired', 'void'] as const
export type ChallengeOutcome = (typeof CHALLENGE_OUTCOMES)[number]

const outcome: ArgsCodec<ChallengeOutcome> = {
  type: 'u8',
  parse: (value) => refuse('CONTRACT_ARGUMENT_INVALID', `'${value}' is no argument`),
  write: (writer, value) => u8.write(writer, CHALLENGE_OUTCOMES.indexOf(value)),
  read: (reader) => {
    const value = CHALLENGE_OUTCOMES[u8.read(reader)]
    if (value === undefined) throw reader.error('no outcome of a challenge')
    return value
  },
}

const challenge = struct({
  id: text,
  nodeAddress: text,
  chunkId: chunkIdHex,
  nonce: u64,
  issuedPeriod: u64,
  /** Slot time in ms */
  deadline: u64,
  resolved: bool,
  passed: bool,
  issuer: text,
  samples: u32,
  outcome,
})
export type RegistryChallenge = ReturnType<typeof challenge.read>

const periodStats = struct({
  period: u64,
  totalGbStored: u64,
  totalRewardsDistributed: u64,
  activeNodes: u64,
  challengesIssued: u64,
  challengesPassed: u64,
  rewardsReturned: u64,
})
export type RegistryPeriodStats = ReturnType<typeof periodStats.read>

const METADATA = { p2pAddrs: list(text), endpoint: text, location: text, operator: text }
export type NodeMetadata = StructOf<typeof METADATA>

const metadata = struct({ fromEra: u64, current: struct(METADATA), previous: struct(METADATA) })
export type RegistryMetadata = ReturnType<typeof metadata.read>

const era = struct({
  era: u64,
  root: hash,
  placementRoot: hash,
  totalBytes: u64,
  totalChunks: u64,
  anchoredPeriod: u64,
})
export type RegistryEra = ReturnType<typeof era.read>

const nodePage = struct({ registryVersion: u64, total: u64, items: list(nodeInfo) })
/** When `registryVersion` differs between two pages a reader starts over. */
export type RegistryNodePage = ReturnType<typeof nodePage.read>

/** Arguments and results of every view. */
export const REGISTRY_VIEWS = {
  getNodeInfo: { args: struct({ address }), result: nodeInfo },
  getChallenge: { args: struct({ challengeId: text }), result: challenge },
  getPeriodStats: { args: struct({ period: u64 }), result: periodStats },
  getConfig: { args: struct({}), result: registryConfigCodec },
  getTotalNodes: { args: struct({}), result: u64 },
  calculatePendingRewards: { args: struct({ address }), result: u64 },
  getNodes: { args: struct({ offset: u64, limit: u32 }), result: nodePage },
  getNodeMetadata: { args: struct({ address }), result: metadata },
  getEra: { args: struct({ era: u64 }), result: era },
  /** The highest anchored era. */
  getLatestEra: { args: struct({}), result: optionalAs(u64, NONE) },
  isChallenger: { args: struct({ address }), result: bool },
  getRewardPool: { args: struct({}), result: u64 },
  getVersion: { args: struct({}), result: u32 },
} as const

/** `getNodes` gives no more at once. */
export const MAX_NODE_PAGE = 50

export type RegistryViewName = keyof typeof REGISTRY_VIEWS
type Codecs<N extends RegistryViewName> = (typeof REGISTRY_VIEWS)[N]
export type RegistryViewArgs<N extends RegistryViewName> = Codecs<N>['args'] extends ArgsCodec<infer T> ? T : never
export type RegistryViewResult<N extends RegistryViewName> = Codecs<N>['result'] extends ArgsCodec<infer T> ? T : never

export function encodeRegistryViewArgs<N extends RegistryViewName>(name: N, args: RegistryViewArgs<N>): Uint8Array {
  return encodeArgs(REGISTRY_VIEWS[name].args as unknown as ArgsCodec<RegistryViewArgs<N>>, args)
}

/** @throws ArchiveError CORE_BYTES_INVALID when the contract at this address is no registry that this release knows */
export function decodeRegistryResult<N extends RegistryViewName>(name: N, input: Uint8Array): RegistryViewResult<N> {
  return decodeArgs(REGISTRY_VIEWS[name].result as unknown as ArgsCodec<RegistryViewResult<N>>, input)
}

/** What the view returns for this value. */
export function encodeRegistryResult<N extends RegistryViewName>(name: N, value: RegistryViewResult<N>): Uint8Array {
  return encodeArgs(REGISTRY_VIEWS[name].result as unknown as ArgsCodec<RegistryViewResult<N>>, value)
}
