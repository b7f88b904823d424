import {
  type BlockIdText,
  type Clock,
  type Period,
  type Slot,
  type Spool,
  slotIndex,
  slotOfIndex,
  THREAD_COUNT,
} from '../core/index.ts'
import { encodeExecution, type SlotExecution } from './execution-results.ts'
import { readOperationIds } from './read-operation-ids.ts'
import type { FinalBlock, SlotDecision } from './slot-ledger.ts'
import type { SpoolRoom } from './spool-room.ts'

/**
 * How long after its last block became final a period waits for execution results. Longer than a node that broadcasts
 * needs to be found silent (10 s) and asked instead, shorter than the 20 s in which a final period is to be archived.
 */
export const EXECUTION_PATIENCE_MS = 14_000
/**
 * From when a period is decided: its misses are known since then only, and asked for at the next poll. Of the periods
 * after one that waited in vain that is all, until results come again: a node that gives none holds nothing up.
 */
const BRIEF_PATIENCE_MS = 1_500

/** Execution results of slots that are not archived yet: which are on disk, and which nobody brought. */
export class PendingExecutions {
  private readonly patienceMs: number
  private readonly spool: Spool
  private readonly room: SpoolRoom
  private readonly clock: Clock
  /** Slot index to size in bytes. */
  private readonly held = new Map<number, number>()
  /** Final blocks and proven misses whose execution results nobody brought yet, by slot index. */
  private readonly missing = new Map<number, BlockIdText | 'none'>()
  /** When the last block of a period became final here. */
  private readonly finalSinceMs = new Map<Period, number>()
  private readonly decidedSinceMs = new Map<Period, number>()
  private waitedInVain = false

  constructor(
    options: { readonly patienceMs: number },
    modules: { readonly spool: Spool; readonly room: SpoolRoom; readonly clock: Clock },
  ) {
    this.patienceMs = options.patienceMs
    this.spool = modules.spool
    this.room = modules.room
    this.clock = modules.clock
  }

  /** What the spool holds is known again after a restart. */
  async load(periods: Iterable<Period>): Promise<void> {
    for (const period of periods) {
      for (const [thread, bytes] of await this.spool.readExecutions(period)) {
        this.held.set(slotIndex({ period, thread }), bytes.length)
        this.room.hold({ period, thread }, bytes.length, 0)
      }
    }
  }

  /** A block that is final now. A genesis block was never executed. */
  expect({ slot, id, parents }: FinalBlock): void {
    if (parents.length === 0) return
    const index = slotIndex(slot)
    this.finalSinceMs.set(slot.period, this.clock.monotonicMs())
    if (!this.held.has(index)) this.missing.set(index, id)
  }

  /** Of a period that is decided. A slot without a block is executed, too: what contracts planned may emit events there. */
  expectMisses(period: Period, decisions: readonly SlotDecision[]): void {
    if (!this.decidedSinceMs.has(period)) this.decidedSinceMs.set(period, this.clock.monotonicMs())
    for (const [thread, { kind }] of decisions.entries()) {
      const index = slotIndex({ period, thread })
      if (kind === 'miss' && !this.held.has(index)) this.missing.set(index, 'none')
    }
  }

  /** Whether a decided period is still given time for its results. */
  isAwaited(period: Period): boolean {
    if (this.countMissing(period) === 0) return false
    const decidedMs = this.decidedSinceMs.get(period) ?? 0
    const briefUntilMs = decidedMs + Math.min(this.patienceMs, BRIEF_PATIENCE_MS)
    const fullUntilMs = (this.finalSinceMs.get(period) ?? decidedMs) + this.patienceMs
    return this.clock.monotonicMs() < (this.waitedInVain ? briefUntilMs : Math.max(briefUntilMs, fullUntilMs))
  }

  /** Slots of a period that have been executed and whose results nobody brought. */
  countMissing(period: Period): number {
    let count = 0
    for (let thread = 0; thread < THREAD_COUNT; thread++) if (this.missing.has(slotIndex({ period, thread }))) count++
    return count
  }

  /** The first word counts. @param isKept - false for a slot whose results have no place any more */
  async take(slot: Slot, execution: SlotExecution, isKept: boolean): Promise<void> {
    const index = slotIndex(slot)
    if (isKept && !this.held.has(index)) {
      const bytes = encodeExecution(execution)
      const need = { slot, sizeBytes: bytes.length, blocks: 0, isUrgent: false }
      if (!(await this.room.take(need))) return
      if (this.held.has(index)) this.room.release(bytes.length, 0)
      else await this.put(slot, bytes)
      this.waitedInVain = false
    }
    this.missing.delete(index)
  }

  /** Executed slots up to `upTo` whose results are missing, with their operations. */
  async listMissing(upTo: Slot): Promise<{ slot: Slot; operationIds: string[] }[]> {
    const slots: { slot: Slot; operationIds: string[] }[] = []
    // There would be no room for the answers.
    if (this.room.full) return slots
    const due = [...this.missing].filter(([index]) => index <= slotIndex(upTo)).sort(([a], [b]) => a - b)
    for (const [index, id] of due) {
      const slot = slotOfIndex(index)
      const block = id === 'none' ? undefined : await this.spool.readBlock(slot, id)
      if (block || id === 'none') slots.push({ slot, operationIds: block ? readOperationIds(block.record) : [] })
    }
    return slots
  }

  /** Of the periods of [from, to], which are archived, with or without results. */
  forget(from: Period, to: Period): void {
    if (this.countMissing(to) > 0) this.waitedInVain = true
    const isGone = (index: number): boolean => index >= from * THREAD_COUNT && index < (to + 1) * THREAD_COUNT
    for (const [index, sizeBytes] of this.held) {
      if (!isGone(index)) continue
      this.held.delete(index)
      this.room.release(sizeBytes, 0)
    }
    for (const index of this.missing.keys()) if (isGone(index)) this.missing.delete(index)
    for (const since of [this.finalSinceMs, this.decidedSinceMs]) {
      for (const period of since.keys()) if (period >= from && period <= to) since.delete(period)
    }
  }

  private async put(slot: Slot, bytes: Uint8Array): Promise<void> {
    const index = slotIndex(slot)
    this.held.set(index, bytes.length)
    try {
      await this.spool.putExecution(slot, bytes)
    } catch (error) {
      this.held.delete(index)
      this.room.release(bytes.length, 0)
      throw error
    }
  }
}
