import {
  type BlockIdText,
  computeGenesisBlock,
  formatBlockId,
  type Period,
  type Slot,
  slotIndex,
  slotOfIndex,
  THREAD_COUNT,
} from '../core/index.ts'

/*
 * Which slots are decided, from final blocks and their parent links alone (design: docs/ARCHITECTURE.md, the life of a
 * period). Pure: no I/O, and any order of the same blocks leads to the same decisions.
 */

/** Both ends belong to it. */
export interface PeriodRange {
  readonly from: Period
  readonly to: Period
}

/** What the ledger needs to know of a verified final block. */
export interface FinalBlock {
  readonly id: BlockIdText
  readonly slot: Slot
  /** 32 ids in thread order; none for a genesis block. */
  readonly parents: readonly BlockIdText[]
}

export type SlotDecision = { readonly kind: 'block'; readonly id: BlockIdText } | { readonly kind: 'miss' | 'void' }

/** A restart of the chain: slots after the last kept one, up to the genesis blocks of `restartPeriod`, are void. */
export interface ChainRestart {
  readonly lastKeptSlot: Slot
  readonly restartPeriod: Period
}

export interface MissingBlock {
  readonly id: BlockIdText
  readonly thread: number
  /** The block that names it as its parent. */
  readonly child: BlockIdText
}

/** Slots of one thread that nothing decides: the block named `missing` is not held. */
export interface Gap {
  readonly thread: number
  readonly firstPeriod: Period
  readonly lastPeriod: Period
  /** Of the block of this thread that names `missing` as its parent; it may stand above `lastPeriod`, archived. */
  readonly childPeriod: Period
  readonly missing: BlockIdText
}

/** A thread without a block at the beginning of the archive. */
export interface SilentThread {
  readonly thread: number
  /** The first archived period: no block stands between it and the end of the first run of archived periods. */
  readonly from: Period
  /** Id of the newest block before it; where it stands is not known. Absent: nobody names it for certain. */
  readonly newestBefore?: BlockIdText
}

export type AddResult =
  | { readonly kind: 'added'; readonly touched: PeriodRange }
  | { readonly kind: 'known' }
  /** Contradicts the parent chain of a thread. */
  | { readonly kind: 'broken'; readonly thread: number; readonly other: BlockIdText }
  /** Descends from a genesis block of a restart that is not known. */
  | { readonly kind: 'restarted'; readonly restartPeriod: Period }

/** Two periods short of what a node remembers of final blocks. */
const RECENT_SLOTS = 8 * THREAD_COUNT
/** How far back a restart is searched when a parent is unknown. */
const RESTART_SEARCH_PERIODS = 64

interface Held extends FinalBlock {
  /** Highest slot index of a block that names this one as its parent. */
  highestChild: number
  /** The parent in its own thread is, or was, held. */
  linked: boolean
  readonly archived: boolean
}

interface UnknownParent {
  readonly thread: number
  highestChild: number
  child: Held
}

export class SlotLedger {
  private readonly restarts: readonly ChainRestart[]
  /** Per thread, ascending by period. */
  private readonly threads: Held[][] = Array.from({ length: THREAD_COUNT }, () => [])
  private readonly held = new Map<BlockIdText, Held>()
  /** Parents of held blocks that are not held: highest child slot, and who named them. */
  private readonly unknown = new Map<BlockIdText, UnknownParent>()
  /** By thread, with the highest slot index of a block that names the newest one before it. */
  private readonly silent = new Map<number, SilentThread & { highestChild: number }>()
  private highestIndex = -1
  /** What a block of this period descends from in its thread is not asked for. */
  private keptFrom: Period = 0

  constructor(restarts: readonly ChainRestart[] = []) {
    this.restarts = restarts
  }

  has(id: BlockIdText): boolean {
    return this.held.has(id)
  }

