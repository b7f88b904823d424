import { type BlockIdText, type Slot, slotIndex, slotOfIndex, THREAD_COUNT } from '../core/index.ts'

/*
 * Which block of a slot is final when several nodes are asked (docs/decisions/0017). With one node its word is finality.
 * Two have to agree, unless one of them is not waited for. Of three or more a strict majority of all decides, whoever
 * answers.
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

/** A slot that waits for nodes that name nothing for it. */
export interface Awaited {
  readonly slot: Slot
  readonly nodes: readonly number[]
}

/** From this slot on one of two nodes decides alone. */
export interface Lone {
  readonly slot: Slot
  readonly node: number
}

interface NodeState {
  /** False for a node that is down for so long that it is not waited for. */
  up: boolean
  /** Highest final slot index it reports; undefined before it was asked. */
  cursor: number | undefined
}

export class Agreement {
  private readonly nodes: NodeState[]
  private readonly claims = new Map<number, Map<number, Claim>>()
  private readonly agreed = new Map<number, BlockIdText>()
  /** Slots that were claimed since `takeAgreed`: with one node nothing else can have become agreed. */
  private readonly touched = new Set<number>()
  /** The conflict that stands, whatever nodes are silent about it now. */
  private held: { readonly index: number; readonly claims: ReadonlyMap<number, Claim> } | undefined
  private loneNode: Lone | undefined

  constructor(nodeCount: number) {
    // A node that was not asked yet may have another mind.
    this.nodes = Array.from({ length: nodeCount }, () => ({ up: true, cursor: undefined }))
  }

