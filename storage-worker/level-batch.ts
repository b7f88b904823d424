import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Level, LevelOperation } from './guarded-level.ts'

/** In one turn of the event loop, but for a value that is larger. */
const MAX_COPIED_BYTES = 1024 * 1024

/** What a chained batch of abstract-level is made of. Its `write` would close the batch, and leave 10 MB to the collector. */
interface ChainedBatch {
  put(key: Uint8Array, value: Uint8Array): unknown
  del(key: Uint8Array): unknown
  clear(): unknown
  _write(options: { readonly sync: boolean }): Promise<void>
  close(): Promise<void>
}

/**
 * A batch in memory of the database, filled while another is written, and filled again after it was written.
 *
 * Taking 10 MB anew for each batch takes longer than copying into them. Values are copied in `fill` (by classic-level):
 * their memory may be used again when it has gone on to the next one.
 */
export class LevelBatch {
  private readonly batch: ChainedBatch
  private copiedBytes = 0

  /** @throws what `level` throws when it is not open */
  constructor(level: Level) {
    this.batch = level.batch() as unknown as ChainedBatch
  }

  /** Appends, and lets the event loop turn meanwhile. */
  async fill(operations: Iterable<LevelOperation>): Promise<void> {
    for (const operation of operations) {
      const sizeBytes = sizeOf(operation)
      if (operation.type === 'put') this.batch.put(operation.key, operation.value)
      else this.batch.del(operation.key)
      this.copiedBytes += sizeBytes
      if (this.copiedBytes < MAX_COPIED_BYTES) continue
      this.copiedBytes = 0
      await nextTurn()
    }
  }

  /** Writes all or nothing, and is empty then. `sync` is an option of classic-level; memory-level ignores it. */
  async write(sync: boolean): Promise<void> {
    await this.batch._write({ sync })
    this.copiedBytes = 0
    this.batch.clear()
  }

  async close(): Promise<void> {
    await this.batch.close()
  }
}

export function sizeOf(operation: LevelOperation): number {
  return operation.key.length + (operation.type === 'put' ? operation.value.length : 0)
}