  /** Takes a verified block that is final. */
  add(block: FinalBlock): AddResult {
    if (this.held.has(block.id)) return { kind: 'known' }
    const restartPeriod = this.findRestart(block)
    if (restartPeriod !== undefined && !this.restarts.some((restart) => restart.restartPeriod === restartPeriod)) {
      return { kind: 'restarted', restartPeriod }
    }
    const broken = this.findContradiction(block)
    if (broken) return { kind: 'broken', ...broken }
    return { kind: 'added', touched: this.insert(block) }
  }

  /** At a start, before anything is added. */
  addSilent(silent: SilentThread): void {
    this.silent.set(silent.thread, { ...silent, highestChild: -1 })
  }

  /**
   * Takes a block that is archived.
   *
   * @param linked - its parent in its own thread is archived, too, although it is not held here
   * @returns periods of which it may decide slots
   */
  addArchived(block: FinalBlock, linked: boolean): PeriodRange | undefined {
    return this.held.has(block.id) ? undefined : this.insert(block, { linked })
  }

  /** What stands at a slot, as soon as held blocks prove it. */
  decide(slot: Slot): SlotDecision | undefined {
    if (this.isVoid(slot)) return { kind: 'void' }
    const chain = this.threads[slot.thread] ?? []
    const at = lastAtOrBefore(chain, slot.period)
    const previous = chain[at]
    if (previous?.slot.period === slot.period) {
      return previous.linked ? { kind: 'block', id: previous.id } : undefined
    }
    const silent = this.silentAt(slot)
    const isSilent = silent && (!previous || previous.slot.period < silent.from)
    const newest = Math.max(previous?.highestChild ?? -1, isSilent ? silent.highestChild : -1)
    return newest >= slotIndex(slot) + THREAD_COUNT ? { kind: 'miss' } : undefined
  }

  /** All 32 decisions of a period, or undefined while one is open. */
  decidePeriod(period: Period): SlotDecision[] | undefined {
    const decisions: SlotDecision[] = []
    for (let thread = 0; thread < THREAD_COUNT; thread++) {
      const decision = this.decide({ period, thread })
      if (!decision) return undefined
      decisions.push(decision)
    }
    return decisions
  }

  /**
   * Blocks that must exist and are not held: what to fetch. Leaves out what lies before the first held blocks, and
   * what blocks of another thread far behind the head name, which may be archived and forgotten here.
   */
  listMissing(): MissingBlock[] {
    const missing: MissingBlock[] = []
    for (const [id, { thread, child }] of this.unknown) {
      if (this.isMissing(id)) missing.push({ id, thread, child: child.id })
    }
    return missing
  }

  /** Whether a block is one of `listMissing`. */
  isMissing(id: BlockIdText): boolean {
    const entry = this.unknown.get(id)
    if (!entry) return false
    const { thread, period } = entry.child.slot
    if (thread === entry.thread && this.silentAt({ period, thread })) return true
    const first = this.threads[entry.thread]?.[0]
    if (!first || slotIndex(first.slot) + THREAD_COUNT > entry.highestChild) return false
    const inOwnThread = entry.child.slot.thread === entry.thread
    return inOwnThread || entry.highestChild >= this.highestIndex - RECENT_SLOTS
  }

  /** Undecided slots between two held blocks of one thread. */
  listGaps(): Gap[] {
    const gaps: Gap[] = []
    for (const [thread, chain] of this.threads.entries()) {
      for (const [i, block] of chain.entries()) {
        const firstPeriod = i > 0 ? (chain[i - 1]?.slot.period ?? 0) + 1 : this.silentAt(block.slot)?.from
        const parent = block.parents[thread]
        if (firstPeriod === undefined || parent === undefined || block.linked) continue
        gaps.push({
          thread,
          firstPeriod,
          // The block itself waits for its parent, too.
          lastPeriod: block.slot.period,
          childPeriod: block.slot.period,
          missing: parent,
        })
      }
    }
    return gaps
  }

