import { verifyFilledBlock } from '../../archiver/verify-block.ts'
import {
  type ArchivedPeriod,
  type BlockIdText,
  type Clock,
  isArchiveError,
  type Period,
  type SpooledBlock,
  THREAD_COUNT,
} from '../../core/index.ts'
import type { MissingBlock } from '../../storage-worker/peers/gap-filler.ts'
import type { MemorySpool } from './memory-spool.ts'
import type { MemoryStore } from './memory-store.ts'
import { encodeFrom, type SimChain } from './sim-chain.ts'

const RETRY_MS = 2_000
const SYNC_MS = 1_000

/** The massa-node beside a sidecar. */
export interface SimFeed {
  /** False while it is down, or unreachable. */
  isUp: boolean
  /** The newest final period that it knows. */
  headPeriod: Period
  /** The oldest period of which it still has the blocks. */
  oldestPeriod: Period
}

/**
 * Follows the chain as an archiver does, without its sockets and threads: every period that the massa-node still has goes
 * through the spool into the archive; what it has no more is a gap, which blocks of peers fill one by one.
 */
export class SimArchiver {
  private readonly chain: SimChain
  private readonly feed: SimFeed
  private readonly beginPeriod: Period
  private readonly store: MemoryStore
  private readonly spool: MemorySpool
  private readonly clock: Clock
  private readonly onArchived: (period: Period) => void
  private readonly archived = new Set<Period>()
  /** Periods that no massa-node has any more. */
  private readonly missed = new Set<Period>()
  private readonly taken = new Map<BlockIdText, SpooledBlock>()
  private nextPeriod: Period
  private running: Promise<void> | undefined
  private isFilling = false
  private waiting: (() => void) | undefined

  /** @param options.beginPeriod the first one that this node is to archive itself */
  constructor(
    options: { readonly beginPeriod: Period },
    modules: {
      readonly chain: SimChain
      readonly feed: SimFeed
      readonly store: MemoryStore
      readonly spool: MemorySpool
      readonly clock: Clock
      readonly onArchived: (period: Period) => void
    },
  ) {
    this.beginPeriod = options.beginPeriod
    this.nextPeriod = options.beginPeriod
    this.chain = modules.chain
    this.feed = modules.feed
    this.store = modules.store
    this.spool = modules.spool
    this.clock = modules.clock
    this.onArchived = modules.onArchived
  }

  /** Newest period of which everything from the beginning on is archived or missed. */
  get headPeriod(): Period {
    return this.nextPeriod - 1
  }

  /** Periods that it should have and has not. */
  listMissed(): Period[] {
    return [...this.missed].sort((a, b) => a - b)
  }

  status() {
    const { isUp, headPeriod } = this.feed
    const nodeFinalSlot = isUp ? { period: headPeriod, thread: THREAD_COUNT - 1 } : undefined
    return { gaps: this.listGaps(), holes: this.listHoles(), nodeFinalSlot }
  }

  /** Of the executions of a period it has seen none. */
  async attest(period: Period): Promise<Uint8Array> {
    const { executionResults } = this.chain.period(period)
    return executionResults
  }

  /** Somebody else has written it. */
  async onFilled(period: Period): Promise<void> {
    this.onVisible(period)
  }

  /** Finds out what it has, and follows the chain until its life is over. */
  start(): Promise<void> {
    this.running ??= this.run()
    return this.running
  }

  /** It came from elsewhere. */
  onVisible(period: Period): void {
    this.archived.add(period)
    this.missed.delete(period)
  }

  /** The massa-node has something new, or is there again. */
  wake(): void {
    this.waiting?.()
  }

  async takePeerBlock(
    id: BlockIdText,
    filledBlock: Uint8Array,
  ): Promise<'spooled' | 'known' | 'refused' | 'postponed'> {
    if (!this.listGaps().some(({ missing }) => missing === id)) return 'known'
    try {
      const block = verifyFilledBlock(filledBlock, this.store.identity.network.chainId, id)
      await this.spool.putBlock(block)
      this.taken.set(id, block)
      void this.fillGaps()
      return 'spooled'
    } catch (error) {
      if (!isArchiveError(error)) throw error
      return error.code.startsWith('STORE_') ? 'postponed' : 'refused'
    }
  }

