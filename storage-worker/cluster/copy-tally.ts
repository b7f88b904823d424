import { ERA_PERIODS, type Period, type PlacementSnapshot } from '../../core/index.ts'
import type { ChunkHolders } from '../placement/placement-table.ts'
import type { CopyDoubt, PeriodSpan } from '../replication/claimant.ts'
import type { EraChunks } from './era-chunks.ts'
import type { NodeClaims } from './node-claims.ts'

/** As much of the table in force as counting copies takes. */
export interface CopyTable {
  readonly replicas: number
  readonly keepsForEver: boolean
  readonly snapshot: Pick<PlacementSnapshot, 'nodes'>
  /** Of chunks of this age, in periods. */
  holdersOfSlot(hashSlot: number, agePeriods: Period): ChunkHolders
  /** Holders of chunks of any age. */
  addressesOfSlot(hashSlot: number): readonly string[]
  /** Who holds them beside these while they are new. */
  recentOfSlot(hashSlot: number): readonly { readonly address: string }[]
}

/**
 * How a node stands: `own` and those that `answered` told what they hold; `silent` ones are connected and did not;
 * `unconnected` ones were heard of lately; nothing is known of those that are `away`.
 */
export type NodeState = 'own' | 'answered' | 'silent' | 'unconnected' | 'away'

export interface CountedNode {
  readonly address: string
  readonly state: NodeState
  /** Of those that answered. */
  readonly claims?: NodeClaims | undefined
}

/** Why a holder is not one of the copies: what it said, that it is not believed, or that it said nothing. */
export type LackReason = 'incomplete' | CopyDoubt | Exclude<NodeState, 'own' | 'answered'>

/** A holder for which others stand in: it is away, or not believed. */
const GONE: ReadonlySet<LackReason> = new Set(['away', 'unshown', 'otherRoots', 'otherPlacement', 'tooSmall'])

/** Chunks of one node. */
export interface NodeChunks {
  /** That the table gives it. */
  assigned: number
  /** Of them, those that it is not known to hold, although it is to. */
  lacking: number
  /** Of those that lack and are not doubted, those that somebody else holds: it can fetch them. */
  toFetch: number
  /** That it says it holds beside them. */
  extra: number
}

/** Chunks that a holder says it has, and that are not counted as copies. */
export interface DoubtedCopies {
  readonly address: string
  readonly why: CopyDoubt
  chunks: number
}

/** What becomes of a hash slot with too few copies. */
export interface GoneCopies {
  chunks: number
  /** Holders that others stand in for: away, or not believed. */
  readonly holders: Set<string>
}

/** A place with too few copies. */
export interface ThinSpot {
  readonly hashSlot: number
  readonly era: number
  readonly chunks: number
  readonly copies: number
  readonly lacking: readonly { readonly address: string; readonly why: LackReason }[]
}

/** Chunks; a copy is one chunk with one node. */
export interface CopyCounts {
  total: number
  atFloor: number
  under: number
  missingCopies: number
  /** Of `under`: no node that counts says it holds them. */
  nobody: number
  /** Of `nobody`: on this disk all the same. */
  nobodyButHere: number
  over: number
  extraCopies: number
  /** Older than any holder has to keep. */
  pastRetention: number
  /** Which nobody is asked to hold: no node of the table has room. */
  unowed: number
  /** On this disk without being asked for. */
  extraHere: number
}

const MAX_THIN_SPOTS = 20
const NO_CHUNKS: NodeChunks = { assigned: 0, lacking: 0, toFetch: 0, extra: 0 }

interface Known extends CountedNode {
  /** Its copies count: it keeps for ever, or nobody does. */
  readonly counts: boolean
  readonly retentionPeriods: number
  readonly chunks: NodeChunks
}

export interface CopyTallyOptions {
  readonly table: CopyTable
  readonly nodes: readonly CountedNode[]
  /** Hash slots of which this node is to hold the chunks, or stands in for others: what it tells others of. */
  readonly ownSlots: ReadonlySet<number>
  /** Newest period of this archive: the age of others is reckoned from it. */
  readonly head: Period
}

/** What is known of other nodes beside what they told now; of `HolderClaims`. */
export interface KnownClaims {
  /** Live nodes that say they hold the chunks of this hash slot in this era; of those that are not connected, in announcements. */
  listClaimants(hashSlot: number, era: number, periods: PeriodSpan): readonly string[]
  /** Why a node is not believed to hold them, if so. */
  doubtOf(address: string, hashSlot: number, era: number): CopyDoubt | undefined
}

