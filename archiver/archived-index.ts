import {
  ArchiveError,
  type BlockIdText,
  type ChunkStore,
  concatBytes,
  type ErrorCode,
  formatBlockId,
  HOLES_MARK,
  isArchiveError,
  type Period,
  parseBody,
  type Slot,
  type Spool,
  slotIndex,
  THREAD_COUNT,
} from '../core/index.ts'
import type { FinalBlock, PeriodRange, SilentThread } from './slot-ledger.ts'

/** Ids of so many periods back are compared with what nodes say of them. */
const REMEMBERED_PERIODS = 64
/**
 * A thread without a block in so many periods that have blocks begins a new chain of evidence. Periods in which the
 * whole chain stood still do not count.
 */
const MAX_LOOK_BACK_PERIODS = 1024
/** The mark is renewed so often, so that a start looks at no more summaries than this. */
const MARK_EVERY_PERIODS = 1024

export interface LoadedBlock {
  readonly block: FinalBlock
  /** Its parent in its own thread is archived, too. */
  readonly linked: boolean
}

export interface LoadedEnds {
  /** Around the ends of what is archived, ascending by slot. */
  readonly blocks: readonly LoadedBlock[]
  /** Threads of which the first run of periods shows no block. */
  readonly silent: readonly SilentThread[]
}

/** Which periods are archived, and which blocks stand in the latest ones. */
export class ArchivedIndex {
  private readonly store: ChunkStore
  private readonly spool: Spool
  private first: Period | undefined
  private last: Period | undefined
  private holes: PeriodRange[] = []
  /** On disk, but damaged: as good as not archived, so that nodes are asked for them and they are written again. */
  private readonly unreadable = new Set<Period>()
  private isUnmarked = false
  /** What stood before was deleted since the start. */
  private keptFrom: Period = 0
  private readonly ids = new Map<number, BlockIdText>()
  private readonly slots = new Map<BlockIdText, Slot>()
  private onUnreadable: (period: Period, code: ErrorCode) => void = () => undefined

  constructor(store: ChunkStore, spool: Spool) {
    this.store = store
    this.spool = spool
  }

  /**
   * Reads the state from disk.
   *
   * @param onUnreadable - told of each period among them whose values are damaged
   */
  async load(onUnreadable: (period: Period, code: ErrorCode) => void = () => undefined): Promise<LoadedEnds> {
    this.onUnreadable = onUnreadable
    const range = await this.store.readRange()
    if (!range) return { blocks: [], silent: [] }
    this.first = range.first
    this.last = range.last
    this.holes = (await this.readHoles(range)).filter((hole) => hole.from > range.first && hole.to < range.last)
    await this.writeHoles()
    for (;;) {
      const readable = this.unreadable.size
      const ends = await this.loadEnds(range)
      // A run ends where a period cannot be read.
      if (this.unreadable.size === readable) return ends
    }
  }

  private async loadEnds(range: { readonly first: Period; readonly last: Period }): Promise<LoadedEnds> {
    const holes = this.listHoles()
    const blocks = new Map<BlockIdText, LoadedBlock>()
    let silent: readonly SilentThread[] = []
    for (const [i, end] of [...holes.map((hole) => hole.from - 1), range.last].entries()) {
      const hole = holes[i - 1]
      await this.loadRun({ from: hole ? hole.to + 1 : range.first, to: end }, hole === undefined, blocks)
      if (!hole) silent = listSilent(range.first, [...blocks.values()])
    }
    return { blocks: [...blocks.values()].sort((a, b) => slotIndex(a.block.slot) - slotIndex(b.block.slot)), silent }
  }

  /** Also of periods that were deleted since the start: they are done with. */
  has(period: Period): boolean {
    if (period < this.keptFrom) return true
    if (this.first === undefined || this.last === undefined || period < this.first || period > this.last) return false
    if (this.unreadable.has(period)) return false
    return !this.holes.some((hole) => period >= hole.from && period <= hole.to)
  }

  /** The archive begins here now: what stood before was deleted, and what lacked there is not to come any more. */
  forgetBefore(period: Period): void {
    if (this.first === undefined || this.last === undefined || period > this.last) return
    this.keptFrom = Math.max(this.keptFrom, period)
    this.first = Math.max(this.first, period)
    this.holes = this.holes.flatMap(({ from, to }) => (to < period ? [] : [{ from: Math.max(from, period), to }]))
    for (const lost of this.unreadable) if (lost < period) this.unreadable.delete(lost)
    this.isUnmarked = true
  }