  /** Set while one of two nodes decides alone. */
  get lone(): Lone | undefined {
    return this.loneNode
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

  /**
   * A conflict stands until it `isSettled`, also when nodes restart or are not heard any more. While one stands, no node
   * decides anything alone.
   */
  hold(conflict: Conflict | undefined): void {
    this.held = conflict && { index: slotIndex(conflict.slot), claims: new Map(conflict.claims) }
  }

  /**
   * Whether the nodes agree now about the slot of the conflict that is held: by naming the same there, or, when they
   * forgot it, by naming one block that descends from it.
   *
   * @param isDecided - whether what they agreed on decides that slot
   */
  isSettled(isDecided: (slot: Slot) => boolean): boolean {
    if (!this.held) return false
    const state = this.heldState()
    return state === 'settled' || (state === 'vouched' && isDecided(slotOfIndex(this.held.index)))
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

  /** The lowest slot, of those that are open, of which a node names a block and nodes that are needed do not. */
  findAwaited(isOpen: (slot: Slot) => boolean): Awaited | undefined {
    let lowest: { index: number; nodes: number[] } | undefined
    const isOneEnough = this.nodes.length <= 2 && !this.held
    for (const [index, claims] of this.claims) {
      if ((lowest && index > lowest.index) || (this.held && index >= this.held.index)) continue
      if ((isOneEnough ? this.judge(index) : this.judgeTogether(index)) !== undefined) continue
      if ([...claims.values()].every((claim) => claim === 'none')) continue
      const nodes = isOneEnough ? this.listAwaited(index, claims) : this.listSilent(claims)
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
    const judge = this.held ? this.judgeBesideConflict() : (index: number) => this.judge(index)
    if (this.held && judge(this.held.index) === 'conflict')
      changed.push({ index: this.held.index, verdict: 'conflict' })
    // What other nodes do changes verdicts of slots that nobody spoke of.
    for (const index of this.nodes.length === 1 ? this.touched : this.claims.keys()) {
      const verdict = judge(index)
      if (verdict === undefined || verdict === 'none' || this.agreed.get(index) === verdict) continue
      changed.push({ index, verdict })
    }
    this.touched.clear()
    for (const { index, verdict } of changed.sort((a, b) => a.index - b.index)) {
      if (verdict === 'conflict' || verdict === 'none') break
      const before = this.agreed.get(index)
      this.agreed.set(index, verdict)
      this.noteLone(index)
      taken.push({ slot: slotOfIndex(index), id: verdict, ...(before === undefined ? {} : { instead: before }) })
    }
    // Not before: what is agreed on at once needs no memory.
    if (this.claims.size > MAX_CLAIMED_SLOTS) this.forgetBetween()
    return taken
  }

  /** The first slot that nodes disagree about: nothing from it on may be archived. */
  firstConflict(): Conflict | undefined {
    if (this.nodes.length === 1) return undefined
    let first = this.held?.index
    for (const index of this.claims.keys()) {
      if ((first === undefined || index < first) && this.judge(index) === 'conflict') first = index
    }
    if (first === undefined) return undefined
    const claims = new Map(this.claims.get(first))
    if (first === this.held?.index) for (const [node, id] of this.held.claims) claims.set(node, claims.get(node) ?? id)
    return { slot: slotOfIndex(first), claims }
  }

  forgetSlot(slot: Slot): void {
    const index = slotIndex(slot)
    this.claims.delete(index)
    this.agreed.delete(index)
    if (this.held?.index === index) this.held = undefined
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
    if (this.nodes.length >= 3) {
      for (const [claim, count] of votes) if (count * 2 > this.nodes.length) return claim
      return votes.size > 1 && this.listAwaited(index, claims).length === 0 ? 'conflict' : undefined
    }
    if (votes.size > 1) return 'conflict'
    return this.listAwaited(index, claims).length > 0 ? undefined : [...votes.keys()][0]
  }

  /** What so many nodes say as are needed when none may decide alone. */
  private judgeTogether(index: number): Claim | 'conflict' | undefined {
    const isEnough = this.nodes.length >= 3 || this.claims.get(index)?.size === this.nodes.length
    return isEnough ? this.judge(index) : undefined
  }

  /** While a conflict is held: its slot is in conflict, unless something later is agreed on that may decide it. */
  private judgeBesideConflict(): (index: number) => Claim | 'conflict' | undefined {
    const state = this.heldState()
    return (index) => {
      if (state === 'standing' && index === this.held?.index) return 'conflict'
      return this.judgeTogether(index)
    }
  }

  private heldState(): 'standing' | 'vouched' | 'settled' {
    if (!this.held) return 'settled'
    const { index } = this.held
    if (this.judge(index) === 'conflict') return 'standing'
    if (this.judgeTogether(index) !== undefined) return 'settled'
    for (const later of this.claims.keys()) {
      // It descends from whatever stands in any thread a period before it.
      if (later < index + THREAD_COUNT) continue
      const verdict = this.judgeTogether(later)
      if (verdict !== undefined && verdict !== 'none' && verdict !== 'conflict') return 'vouched'
    }
    return 'standing'
  }

  private noteLone(index: number): void {
    const claims = this.claims.get(index)
    if (this.nodes.length !== 2 || !claims) return
    const [node] = claims.keys()
    if (claims.size === 2) this.loneNode = undefined
    else if (node !== undefined && node !== this.loneNode?.node) this.loneNode = { slot: slotOfIndex(index), node }
  }

  /**
   * A node that is not down for long, and not far behind, is heard before a slot is decided. One that is past the slot
   * and does not name it may have forgotten it or never had it: then a later block that all name decides, by its parents.
   */
  private listAwaited(index: number, claims: ReadonlyMap<number, Claim>): number[] {
    if (claims.size === this.nodes.length) return []
    const head = Math.max(...this.nodes.map((state) => state.cursor ?? -1))
    return this.listSilent(claims).filter((node) => {
      const { up, cursor } = this.nodes[node] ?? { up: false, cursor: undefined }
      return up && (cursor === undefined || cursor >= index || cursor >= head - MAX_LAG_SLOTS)
    })
  }

  private listSilent(claims: ReadonlyMap<number, Claim>): number[] {
    return [...this.nodes.keys()].filter((node) => !claims.has(node))
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