/** Counts, hash slot by hash slot and era by era, with how many nodes the chunks are. */
export class CopyTally {
  readonly counts: CopyCounts = {
    total: 0,
    atFloor: 0,
    under: 0,
    missingCopies: 0,
    nobody: 0,
    nobodyButHere: 0,
    over: 0,
    extraCopies: 0,
    pastRetention: 0,
    unowed: 0,
    extraHere: 0,
  }
  /** Missing places of holders where there are too few copies, in chunks, by reason; `nobody`: fewer nodes than copies. */
  readonly lackingBy: Record<LackReason | 'nobody', number> = {
    incomplete: 0,
    unshown: 0,
    otherRoots: 0,
    otherPlacement: 0,
    tooSmall: 0,
    silent: 0,
    unconnected: 0,
    away: 0,
    nobody: 0,
  }
  /** Chunks with too few copies of which a holder is away or not believed, by hash slot. */
  readonly thinByGone = new Map<number, GoneCopies>()
  /** Chunks, by hash slot: of all that were counted. */
  readonly chunksBySlot = new Map<number, number>()
  private readonly options: CopyTallyOptions
  private readonly claims: KnownClaims
  /** Whether anybody is asked for anything. */
  private readonly isOwed: boolean
  private readonly byAddress = new Map<string, Known>()
  /** Of whom it is known what they hold: few beside those that are registered. */
  private readonly tellers: Known[] = []
  private readonly doubts = new Map<string, DoubtedCopies>()
  private readonly slots = new Map<number, SlotNodes>()
  private readonly spots: ThinSpot[] = []

  constructor(options: CopyTallyOptions, claims: KnownClaims) {
    this.options = options
    this.claims = claims
    const { table, nodes } = options
    this.isOwed = table.snapshot.nodes.some(({ placementGb }) => placementGb > 0n)
    const registered = new Map(table.snapshot.nodes.map((node) => [node.address, node.retentionPeriods]))
    for (const node of nodes) {
      const retention = registered.get(node.address)
      const counts = retention !== undefined && (retention === 0n || !table.keepsForEver)
      const chunks = { ...NO_CHUNKS }
      const retentionPeriods = Number(retention ?? 0n)
      const known: Known = { ...node, counts, retentionPeriods, chunks }
      this.byAddress.set(node.address, known)
      if (node.state === 'own' || node.claims) this.tellers.push(known)
    }
  }

  /** The thinnest first. */
  get thinnest(): readonly ThinSpot[] {
    return this.spots
  }

  /** What holders say they have and are not believed. */
  get doubted(): readonly DoubtedCopies[] {
    return [...this.doubts.values()]
  }

  chunksOf(address: string): NodeChunks {
    return this.byAddress.get(address)?.chunks ?? NO_CHUNKS
  }

  /** @param chunks - of periods that were not taken before */
  take(chunks: EraChunks): void {
    for (const hashSlot of chunks.hashSlots) this.takeSlot(hashSlot, chunks)
  }

  private takeSlot(hashSlot: number, part: EraChunks): void {
    const { era, counts: bySlot, lacking: lackingHere } = part
    const { counts, options } = this
    const chunks = bySlot[hashSlot] ?? 0
    const isHere = lackingHere[hashSlot] === 0
    const { table, head, ownSlots } = options
    // Of an era that it has to keep in part a node tells nothing.
    const oldest = head - era * ERA_PERIODS
    const { holders, claimers, asked } = this.nodesOf(hashSlot, oldest)
    counts.total += chunks
    this.chunksBySlot.set(hashSlot, (this.chunksBySlot.get(hashSlot) ?? 0) + chunks)
    const bound = table.keepsForEver ? holders : holders.filter((node) => isBound(node, oldest))
    const floor = table.keepsForEver ? table.replicas : Math.min(table.replicas, bound.length)
    const isDutyHere = ownSlots.has(hashSlot)
    if (isHere && !isDutyHere) counts.extraHere += chunks
    if (!this.isOwed) {
      counts.unowed += chunks
      return
    }

    const claiming = new Set<Known>()
    let copies = 0
    const add = (node: Known): void => {
      if (claiming.has(node)) return
      claiming.add(node)
      if (node.counts) copies++
    }
    // Of most hash slots there are none.
    let doubted: Map<Known, CopyDoubt> | undefined
    for (const node of claimers) {
      const claims = node.state === 'own' ? isHere && isDutyHere : node.claims?.covers(hashSlot, part)
      if (!claims) continue
      const doubt = node.state === 'own' ? undefined : this.claims.doubtOf(node.address, hashSlot, era)
      if (doubt === undefined) add(node)
      else {
        doubted ??= new Map()
        doubted.set(node, doubt)
      }
    }
    if (copies < floor) {
      for (const address of this.claims.listClaimants(hashSlot, era, part)) {
        const node = this.byAddress.get(address)
        if (node?.state === 'unconnected') add(node)
      }
    }
    for (const node of claiming) if (!asked.has(node.address)) node.chunks.extra += chunks
    const lacking = bound.filter((node) => !claiming.has(node))
    for (const node of bound) node.chunks.assigned += chunks
    for (const node of lacking) {
      node.chunks.lacking += chunks
      const why = doubted?.get(node)
      if (why !== undefined) this.noteDoubted(node.address, why, chunks)
      else if (claiming.size > 0 || isHere) node.chunks.toFetch += chunks
    }

    if (floor === 0 && table.replicas > 0 && holders.length > 0) {
      counts.pastRetention += chunks
      return
    }
    const most = Math.max(table.replicas, asked.size)
    if (claiming.size > most) {
      counts.over += chunks
      counts.extraCopies += chunks * (claiming.size - most)
    }
    if (copies >= floor && floor > 0) {
      counts.atFloor += chunks
      return
    }
    counts.under += chunks
    counts.missingCopies += chunks * (Math.max(floor, 1) - copies)
    if (claiming.size === 0) {
      counts.nobody += chunks
      if (isHere) counts.nobodyButHere += chunks
    }
    this.noteThin(
      { hashSlot, era, chunks, copies, lacking: lacking.map((node) => describeLack(node, doubted?.get(node))) },
      table.replicas - holders.length,
    )
  }