  /** The parts of a range that are not archived and still to come, ascending. */
  listOpen(range: PeriodRange): PeriodRange[] {
    if (this.first === undefined || this.last === undefined) return [range]
    const open: PeriodRange[] = [{ from: this.keptFrom, to: this.first - 1 }, ...this.holes]
    for (const period of this.unreadable) open.push({ from: period, to: period })
    open.push({ from: this.last + 1, to: Number.POSITIVE_INFINITY })
    return open
      .map(({ from, to }) => ({ from: Math.max(from, range.from), to: Math.min(to, range.to) }))
      .filter(({ from, to }) => from <= to)
      .sort((a, b) => a.from - b.from)
  }

  /** True for periods before the first archived one: what a new archive saw of them stays partial. */
  isBefore(period: Period): boolean {
    return this.first !== undefined && period < this.first
  }

  /** What is not archived between the first and the last period, ascending. */
  listHoles(): PeriodRange[] {
    if (this.first === undefined || this.last === undefined) return []
    return this.listOpen({ from: this.first, to: this.last })
  }

  get lastPeriod(): Period | undefined {
    return this.last
  }

  hasId(id: BlockIdText): boolean {
    return this.slots.has(id)
  }

  slotOf(id: BlockIdText): Slot | undefined {
    return this.slots.get(id)
  }

  /** Id of the archived block of a recent slot. */
  idAt(slot: Slot): BlockIdText | undefined {
    return this.ids.get(slotIndex(slot))
  }

  async add(period: Period, blocks: readonly { readonly slot: Slot; readonly id: BlockIdText }[]): Promise<void> {
    this.remember(blocks)
    this.unreadable.delete(period)
    const before = this.holes
    if (this.first === undefined || this.last === undefined) {
      this.first = period
      this.last = period
    } else if (period > this.last) {
      if (period > this.last + 1) this.holes = [...this.holes, { from: this.last + 1, to: period - 1 }]
      this.last = period
    } else if (period < this.first) {
      if (period < this.first - 1) this.holes = [{ from: period + 1, to: this.first - 1 }, ...this.holes]
      this.first = period
    } else this.holes = this.holes.flatMap((hole) => splitHole(hole, period))
    for (const [index, id] of this.ids) {
      if (index >= (this.last - REMEMBERED_PERIODS) * THREAD_COUNT) break
      this.ids.delete(index)
      this.slots.delete(id)
    }
    if (this.holes !== before || this.isUnmarked || period % MARK_EVERY_PERIODS === 0) await this.writeHoles()
  }

  private remember(blocks: readonly { readonly slot: Slot; readonly id: BlockIdText }[]): void {
    for (const { slot, id } of blocks) {
      this.ids.set(slotIndex(slot), id)
      this.slots.set(id, slot)
    }
  }

  /** The first and the last blocks of each thread in a run of archived periods; of the first run only the last. */
  private async loadRun(run: PeriodRange, isFirst: boolean, blocks: Map<BlockIdText, LoadedBlock>): Promise<void> {
    const started = new Set<number>()
    if (run.from > run.to) return
    for await (const block of isFirst ? [] : this.readUntilAll(run, false)) {
      // What the first block of a thread descends from stands before the run.
      blocks.set(block.id, { block, linked: started.has(block.slot.thread) })
      started.add(block.slot.thread)
    }
    for await (const block of this.readUntilAll(run, true)) {
      const linked = isFirst || started.has(block.slot.thread)
      if (!blocks.has(block.id)) blocks.set(block.id, { block, linked })
    }
  }

  /** Blocks of whole periods from one end of a run, until every thread has shown one. */
  private async *readUntilAll(run: PeriodRange, reverse: boolean): AsyncGenerator<FinalBlock> {
    const seen = new Set<number>()
    let periods = 0
    for await (const { period, blocks, heldChunks } of this.store.listSummaries({ ...run, reverse })) {
      if (blocks === 0) continue
      // Archived and in order, but its blocks are not all here.
      const isPart = heldChunks !== undefined
      const found = isPart ? [] : await this.readPeriod(period).catch((error: unknown) => this.passOver(period, error))
      this.remember(found)
      for (const block of found) seen.add(block.slot.thread)
      yield* found
      if (seen.size === THREAD_COUNT || ++periods >= MAX_LOOK_BACK_PERIODS) return
    }
  }

