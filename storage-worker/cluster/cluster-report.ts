import type { Period } from '../../core/index.ts'
import type { CopyCounts, DoubtedCopies, LackReason, NodeState, ThinSpot } from './copy-tally.ts'

/** What `cluster check` found; plain JSON. Lists end, and say how much they leave out. */
export interface ClusterReport {
  readonly own: string
  readonly era: number
  readonly placementRoot: string
  /** False: the table in force may be another one by now, and no repair is started by it. */
  readonly isCurrent: boolean
  /** Copies that each chunk is to have: the floor. */
  readonly replicas: number
  /** Nodes of the table. */
  readonly registered: number
  /** False: no node of the registry keeps for ever, and old chunks are owed by nobody. */
  readonly keepsForEver: boolean
  readonly periods: {
    readonly first: Period
    readonly last: Period
    /** Those that this archive has. */
    readonly checked: number
    /** Those between them that it does not have: nothing is known of their chunks here. */
    readonly missing: number
    readonly holes: readonly { readonly from: Period; readonly to: Period }[]
    /** The newest, which are still on their way to others. */
    readonly settling: number
    /** Older ones that others say they have. */
    readonly olderElsewhere: number
  }
  readonly chunks: CopyCounts
  readonly lackingBy: Readonly<Record<LackReason | 'nobody', number>>
  readonly nodes: readonly ClusterNodeRow[]
  readonly nodesLeftOut: number
  /** Nodes of the table, by how they stand. */
  readonly states: Readonly<Record<NodeState, number>>
  /** Connected, and did not tell what they hold, or say no address. */
  readonly unheard: readonly { readonly peer: string; readonly address: string | null; readonly why: string }[]
  readonly unheardLeftOut: number
  readonly thinnest: readonly ThinSpot[]
  /** What holders say they have, and why it does not count. */
  readonly doubted: readonly Readonly<DoubtedCopies>[]
  /** Hash slots whose holders share an operator or a network, with their chunks. */
  readonly clustered: readonly ClusteredRow[]
  readonly healing: {
    readonly repairDelaySeconds: number
    /** Nodes that are there, and what they lack and somebody else holds. */
    readonly pulling: readonly { readonly address: string; readonly chunks: number }[]
    /** Each of them looks for what it lacks within this time, and fetches it then. */
    readonly pullsWithinSeconds: number
    /** Who fetches the chunks of those that are away, or are not believed. */
    readonly standIns: readonly { readonly address: string; readonly chunks: number }[]
    /** After how long, from now, the last of them begins, as far as is known here; 0 when all have begun. */
    readonly standInsWithinSeconds: number
    /** Chunks that nobody is left to stand in for. */
    readonly hopeless: number
  }
  readonly keepers: {
    /** `replication_factor` of the registry. */
    readonly wanted: number
    /** Nodes of the registry that keep for ever and do not say otherwise to their peers. */
    readonly count: number
    /** Those that say otherwise. */
    readonly contradicted: readonly string[]
  }
}

export interface ClusterNodeRow {
  readonly address: string
  readonly state: NodeState
  readonly peer: string | null
  readonly isRegistered: boolean
  /** 0 for ever; null while the node did not say. */
  readonly retentionPeriods: number | null
  /** Newest period that it had archived when it was asked. */
  readonly headPeriod: Period | null
  readonly assigned: number
  readonly lacking: number
  /** Of `lacking`, what somebody else holds; without what it says it has and is not believed. */
  readonly toFetch: number
  /**
   * Chunks beside its duty: of this node counted, of others all that it says it stores, without what it holds of its duty. Of
   * those that did not say, what its have-map tells.
   */
  readonly extra: number
}

export interface ClusteredRow {
  readonly copies: number
  readonly operators: number
  readonly networks: number
  readonly hashSlots: number
  readonly chunks: number
}
