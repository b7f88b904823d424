import type { Config } from './config.ts'
import { EraValue } from './era-value.ts'
import { greatest } from './extremes.ts'

export const NEVER = (1n << 64n) - 1n
export const ERA_PERIODS = 128n

export interface Node {
  readonly address: string
  allocatedGb: bigint
  readonly registeredPeriod: bigint
  totalChallenges: bigint
  passedChallenges: bigint
  pendingRewards: bigint
  lastChallengedPeriod: bigint
  active: boolean
  stake: bigint
  unvested: bigint
  underAudit: bigint
  indexPaid: bigint
  weightGb: bigint
  vote: EraValue
  nextWeightGb: bigint
  nextWeightEra: bigint
  placement: EraValue
  retention: EraValue
  openChallenges: bigint
  auditPassed: bigint
  auditTotal: bigint
  auditPeriod: bigint
  strikePoints: bigint
  lastStrikePeriod: bigint
  leaving: boolean
  unlockPeriod: bigint
  lastChallenger: string
  slashedTotal: bigint
  /** 1 when the stake was last judged with anchors required, else 0. */
  rules: bigint
  /** Era in which it last took the place of another; 0 = never. */
  movedEra: bigint
}

export type Outcome = 'open' | 'passed' | 'failed' | 'expired' | 'void'

/** Replaced, never changed. */
export interface Challenge {
  readonly id: string
  readonly nodeAddress: string
  readonly chunkId: Uint8Array
  readonly nonce: bigint
  readonly issuedPeriod: bigint
  readonly deadline: bigint
  readonly issuer: string
  readonly samples: bigint
  readonly outcome: Outcome
}

/** Replaced, never changed. */
export interface PeriodStats {
  readonly period: bigint
  readonly totalGbStored: bigint
  readonly totalRewardsDistributed: bigint
  readonly activeNodes: bigint
  readonly challengesIssued: bigint
  readonly challengesPassed: bigint
  readonly rewardsReturned: bigint
}

/** Replaced, never changed. */
export interface AnchoredEra {
  readonly root: Uint8Array
  readonly placementRoot: Uint8Array
  readonly totalBytes: bigint
  readonly totalChunks: bigint
  readonly anchoredPeriod: bigint
}

/** Replaced, never changed. */
export interface Vote {
  readonly digest: Uint8Array
  readonly snapshotEra: bigint
  readonly tally: bigint
}

/** Replaced, never changed. */
export interface VotePage {
  readonly snapshotEra: bigint
  /** Places that were counted, all of this page's 256. */
  readonly counted: ReadonlySet<number>
}

export interface Profile {
  readonly p2pAddrs: readonly string[]
  readonly endpoint: string
  readonly location: string
  readonly operator: string
}

/** Replaced, never changed. */
export interface Metadata {
  readonly fromEra: bigint
  readonly current: Profile
  readonly previous: Profile
}

/** A change that the admin has announced. */
export interface Announcement {
  readonly sha256: Uint8Array
  readonly announcedPeriod: bigint
}

/** What the registry knows; every sum over nodes is computed from the nodes. */
export class RegistryState {
  admin = ''
  pendingAdmin: string | undefined
  config: Config
  pendingConfig: Announcement | undefined
  pendingCode: Announcement | undefined
  paused = false

  index = 0n
  indexRemainder = 0n
  accruedPeriod: bigint
  pool = 0n
  accruedSince = 0n
  returnedSince = 0n
  shortSince = false
  lastDistributedPeriod = 0n
  registryVersion = 0n

  /** Sum of the nodes' votes, with its history. */
  totalVotes = new EraValue()
  sampledEra = 0n
  eraBytes = 0n
  eraReplicas = 0n
  eraLag = 0n
  eraAnchors = 0n
  /** Where the index stood, and the era, when anchors came to be required. */
  switched: { readonly index: bigint; readonly era: bigint } | undefined

  readonly firstEra: bigint
  readonly genesisTimestamp: bigint

