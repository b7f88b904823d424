import type { BlockIdText, Period, Spool } from '../core/index.ts'
import type { Logger } from '../telemetry/index.ts'
import { isBlockId } from './block-id-text.ts'
import type { BlockIntake } from './block-intake.ts'

/** Where a block comes from that no node gives, but the disk. */
export const NO_NODE = -1

/** Of final blocks without room, so that a node cannot fill the memory with them. */
const MAX_REFUSED_REMEMBERED = 10_000

/** Raw blocks that were refused and yet are called final: kept on disk for a release that understands them. */
export class Quarantine {
  private readonly maxBytes: number
  private readonly spool: Spool
  private readonly intake: BlockIntake
  private readonly log: Logger
  private readonly isArchived: (period: Period) => boolean
  /** What is on disk, with the length of its raw bytes. */
  private readonly sizes = new Map<BlockIdText, number>()
  private sizeBytes = 0
  /** Final blocks for which there was no room, so that each is said once. */
  private readonly refused = new Set<BlockIdText>()

  constructor(
    options: { readonly maxBytes: number },
    modules: {
      readonly spool: Spool
      readonly intake: BlockIntake
      readonly log: Logger
      readonly isArchived: (period: Period) => boolean
    },
  ) {
    this.maxBytes = options.maxBytes
    this.spool = modules.spool
    this.intake = modules.intake
    this.log = modules.log
    this.isArchived = modules.isArchived
  }

  get sizeBlocks(): number {
    return this.sizes.size
  }

  /** Final blocks that were not kept since the limit was reached: their raw bytes are lost when nodes forget them. */
  get refusedBlocks(): number {
    return this.refused.size
  }

  /** Keeps those of these final blocks that were refused. */
  async keep(ids: Iterable<BlockIdText>): Promise<void> {
    for (const id of ids) {
      const refused = this.intake.findRefused(id)
      if (!refused || this.sizes.has(id) || !isBlockId(id)) continue
      if (this.sizeBytes + refused.raw.length > this.maxBytes) {
        this.sayFull(id, refused.code)
        continue
      }
      await this.spool.putQuarantined(refused)
      this.add(id, refused.raw.length)
      this.log.error({ blockId: id, code: refused.code }, 'final block quarantined')
    }
  }

  /** A node gave bytes that can be read. */
  async release(id: BlockIdText): Promise<void> {
    this.refused.delete(id)
    if (!this.sizes.has(id)) return
    await this.spool.deleteQuarantined([id])
    this.remove(id)
  }

  /** Tries at a start what an upgrade may read. @param onTried - called before each try */
  async retry(onTried: (id: BlockIdText) => void): Promise<void> {
    const healed: BlockIdText[] = []
    for await (const block of this.spool.listQuarantined()) {
      this.add(block.id, block.raw.length)
      onTried(block.id)
      const result = await this.intake.take(NO_NODE, block.raw, block.id)
      const slot = result === 'ignored' ? this.intake.slotOf(block.id) : undefined
      // What is archived meanwhile needs no raw bytes any more.
      const isDone = slot !== undefined && this.isArchived(slot.period)
      if (isDone || !['refused', 'ignored', 'postponed'].includes(result)) healed.push(block.id)
      this.log.info({ blockId: block.id, result }, 'quarantined block tried again')
    }
    await this.spool.deleteQuarantined(healed)
    for (const id of healed) this.remove(id)
  }

  private add(id: BlockIdText, rawBytes: number): void {
    this.refused.delete(id)
    this.remove(id)
    this.sizes.set(id, rawBytes)
    this.sizeBytes += rawBytes
  }

  private remove(id: BlockIdText): void {
    this.sizeBytes -= this.sizes.get(id) ?? 0
    this.sizes.delete(id)
  }

  private sayFull(id: BlockIdText, code: string): void {
    if (this.refused.has(id) || this.refused.size >= MAX_REFUSED_REMEMBERED) return
    this.refused.add(id)
    const { sizeBytes } = this
    this.log.error({ blockId: id, code, sizeBytes, reason: 'the quarantine is full' }, 'final block not quarantined')
  }
}
