import { type BlockIdText, type Slot, slotIndex, slotOfIndex, THREAD_COUNT } from '../core/index.ts'

/*
 * Which block of a slot is final when several nodes are asked (design: node-feed, Several nodes). With one node its
 * word is finality; with more, all that are up have to agree, or a strict majority of at least three.
 */

/** What a node says of a slot: the id of its final block, or that it has none. */
export type Claim = BlockIdText | 'none'

export interface Conflict {
  readonly slot: Slot
  /** By node index. */
  readonly claims: ReadonlyMap<number, Claim>
}

export interface Agreed {
  readonly slot: Slot
  readonly id: BlockIdText
  /** What was agreed on for the slot before. */
  readonly instead?: BlockIdText
}

/**
 * A node further behind than this is not waited for: five minutes, well past the 62 s that finality takes, so that a
 * node that runs ahead does not decide alone.
 */
const MAX_LAG_SLOTS = 640

/**
 * Claims are remembered of so many slots, more than an hour: past that archiving stands, by a conflict or otherwise.
 * Forgotten is what lies between the lowest slots, where it stands, and the newest: once nodes agree about those, the
 * slots before are decided by what descends from them.
 */
const MAX_CLAIMED_SLOTS = 8_192
/** 64 periods that a node may speak of before what is due, and the 8 that stay after they are archived, and 8 more. */
const KEPT_LOWEST_SLOTS = 80 * THREAD_COUNT
const FORGOTTEN_AT_ONCE_SLOTS = 1_024

/** A slot that waits for nodes that are up and name nothing for it. */
export interface Awaited {
  readonly slot: Slot
  readonly nodes: readonly number[]
}

interface NodeState {
  up: boolean
  /** Highest final slot index it reports. */
  cursor: number
}

export class Agreement {
  private readonly nodes: NodeState[]
  private readonly claims = new Map<number, Map<number, Claim>>()
  private readonly agreed = new Map<number, BlockIdText>()
  /** Slots that were claimed since `takeAgreed`: with one node nothing else can have become agreed. */
  private readonly touched = new Set<number>()

  constructor(nodeCount: number) {
    this.nodes = Array.from({ length: nodeCount }, () => ({ up: false, cursor: -1 }))
  }

  setUp(node: number, up: boolean): void {
    const state = this.nodes[node]
    if (state) state.up = up
  }

  setCursor(node: number, slot: Slot): void {
    const state = this.nodes[node]
    if (state) state.cursor = slotIndex(slot)
  }

  /** A node that restarted begins anew: what it said before no longer binds it. */
  forgetNode(node: number): void {
    for (const claims of this.claims.values()) claims.delete(node)
  }

  claim(node: number, slot: Slot, claim: Claim): void {
    const index = slotIndex(slot)
    const claims = this.claims.get(index) ?? new Map<number, Claim>()
    claims.set(node, claim)
    this.claims.set(index, claims)
    this.touched.add(index)
  }

  /** Slots of which claims are remembered. */
  get sizeSlots(): number {
    return this.claims.size
  }

  /** The lowest slot, of those that are open, of which a node names a block and nodes that are waited for do not. */
  findAwaited(isOpen: (slot: Slot) => boolean): Awaited | undefined {
    let lowest: { index: number; nodes: number[] } | undefined
    for (const [index, claims] of this.claims) {
      if ((lowest && index > lowest.index) || this.judge(index) !== undefined) continue
      if ([...claims.values()].every((claim) => claim === 'none')) continue
      const nodes = this.listAwaited(index, claims)
      if (nodes.length > 0 && isOpen(slotOfIndex(index))) lowest = { index, nodes }
    }
    return lowest && { slot: slotOfIndex(lowest.index), nodes: lowest.nodes }
  }

  /** True when this block was agreed on for this slot. */
  isAgreed(slot: Slot, id: BlockIdText): boolean {
    return this.agreed.get(slotIndex(slot)) === id
  }

