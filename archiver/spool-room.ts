import { ArchiveError, isArchiveError, type Slot, type Spool, type SpoolLevel, slotIndex } from '../core/index.ts'
import type { Logger } from '../telemetry/index.ts'

/**
 * Blocks that wait for their periods, as facts in memory: some 600 bytes each. Nine hours of a chain that fills every
 * slot; the tenth above it is for blocks that archiving waits for.
 */
export const MAX_SPOOLED_BLOCKS = 65_536
const COUNT_SHARES: Readonly<Record<SpoolLevel, number>> = { urgent: 1.1, ordinary: 1, again: 0.875 }

export interface SpoolNeed {
  readonly slot: Slot
  readonly sizeBytes: number
  readonly blocks: number
  /** Archiving waits for it: it may use what is kept back from the rest. */
  readonly isUrgent: boolean
}

/**
 * What the spool holds, and whether it may take more.
 *
 * Once it has refused something it takes nothing but what is urgent, until there is room for more than that: what comes
 * last is farthest from the archive, and is asked for again.
 */
export class SpoolRoom {
  private readonly maxBlocks: number
  private readonly spool: Spool
  private readonly log: Logger
  private heldBytes = 0
  private heldBlocks = 0
  private highestIndex = -1
  private refusal: ArchiveError | undefined

  constructor(
    options: { readonly maxBlocks?: number },
    modules: {
      readonly spool: Spool
      readonly log: Logger
    },
  ) {
    this.maxBlocks = options.maxBlocks ?? MAX_SPOOLED_BLOCKS
    this.spool = modules.spool
    this.log = modules.log
  }

  /** STORE_SPOOL_FULL while only urgent blocks are taken. */
  get full(): ArchiveError | undefined {
    return this.refusal
  }

  /** Full, and past everything that is held: of such slots nothing is remembered. */
  isBeyond(slot: Slot): boolean {
    return this.refusal !== undefined && slotIndex(slot) > this.highestIndex
  }

  /** What is on disk already, at a start. */
  hold(slot: Slot, sizeBytes: number, blocks: number): void {
    this.heldBytes += sizeBytes
    this.heldBlocks += blocks
    this.highestIndex = Math.max(this.highestIndex, slotIndex(slot))
  }

  /** False when there is no room; what is taken is given back with `release`. */
  async take({ slot, sizeBytes, blocks, isUrgent }: SpoolNeed): Promise<boolean> {
    if (this.refusal && !isUrgent) return false
    // Counted before the question: many ask at once.
    this.heldBytes += sizeBytes
    this.heldBlocks += blocks
    try {
      await this.check(isUrgent ? 'urgent' : 'ordinary')
    } catch (error) {
      this.release(sizeBytes, blocks)
      if (!isArchiveError(error, 'STORE_SPOOL_FULL')) throw error
      if (!this.refusal) this.log.error({ err: error, code: error.code, count: this.heldBlocks }, 'spool full')
      this.refusal ??= error
      return false
    }
    this.highestIndex = Math.max(this.highestIndex, slotIndex(slot))
    return true
  }

  release(sizeBytes: number, blocks: number): void {
    this.heldBytes -= sizeBytes
    this.heldBlocks -= blocks
  }

  /** Takes again when there is room to spare, so that it does not fill up with the next block. */
  async ease(): Promise<void> {
    if (!this.refusal) return
    try {
      await this.check('again')
    } catch (error) {
      if (isArchiveError(error, 'STORE_SPOOL_FULL')) return
      throw error
    }
    this.refusal = undefined
    this.log.info({ count: this.heldBlocks }, 'spool has room again')
  }

  private async check(level: SpoolLevel): Promise<void> {
    const most = Math.floor(this.maxBlocks * COUNT_SHARES[level])
    if (this.heldBlocks > most) {
      throw new ArchiveError('STORE_SPOOL_FULL', `${this.heldBlocks} blocks would wait, ${most} may`, { most })
    }
    await this.spool.checkRoom(this.heldBytes, level)
  }
}
