import { type ArchivedPeriod, encodeManifest } from '../core/index.ts'
import type { LevelOperation } from './guarded-level.ts'
import { EXECUTION_RESULTS, encodeBodyKey, MANIFEST, SEALS } from './keyspace.ts'
import { SEAL_BYTES, sealInto } from './sealed-value.ts'

const MIN_MEMORY_BYTES = 256 * 1024

/**
 * What periods put on disk, in memory that is used again: taking 10 MB anew for each takes half as long as hashing them,
 * and leaves them to the collector.
 */
export class SealedPeriods {
  private readonly maxSpare: number
  private readonly spare: Uint8Array[] = []

  /** @param options.maxSpare - kept for the next periods; 0 where what is written keeps being used */
  constructor(options: { readonly maxSpare: number }) {
    this.maxSpare = options.maxSpare
  }

  /** `values` are views of `memory`, which is to be released when they are written. */
  seal(period: ArchivedPeriod): { readonly values: LevelOperation[]; readonly memory: Uint8Array } {
    const places: [number, Uint8Array][] = [
      ...period.chunks.entries(),
      [EXECUTION_RESULTS, period.executionResults],
      [SEALS, period.seals],
      [MANIFEST, encodeManifest(period.manifest)],
    ]
    const memory = this.take(places.reduce((sum, [, value]) => sum + SEAL_BYTES + value.length, 0))
    let at = 0
    const values = places.map(([n, value]): LevelOperation => {
      const sealed = memory.subarray(at, at + SEAL_BYTES + value.length)
      at += sealed.length
      return { type: 'put', key: encodeBodyKey(period.manifest.period, n), value: sealInto(sealed, value) }
    })
    return { values, memory }
  }

  release(memory: Uint8Array): void {
    this.spare.push(memory)
    if (this.spare.length <= this.maxSpare) return
    this.spare.sort((a, b) => b.length - a.length).pop()
  }

  private take(sizeBytes: number): Uint8Array {
    const found = this.spare.findIndex((memory) => memory.length >= sizeBytes)
    if (found !== -1) return this.spare.splice(found, 1)[0] ?? new Uint8Array(sizeBytes)
    return Buffer.allocUnsafeSlow(Math.max(sizeBytes, MIN_MEMORY_BYTES))
  }
}