  private async run(): Promise<void> {
    for await (const { period } of this.store.listSummaries({ from: 0, to: this.chain.lastPeriod })) {
      this.archived.add(period)
    }
    for await (const block of this.spool.listBlocks()) this.taken.set(block.id, block)
    void this.keepSynced()
    for (;;) {
      while (this.feed.isUp && this.nextPeriod <= this.feed.headPeriod) await this.takeNext()
      await new Promise<void>((resolve) => {
        this.waiting = resolve
      })
    }
  }

  private async takeNext(): Promise<void> {
    const period = this.nextPeriod
    if (this.archived.has(period)) {
      this.nextPeriod++
    } else if (period < this.feed.oldestPeriod) {
      this.missed.add(period)
      this.nextPeriod++
      void this.fillGaps()
    } else if (await this.archive(this.chain.period(period), this.chain.blocksOf(period))) {
      this.nextPeriod++
      if (this.missed.size > 0) void this.fillGaps()
    } else {
      await this.clock.sleep(RETRY_MS)
    }
  }

  /** @returns false when the disk does not take it now */
  private async archive(period: ArchivedPeriod, blocks: readonly SpooledBlock[]): Promise<boolean> {
    try {
      for (const block of blocks) await this.spool.putBlock(block)
      await this.store.writePeriod(period)
      await this.spool.deleteBlocks(blocks)
      this.archived.add(period.manifest.period)
      this.onArchived(period.manifest.period)
      return true
    } catch (error) {
      if (isArchiveError(error) && error.kind === 'transient') return false
      throw error
    }
  }

  private async keepSynced(): Promise<void> {
    for (;;) {
      await this.clock.sleep(SYNC_MS)
      await this.spool.sync()
    }
  }

  /** Archives what is missed and complete by now, one at a time. */
  private async fillGaps(): Promise<void> {
    if (this.isFilling) return
    this.isFilling = true
    for (const period of this.listMissed()) {
      const blocks = this.decide(period)
      if (!blocks) continue
      while (!(await this.archive(encodeFrom(period, blocks), blocks))) await this.clock.sleep(RETRY_MS)
      this.missed.delete(period)
    }
    this.isFilling = false
  }

  /** The blocks of a missed period, when all of them are here and it is certain that there are no others. */
  private decide(period: Period): readonly SpooledBlock[] | undefined {
    const blocks: SpooledBlock[] = []
    for (let thread = 0; thread < THREAD_COUNT; thread++) {
      const child = this.chain.nextInThread(thread, period)
      if (child === undefined || !this.isKnown(child, thread)) return undefined
      const id = this.chain.idAt(period, thread)
      if (id === undefined) continue
      const block = this.taken.get(id)
      if (!block) return undefined
      blocks.push(block)
    }
    return blocks
  }

  private isKnown(period: Period, thread: number): boolean {
    if (this.archived.has(period)) return true
    const id = this.chain.idAt(period, thread)
    return id !== undefined && this.taken.has(id)
  }

  /** Runs of periods that are missed between those that are archived. */
  private listHoles(): { from: Period; to: Period }[] {
    const holes: { from: Period; to: Period }[] = []
    if (this.missed.size === 0) return holes
    const [first, last] = [Math.min(...this.archived), Math.max(...this.archived)]
    for (const period of this.listMissed()) {
      if (period < first || period > last) continue
      const before = holes.at(-1)
      if (before?.to === period - 1) before.to = period
      else holes.push({ from: period, to: period })
    }
    return holes
  }

  /** Blocks that are not here, and are known by their children. */
  private listGaps(): (MissingBlock & { readonly firstPeriod: Period })[] {
    const gaps: (MissingBlock & { readonly firstPeriod: Period })[] = []
    for (const period of this.missed) {
      for (let thread = 0; thread < THREAD_COUNT; thread++) {
        const id = this.chain.idAt(period, thread)
        if (id === undefined || this.taken.has(id)) continue
        const child = this.chain.nextInThread(thread, period)
        if (child === undefined || !this.isKnown(child, thread)) continue
        gaps.push({ thread, firstPeriod: this.beginPeriod, childPeriod: child, missing: id })
      }
    }
    return gaps
  }
}