  /** As stored, in order of their index. */
  records: Node[] = []
  metadata = new Map<string, Metadata>()
  challengers = new Map<string, bigint>()
  challenges = new Map<string, Challenge>()
  periods = new Map<bigint, PeriodStats>()
  eras = new Map<bigint, AnchoredEra>()
  /** By `{era}_{16 hex}`. */
  votes = new Map<string, Vote>()
  /** By `{era}_{16 hex}_{page}`. */
  votePages = new Map<string, VotePage>()

  constructor(created: { config: Config; admin: string; period: bigint; genesisTimestamp: bigint }) {
    this.config = created.config
    this.admin = created.admin
    this.accruedPeriod = created.period
    this.firstEra = created.period / ERA_PERIODS + 1n
    this.genesisTimestamp = created.genesisTimestamp
  }

  /** Nodes that no other state shares. */
  private own = new Set<Node>()

  /** To be read only: other states may share it. */
  findNode(address: string): Node | undefined {
    return this.nodes.find((node) => node.address === address)
  }

  /** A node to be changed, which writes down what a switch did to it. */
  openNode(address: string): Node | undefined {
    const node = this.records.find((record) => record.address === address)
    if (!node || this.own.has(node)) return node
    const copy = copyNode(node)
    if (this.switched) applySwitch(copy, this.switched, this.index)
    this.records[this.records.indexOf(node)] = copy
    this.own.add(copy)
    return copy
  }

  /** Every node as it is; a record that was not written since a switch still holds what was before. */
  get nodes(): readonly Node[] {
    const { switched } = this
    if (!switched) return this.records
    return this.records.map((record) => {
      if (record.rules === 1n) return record
      const node = copyNode(record)
      applySwitch(node, switched, this.index)
      return node
    })
  }

  get weight(): bigint {
    return this.sum((node) => node.weightGb)
  }

  get voteSum(): bigint {
    return this.sum((node) => node.vote.value)
  }

  get placementTotal(): bigint {
    return this.sum((node) => node.placement.value)
  }

  get activeNodes(): bigint {
    return BigInt(this.nodes.filter((node) => node.weightGb > 0n).length)
  }

  get stakes(): bigint {
    return this.sum((node) => node.stake)
  }

  /** What is set aside for nodes, vested or not. */
  get owed(): bigint {
    return this.sum(
      (node) => node.pendingRewards + node.unvested + node.underAudit + node.weightGb * (this.index - node.indexPaid),
    )
  }

  get anchoredBytes(): bigint {
    return [...this.eras.values()].reduce((sum, era) => sum + era.totalBytes, 0n)
  }

  get anchoredChunks(): bigint {
    return [...this.eras.values()].reduce((sum, era) => sum + era.totalChunks, 0n)
  }

  get latestEra(): bigint {
    return this.eras.size === 0 ? NEVER : greatest(0n, ...this.eras.keys())
  }

  /** What the contract owes somebody or holds for rewards. */
  get liabilities(): bigint {
    return this.stakes + this.owed + this.pool
  }

  copy(): RegistryState {
    const copy = Object.assign(Object.create(RegistryState.prototype) as RegistryState, this)
    copy.totalVotes = this.totalVotes.copy()
    copy.records = [...this.records]
    copy.own = new Set()
    for (const name of ['metadata', 'challengers', 'challenges', 'periods', 'eras', 'votes', 'votePages'] as const) {
      Object.assign(copy, { [name]: new Map<unknown, unknown>(this[name]) })
    }
    return copy
  }

  private sum(of: (node: Node) => bigint): bigint {
    return this.nodes.reduce((total, node) => total + of(node), 0n)
  }
}

function copyNode(node: Node): Node {
  const { vote, placement, retention } = node
  return { ...node, vote: vote.copy(), placement: placement.copy(), retention: retention.copy() }
}

/** A node of the old rules keeps what it earned before the switch, and counts for nothing since. */
function applySwitch(node: Node, switched: { readonly index: bigint; readonly era: bigint }, index: bigint): void {
  if (node.rules === 1n) return
  node.unvested += node.weightGb * (switched.index - node.indexPaid)
  node.indexPaid = index
  node.weightGb = 0n
  node.placement.set(switched.era, 0n)
  node.nextWeightGb = 0n
}
