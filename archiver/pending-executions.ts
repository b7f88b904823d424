import {
  type BlockIdText,
  type Period,
  type Slot,
  type Spool,
  slotIndex,
  slotOfIndex,
  THREAD_COUNT,
} from '../core/index.ts'
import { encodeExecution, type SlotExecution } from './execution-results.ts'
import { readOperationIds } from './read-operation-ids.ts'
import type { FinalBlock } from './slot-ledger.ts'
import type { SpoolRoom } from './spool-room.ts'

/** Execution results of slots that are not archived yet: which are on disk, and which nobody brought. */
export class PendingExecutions {
  private readonly spool: Spool
  private readonly room: SpoolRoom
  /** Slot index to size in bytes. */
  private readonly held = new Map<number, number>()
  /** Final blocks whose execution results nobody brought yet, by slot index. */
  private readonly missing = new Map<number, BlockIdText>()

  constructor(spool: Spool, room: SpoolRoom) {
    this.spool = spool
    this.room = room
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

  expect({ slot, id }: FinalBlock): void {
    const index = slotIndex(slot)
    if (!this.held.has(index)) this.missing.set(index, id)
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
    }
    this.missing.delete(index)
  }

  /** Final slots up to `upTo` whose results are missing, with their operations. */
  async listMissing(upTo: Slot): Promise<{ slot: Slot; operationIds: string[] }[]> {
    const slots: { slot: Slot; operationIds: string[] }[] = []
    // There would be no room for the answers.
    if (this.room.full) return slots
    for (const [index, id] of [...this.missing].sort(([a], [b]) => a - b)) {
      const slot = slotOfIndex(index)
      const block = index <= slotIndex(upTo) ? await this.spool.readBlock(slot, id) : undefined
      if (block) slots.push({ slot, operationIds: readOperationIds(block.record) })
    }
    return slots
  }

  /** Of the periods of [from, to]. */
  forget(from: Period, to: Period): void {
    const isGone = (index: number): boolean => index >= from * THREAD_COUNT && index < (to + 1) * THREAD_COUNT
    for (const [index, sizeBytes] of this.held) {
      if (!isGone(index)) continue
      this.held.delete(index)
      this.room.release(sizeBytes, 0)
    }
    for (const index of this.missing.keys()) if (isGone(index)) this.missing.delete(index)
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