  private noteDoubted(address: string, why: CopyDoubt, chunks: number): void {
    const key = `${address} ${why}`
    const noted = this.doubts.get(key)
    if (noted) noted.chunks += chunks
    else this.doubts.set(key, { address, why, chunks })
  }

  private noteThin(spot: ThinSpot, unfilled: number): void {
    for (const { why } of spot.lacking) this.lackingBy[why] += spot.chunks
    this.lackingBy.nobody += spot.chunks * Math.max(0, unfilled)
    const gone = spot.lacking.filter(({ why }) => GONE.has(why))
    if (gone.length > 0) {
      const thin = this.thinByGone.get(spot.hashSlot) ?? { chunks: 0, holders: new Set() }
      thin.chunks += spot.chunks
      for (const { address } of gone) thin.holders.add(address)
      this.thinByGone.set(spot.hashSlot, thin)
    }
    const { spots } = this
    const last = spots.at(-1)
    if (spots.length === MAX_THIN_SPOTS && last && last.copies <= spot.copies) return
    // Stable: of equally thin ones the oldest stay.
    const at = spots.findIndex(({ copies }) => copies > spot.copies)
    spots.splice(at === -1 ? spots.length : at, 0, spot)
    spots.length = Math.min(spots.length, MAX_THIN_SPOTS)
  }

  /** Looked up once for each hash slot while copies are kept for ever: who holds them is the same whatever their age. */
  private nodesOf(hashSlot: number, agePeriods: Period): SlotNodes {
    const { table } = this.options
    const known = table.keepsForEver ? this.slots.get(hashSlot) : undefined
    if (known) return known
    const holders = table
      .holdersOfSlot(hashSlot, agePeriods)
      .holders.flatMap(({ address }) => this.byAddress.get(address) ?? [])
    const claimers: Known[] = []
    for (const node of this.tellers) {
      if (node.state === 'own' || node.claims?.tells(hashSlot)) claimers.push(node)
    }
    // Who is to hold a chunk when it is older holds it already.
    const recent = table.recentOfSlot(hashSlot).map(({ address }) => address)
    const nodes = { holders, claimers, asked: new Set([...table.addressesOfSlot(hashSlot), ...recent]) }
    this.slots.set(hashSlot, nodes)
    return nodes
  }
}

interface SlotNodes {
  /** By the table. */
  readonly holders: readonly Known[]
  /** Those that tell anything of the hash slot. */
  readonly claimers: readonly Known[]
  /** Addresses of all that are to hold chunks of it, of whatever age. */
  readonly asked: ReadonlySet<string>
}

/** Whether a node has to keep chunks of this age, in periods. */
function isBound({ retentionPeriods }: Known, age: Period): boolean {
  return retentionPeriods === 0 || age < retentionPeriods
}

function describeLack({ address, state }: Known, doubt: CopyDoubt | undefined): ThinSpot['lacking'][number] {
  return { address, why: doubt ?? (state === 'own' || state === 'answered' ? 'incomplete' : state) }
}