  /** The earliest slot at the head that is not decided: from here on a node has to be asked. */
  firstOpenSlot(): Slot | undefined {
    let lowest: number | undefined
    for (const [thread, chain] of this.threads.entries()) {
      const last = chain.at(-1)
      if (!last) return undefined
      const provenTo = Math.max(slotIndex(last.slot), last.highestChild - THREAD_COUNT)
      const period = Math.max(last.slot.period, Math.floor((provenTo - thread) / THREAD_COUNT)) + 1
      const open = period * THREAD_COUNT + thread
      if (lowest === undefined || open < lowest) lowest = open
    }
    return lowest === undefined ? undefined : slotOfIndex(lowest)
  }

  /** Lowest and highest period of held blocks. */
  range(): PeriodRange | undefined {
    let from: Period | undefined
    let to: Period | undefined
    for (const chain of this.threads) {
      const first = chain[0]
      const last = chain.at(-1)
      if (!first || !last) continue
      if (from === undefined || first.slot.period < from) from = first.slot.period
      if (to === undefined || last.slot.period > to) to = last.slot.period
    }
    return from === undefined || to === undefined ? undefined : { from, to }
  }

  /**
   * Forgets blocks before `period`, but keeps the last one of each thread and what open gaps wait with.
   *
   * @param open - periods that are still to be archived, whether or not a gap stands in them: what decides them is kept
   */
  forgetBefore(period: Period, open: readonly PeriodRange[] = []): void {
    const needed = mergeRanges([...open, ...this.listGaps().map(toRange)])
    for (const [thread, chain] of this.threads.entries()) {
      const kept: Held[] = []
      for (const [i, block] of chain.entries()) {
        const next = chain[i + 1]
        if (next === undefined || next.slot.period >= period || isNeeded(block, next, i > 0, needed)) kept.push(block)
        else this.held.delete(block.id)
      }
      this.threads[thread] = kept
    }
    for (const [id, entry] of this.unknown) {
      if (!this.held.has(entry.child.id)) this.unknown.delete(id)
    }
  }

  /**
   * No slot before `period` is to be decided any more: gaps begin there, and blocks before it are forgotten, but for the
   * last one of each thread.
   *
   * @param isOpen - whether some period of a range is still to be decided; where none is, a block waits for no parent
   */
  cutBefore(period: Period, isOpen: (range: PeriodRange) => boolean): void {
    this.keptFrom = Math.max(this.keptFrom, period)
    for (const [thread, chain] of this.threads.entries()) {
      const last = Math.max(0, lastAtOrBefore(chain, period - 1))
      for (const { id } of chain.splice(0, last)) this.held.delete(id)
      for (const block of chain) {
        const to = block.slot.period
        if (to <= period || !isOpen({ from: period, to })) this.link(block, thread)
      }
    }
    for (const [id, entry] of this.unknown) {
      if (!this.held.has(entry.child.id)) this.unknown.delete(id)
    }
  }

  /** Periods were archived by somebody else: where none is left to be decided, a block waits for no parent. */
  settle(isOpen: (range: PeriodRange) => boolean): void {
    for (const gap of this.listGaps()) {
      const block = isOpen(toRange(gap)) ? undefined : this.findAt({ period: gap.childPeriod, thread: gap.thread })
      if (block) this.link(block, gap.thread)
    }
  }

  /** The last held block of a thread before a slot. */
  lastBefore({ period, thread }: Slot): FinalBlock | undefined {
    const chain = this.threads[thread] ?? []
    return chain[lastAtOrBefore(chain, period - 1)]
  }

  private findAt({ period, thread }: Slot): Held | undefined {
    const chain = this.threads[thread] ?? []
    const block = chain[lastAtOrBefore(chain, period)]
    return block?.slot.period === period ? block : undefined
  }

  /** Whatever it descends from is done with. */
  private link(block: Held, thread: number): void {
    const parent = block.parents[thread]
    if (block.linked || parent === undefined) return
    block.linked = true
    this.unknown.delete(parent)
  }