  /** Slots that became agreed since the last call, ascending; none from the first conflict on. */
  takeAgreed(): Agreed[] {
    const taken: Agreed[] = []
    const changed: { index: number; verdict: Claim | 'conflict' }[] = []
    // What other nodes do changes verdicts of slots that nobody spoke of.
    for (const index of this.nodes.length === 1 ? this.touched : this.claims.keys()) {
      const verdict = this.judge(index)
      if (verdict === undefined || verdict === 'none' || this.agreed.get(index) === verdict) continue
      changed.push({ index, verdict })
    }
    this.touched.clear()
    for (const { index, verdict } of changed.sort((a, b) => a.index - b.index)) {
      if (verdict === 'conflict' || verdict === 'none') break
      const before = this.agreed.get(index)
      this.agreed.set(index, verdict)
      taken.push({ slot: slotOfIndex(index), id: verdict, ...(before === undefined ? {} : { instead: before }) })
    }
    // Not before: what is agreed on at once needs no memory.
    if (this.claims.size > MAX_CLAIMED_SLOTS) this.forgetBetween()
    return taken
  }

  /** The first slot that nodes disagree about: nothing from it on may be archived. */
  firstConflict(): Conflict | undefined {
    if (this.nodes.length === 1) return undefined
    let first: number | undefined
    for (const index of this.claims.keys()) {
      if ((first === undefined || index < first) && this.judge(index) === 'conflict') first = index
    }
    return first === undefined ? undefined : { slot: slotOfIndex(first), claims: this.claims.get(first) ?? new Map() }
  }

  forgetBefore(slot: Slot): void {
    const limit = slotIndex(slot)
    for (const index of this.claims.keys()) if (index < limit) this.claims.delete(index)
    for (const index of this.agreed.keys()) if (index < limit) this.agreed.delete(index)
  }

  private judge(index: number): Claim | 'conflict' | undefined {
    const claims = this.claims.get(index)
    if (!claims || claims.size === 0) return undefined
    // With one node there is nothing to count.
    if (this.nodes.length === 1) return claims.get(0)
    const votes = new Map<Claim, number>()
    for (const claim of claims.values()) votes.set(claim, (votes.get(claim) ?? 0) + 1)
    for (const [claim, count] of votes) {
      if (this.nodes.length >= 3 && count * 2 > this.nodes.length) return claim
    }
    const isMajorityOpen = this.nodes.length >= 3 && this.waitsForNode(index, claims)
    if (votes.size > 1) return isMajorityOpen ? undefined : 'conflict'
    if (this.waitsForNode(index, claims)) return undefined
    return [...votes.keys()][0]
  }

  /**
   * A node that is up and not far behind is heard before a slot is decided. One that is past the slot and does not name
   * it may have forgotten it or never had it: then a later block that all name decides, by its parents.
   */
  private waitsForNode(index: number, claims: ReadonlyMap<number, Claim>): boolean {
    return this.listAwaited(index, claims).length > 0
  }

  private listAwaited(index: number, claims: ReadonlyMap<number, Claim>): number[] {
    const head = Math.max(...this.nodes.map((state) => state.cursor))
    return [...this.nodes.entries()].flatMap(([node, { up, cursor }]) =>
      up && !claims.has(node) && (cursor >= index || cursor >= head - MAX_LAG_SLOTS) ? [node] : [],
    )
  }

  private forgetBetween(): void {
    const conflict = this.firstConflict()
    const kept = conflict && slotIndex(conflict.slot)
    const between = [...this.claims.keys()].sort((a, b) => a - b).slice(KEPT_LOWEST_SLOTS)
    const excess = this.claims.size - MAX_CLAIMED_SLOTS
    for (const index of between.slice(0, excess + FORGOTTEN_AT_ONCE_SLOTS)) {
      if (index === kept) continue
      this.claims.delete(index)
      this.agreed.delete(index)
    }
  }
}
