import { type ArchivedPeriod, encodeManifest, type Period } from '../core/index.ts'
import type { LevelOperation, LevelOperations } from './guarded-level.ts'
import { EXECUTION_RESULTS, encodeBodyKey, MANIFEST, SEALS } from './keyspace.ts'
import { SEAL_BYTES, sealInto } from './sealed-value.ts'

/** A chunk and its seal; SEALS may have more. */
const MIN_MEMORY_BYTES = 1024 * 1024 + SEAL_BYTES

/** A value of a period, not sealed yet. */
export interface PeriodValue {
  readonly n: number
  readonly value: Uint8Array
}

/** Chunks, execution results, SEALS, manifest: in the order of their keys. */
export function listValues(period: ArchivedPeriod): PeriodValue[] {
  return [
    ...period.chunks.map((value, n) => ({ n, value })),
    { n: EXECUTION_RESULTS, value: period.executionResults },
    { n: SEALS, value: period.seals },
    { n: MANIFEST, value: encodeManifest(period.manifest) },
  ]
}

/** Where values are sealed, one after the other. */
export class SealMemory {
  private memory: Uint8Array | undefined

  /** At least so many bytes, of unknown content. */
  take(sizeBytes: number): Uint8Array {
    if (!this.memory || this.memory.length < sizeBytes) {
      this.memory = Buffer.allocUnsafeSlow(Math.max(sizeBytes, MIN_MEMORY_BYTES))
    }
    return this.memory.subarray(0, sizeBytes)
  }
}

export interface SealedPeriodOptions {
  readonly period: Period
  /** Places of values that go in the same batch. */
  readonly dropped?: readonly number[]
  /** Where each value is sealed, good until the next one is; absent: in memory of its own. */
  readonly memory?: SealMemory | undefined
}

/** What a period puts on disk: each value is hashed when it is asked for. */
export class SealedPeriod implements LevelOperations {
  readonly sizeBytes: number
  private readonly values: readonly (PeriodValue & { readonly key: Uint8Array })[]
  private readonly droppedKeys: readonly Uint8Array[]
  private readonly memory: SealMemory | undefined

  constructor({ period, dropped = [], memory }: SealedPeriodOptions, values: readonly PeriodValue[]) {
    this.values = values.map(({ n, value }) => ({ n, value, key: encodeBodyKey(period, n) }))
    this.droppedKeys = dropped.map((n) => encodeBodyKey(period, n))
    const valueBytes = this.values.reduce((sum, { key, value }) => sum + key.length + SEAL_BYTES + value.length, 0)
    this.sizeBytes = this.droppedKeys.reduce((sum, key) => sum + key.length, valueBytes)
    this.memory = memory
  }

  *[Symbol.iterator](): Generator<LevelOperation> {
    for (const key of this.droppedKeys) yield { type: 'del', key }
    for (const { key, value } of this.values) {
      const sizeBytes = SEAL_BYTES + value.length
      // Not zeroed: every byte is written.
      const sealed = this.memory?.take(sizeBytes) ?? Buffer.allocUnsafe(sizeBytes)
      yield { type: 'put', key, value: sealInto(sealed, value) }
    }
  }
}