  /** @param archived - of a block that is archived */
  private insert(block: FinalBlock, archived?: { readonly linked: boolean }): PeriodRange {
    const { thread, period } = block.slot
    const named = this.unknown.get(block.id)
    this.unknown.delete(block.id)
    const parent = block.parents[thread]
    const linked = parent === undefined || archived?.linked === true || period <= this.keptFrom
    const silent = this.silent.get(thread)
    const highestChild = Math.max(
      named?.highestChild ?? -1,
      silent?.newestBefore === block.id ? silent.highestChild : -1,
    )
    const held: Held = { ...block, highestChild, linked, archived: archived !== undefined }
    this.held.set(block.id, held)
    const index = slotIndex(block.slot)
    this.highestIndex = Math.max(this.highestIndex, index)
    let from = period
    for (const parentId of block.parents.entries()) from = Math.min(from, this.nameParent(parentId, index, held))
    // Only now: a genesis block may have come in before it.
    const chain = this.threads[thread] ?? []
    const at = lastAtOrBefore(chain, period)
    const next = chain[at + 1]
    chain.splice(at + 1, 0, held)
    if (next?.parents[thread] === block.id) next.linked = true
    return {
      from,
      to: Math.max(period, next?.slot.period ?? period, slotOfIndex(Math.max(0, held.highestChild)).period),
    }
  }

  /** Returns the first period of which the naming may decide a slot. */
  private nameParent([thread, id]: [number, BlockIdText], childIndex: number, child: Held): Period {
    const { period } = child.slot
    const isOwn = thread === child.slot.thread
    const parent = this.held.get(id) ?? this.addGenesis(id, thread, period)
    if (parent) {
      const proven = Math.max(slotIndex(parent.slot), parent.highestChild - THREAD_COUNT)
      parent.highestChild = Math.max(parent.highestChild, childIndex)
      if (isOwn) child.linked = true
      return Math.min(Math.floor(proven / THREAD_COUNT), this.firstVoidBefore(parent.slot.period))
    }
    const silent = this.silent.get(thread)
    if (silent?.newestBefore === id) {
      const provenTo = silent.highestChild - THREAD_COUNT
      silent.highestChild = Math.max(silent.highestChild, childIndex)
      if (isOwn) child.linked = true
      return Math.min(period, Math.max(silent.from, Math.floor(provenTo / THREAD_COUNT)))
    }
    // What an archived block names is archived as well, or its own thread names it.
    if (child.archived && (!isOwn || child.linked)) return period
    if (isOwn && period <= this.keptFrom) return period
    const entry = this.unknown.get(id)
    if (!entry) this.unknown.set(id, { thread, highestChild: childIndex, child })
    else {
      entry.highestChild = Math.max(entry.highestChild, childIndex)
      if (isOwn) entry.child = child
    }
    return period
  }

  /** Of a slot behind the beginning of an archive, if its thread is silent there. */
  private silentAt({ period, thread }: Slot) {
    const silent = this.silent.get(thread)
    return silent && period >= silent.from ? silent : undefined
  }

  /** The period in which the void slots before the genesis blocks of a restart begin; for others the period itself. */
  private firstVoidBefore(period: Period): Period {
    const restart = this.restarts.find(({ restartPeriod }) => restartPeriod === period)
    return restart ? restart.lastKeptSlot.period : period
  }

  /** Genesis blocks are computed, never fetched: they are held as soon as somebody descends from them. */
  private addGenesis(id: BlockIdText, thread: number, childPeriod: Period): Held | undefined {
    for (const period of [0, ...this.restarts.map((restart) => restart.restartPeriod)]) {
      if (period >= childPeriod || genesisId(period, thread) !== id) continue
      this.insert({ id, slot: { period, thread }, parents: [] })
      return this.held.get(id)
    }
    return undefined
  }

