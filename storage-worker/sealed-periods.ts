import { setImmediate as nextTurn } from 'node:timers/promises'
import { type ArchivedPeriod, encodeManifest } from '../core/index.ts'
import type { LevelOperation } from './guarded-level.ts'
import { EXECUTION_RESULTS, encodeBodyKey, MANIFEST, SEALS } from './keyspace.ts'
import { SEAL_BYTES, sealInto } from './sealed-value.ts'

const MIN_MEMORY_BYTES = 256 * 1024

/** Hashed and copied in one turn of the event loop, but for a value that is larger: SEALS have 4.5 MB at most. */
const BYTES_PER_TURN = 1024 * 1024

/** `values` are views of `memory`, which is to be released when they are written. */
export interface SealedPeriod {
  readonly values: LevelOperation[]
  readonly memory: Uint8Array
}

/**
 * What periods put on disk, in memory that is used again: taking 10 MB anew for each takes half as long as hashing them,
 * and leaves them to the collector.
 */
export class SealedPeriods {
  private readonly maxSpareBytes: number
  /** Ascending by size. */
  private readonly spare: Uint8Array[] = []
  private tail: Promise<unknown> = Promise.resolve()

  /** @param options.maxSpareBytes - kept for the next periods; 0 where what is written keeps being used */
  constructor(options: { readonly maxSpareBytes: number }) {
    this.maxSpareBytes = options.maxSpareBytes
  }

  /** One period after the other, and the event loop turns meanwhile. */
  seal(period: ArchivedPeriod): Promise<SealedPeriod> {
    const done = this.tail.then(() => this.sealNext(period))
    this.tail = done.catch(() => undefined)
    return done
  }

  release(memory: Uint8Array): void {
    this.spare.push(memory)
    this.spare.sort((a, b) => a.length - b.length)
    let spareBytes = this.spare.reduce((sum, { length }) => sum + length, 0)
    // The largest goes first: a small one is taken more often than a large one, and as dear to the collector.
    while (spareBytes > this.maxSpareBytes) spareBytes -= this.spare.pop()?.length ?? spareBytes
  }

  private async sealNext(period: ArchivedPeriod): Promise<SealedPeriod> {
    const places: [number, Uint8Array][] = [
      ...period.chunks.entries(),
      [EXECUTION_RESULTS, period.executionResults],
      [SEALS, period.seals],
      [MANIFEST, encodeManifest(period.manifest)],
    ]
    const memory = this.take(places.reduce((sum, [, value]) => sum + SEAL_BYTES + value.length, 0))
    const values: LevelOperation[] = []
    let at = 0
    let turnEnd = BYTES_PER_TURN
    for (const [n, value] of places) {
      // Before what does not fit any more, so that a turn is as long as its largest value at most.
      if (at > 0 && at + value.length > turnEnd) {
        await nextTurn()
        turnEnd = at + BYTES_PER_TURN
      }
      const sealed = memory.subarray(at, at + SEAL_BYTES + value.length)
      at += sealed.length
      values.push({ type: 'put', key: encodeBodyKey(period.manifest.period, n), value: sealInto(sealed, value) })
    }
    return { values, memory }
  }

  private take(sizeBytes: number): Uint8Array {
    const found = this.spare.findIndex((memory) => memory.length >= sizeBytes)
    if (found !== -1) return this.spare.splice(found, 1)[0] ?? new Uint8Array(sizeBytes)
    return Buffer.allocUnsafeSlow(Math.max(sizeBytes, MIN_MEMORY_BYTES))
  }
}