  /** A start must not fail on what a disk has lost. */
  private passOver(period: Period, error: unknown): FinalBlock[] {
    if (!isArchiveError(error)) throw error
    if (!this.unreadable.has(period)) this.onUnreadable(period, error.code)
    this.unreadable.add(period)
    return []
  }

  /** Blocks of an archived period. @throws ArchiveError STORE_VALUE_MISSING when not all of it is held */
  async readPeriod(period: Period): Promise<FinalBlock[]> {
    const manifest = await this.store.readManifest(period)
    if (!manifest) throw new ArchiveError('STORE_VALUE_MISSING', `period ${period} has no manifest`, { period })
    const chunks: Uint8Array[] = []
    for (const index of manifest.chunks.keys()) {
      const chunk = await this.store.readChunk(period, index)
      if (!chunk) throw new ArchiveError('STORE_VALUE_MISSING', `period ${period} lacks chunk ${index}`, { period })
      chunks.push(chunk)
    }
    return parseBody(concatBytes(...chunks)).slots.flatMap((slot) =>
      slot.kind === 'block'
        ? [
            {
              id: formatBlockId(slot.record.id),
              slot: slot.record.header.slot,
              parents: slot.record.header.parents.map(formatBlockId),
            },
          ]
        : [],
    )
  }

  /** The mark may be older than the store by one period: the crash came between the two writes. */
  private async readHoles(range: { first: Period; last: Period }): Promise<PeriodRange[]> {
    const mark = await this.spool.readMark(HOLES_MARK).catch((error: unknown) => {
      // A damaged mark is made anew from what is there.
      if (isArchiveError(error, 'STORE_VALUE_CORRUPT')) return undefined
      throw error
    })
    const known = mark
      ? (JSON.parse(new TextDecoder().decode(mark)) as { last: Period; holes: PeriodRange[] })
      : undefined
    const holes = known?.holes ?? []
    const from = known ? known.last : range.first
    let expected = from
    for await (const { period } of this.store.listSummaries({ from, to: range.last })) {
      if (period > expected) holes.push({ from: expected, to: period - 1 })
      expected = period + 1
    }
    const checked: PeriodRange[] = []
    for (const hole of holes) {
      // A period filled just before a crash still stands in the mark.
      for (const rest of await this.withoutArchived(hole)) checked.push(rest)
    }
    return checked
  }

  private async withoutArchived(hole: PeriodRange): Promise<PeriodRange[]> {
    let rest: PeriodRange[] = [hole]
    for await (const { period } of this.store.listSummaries(hole))
      rest = rest.flatMap((part) => splitHole(part, period))
    return rest
  }

  /** The mark saves a start some reading, no more: where it cannot be written now, it is written later. */
  private async writeHoles(): Promise<void> {
    const text = JSON.stringify({ last: this.last, holes: this.holes })
    this.isUnmarked = true
    try {
      await this.spool.putMark(HOLES_MARK, new TextEncoder().encode(text))
      this.isUnmarked = false
    } catch (error) {
      if (!isArchiveError(error)) throw error
    }
  }
}

function splitHole(hole: PeriodRange, period: Period): PeriodRange[] {
  if (period < hole.from || period > hole.to) return [hole]
  const parts = [
    { from: hole.from, to: period - 1 },
    { from: period + 1, to: hole.to },
  ]
  return parts.filter((part) => part.from <= part.to)
}

/** What blocks of a run that begins at `first` say of the threads that have none in it. */
function listSilent(first: Period, run: readonly LoadedBlock[]): SilentThread[] {
  const seen = new Set(run.map(({ block }) => block.slot.thread))
  const threads = Array.from({ length: THREAD_COUNT }, (_, thread) => thread)
  return threads
    .filter((thread) => !seen.has(thread))
    .map((thread) => {
      // Whoever stands a period behind a block knows it.
      const witness = run.find(({ block }) => slotIndex(block.slot) >= slotIndex({ period: first, thread }))
      const newestBefore = witness?.block.parents[thread]
      return { thread, from: first, ...(newestBefore !== undefined && { newestBefore }) }
    })
}