  private findRestart(block: FinalBlock): Period | undefined {
    const { thread, period } = block.slot
    const parent = block.parents[thread]
    if (parent === undefined) return period > 0 ? period : undefined
    if (this.held.has(parent)) return undefined
    for (let candidate = period - 1; candidate > 0 && candidate >= period - RESTART_SEARCH_PERIODS; candidate--) {
      if (genesisId(candidate, thread) === parent) return candidate
    }
    return undefined
  }

  /**
   * A block contradicts what is held when two held blocks would stand at one slot, or when somebody names a parent and
   * thereby skips a held block that it must have built on.
   */
  private findContradiction(block: FinalBlock): { thread: number; other: BlockIdText } | undefined {
    const index = slotIndex(block.slot)
    const own = this.threads[block.slot.thread] ?? []
    const previous = own[lastAtOrBefore(own, block.slot.period)]
    if (previous?.slot.period === block.slot.period) return { thread: block.slot.thread, other: previous.id }
    // Somebody at least a period later names the block before this one as the latest: this one is not on the chain.
    if (previous && previous.highestChild >= index + THREAD_COUNT) {
      return { thread: block.slot.thread, other: previous.id }
    }
    // Nothing stands between the block before this one and this one: it is the parent.
    const isNext = previous && (previous.slot.period === block.slot.period - 1 || previous.highestChild >= index)
    if (isNext && block.parents.length > 0 && block.parents[block.slot.thread] !== previous.id) {
      return { thread: block.slot.thread, other: previous.id }
    }
    for (const [thread, id] of block.parents.entries()) {
      const parent = this.held.get(id)
      if (!parent) continue
      if (parent.slot.thread !== thread || slotIndex(parent.slot) >= index) return { thread, other: id }
      const chain = this.threads[thread] ?? []
      const skipped = chain[lastAtOrBefore(chain, parent.slot.period) + 1]
      if (skipped && slotIndex(skipped.slot) + THREAD_COUNT <= index) return { thread, other: skipped.id }
    }
    return undefined
  }

  private isVoid(slot: Slot): boolean {
    return this.restarts.some(
      ({ lastKeptSlot, restartPeriod }) => slotIndex(slot) > slotIndex(lastKeptSlot) && slot.period < restartPeriod,
    )
  }
}

/** Whether a block stands beside an open gap, or decides slots of periods that are open in any thread. */
function isNeeded(block: Held, next: Held, hasPrevious: boolean, open: readonly PeriodRange[]): boolean {
  if (!next.linked || (hasPrevious && !block.linked)) return true
  return open.some(({ from, to }) => block.slot.period <= to && next.slot.period > from)
}

export function toRange({ firstPeriod, lastPeriod }: Gap): PeriodRange {
  return { from: firstPeriod, to: lastPeriod }
}

/** Of many threads' gaps a few ranges: each block is compared with all of them. */
function mergeRanges(ranges: readonly PeriodRange[]): PeriodRange[] {
  const merged: PeriodRange[] = []
  for (const range of [...ranges].sort((a, b) => a.from - b.from)) {
    const last = merged.at(-1)
    if (last && range.from <= last.to) merged[merged.length - 1] = { from: last.from, to: Math.max(last.to, range.to) }
    else merged.push(range)
  }
  return merged
}

/** Index of the last block of a period up to `period`; -1 when there is none. */
function lastAtOrBefore(chain: readonly Held[], period: Period): number {
  let low = 0
  let high = chain.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((chain[middle]?.slot.period ?? 0) <= period) low = middle + 1
    else high = middle
  }
  return low - 1
}

const genesisIds = new Map<number, BlockIdText>()

function genesisId(period: Period, thread: number): BlockIdText {
  const key = period * THREAD_COUNT + thread
  const known = genesisIds.get(key)
  if (known) return known
  const id = formatBlockId(computeGenesisBlock({ period, thread }).id)
  if (genesisIds.size > 4096) genesisIds.clear()
  genesisIds.set(key, id)
  return id
}
