import {
  type ArchivedPeriod,
  computeEndorsementHash,
  concatBytes,
  formatBlockId,
  formatEndorsementId,
  formatOperationId,
  type ProofSource,
  parseBody,
  type Slot,
  THREAD_COUNT,
} from '../../core/index.ts'

/** Proofs come from what was recorded. */
export function recordedSource(periods: readonly ArchivedPeriod[]): ProofSource {
  const byNumber = new Map(periods.map((period) => [period.manifest.period, period]))
  return {
    readManifest: async (period) => byNumber.get(period)?.manifest,
    readChunk: async (period, index) => byNumber.get(period)?.chunks[index],
    readSeals: async (period) => byNumber.get(period)?.seals,
    readEra: async () => undefined,
  }
}

export interface RecordedSlot {
  readonly slot: Slot
  /** undefined: nothing stands there. */
  readonly blockId: string | undefined
  readonly operationIds: readonly string[]
  readonly endorsementIds: readonly string[]
}

export function listRecordedSlots(periods: readonly ArchivedPeriod[]): RecordedSlot[] {
  return periods.flatMap(({ chunks, manifest: { period } }) => {
    const { slots } = parseBody(concatBytes(...chunks))
    return Array.from({ length: THREAD_COUNT }, (_, thread): RecordedSlot => {
      const slot = { period, thread }
      const entry = slots[thread]
      if (entry?.kind !== 'block') return { slot, blockId: undefined, operationIds: [], endorsementIds: [] }
      const { id, operations, header } = entry.record
      const endorsedBlock = header.parents[thread] ?? new Uint8Array(33)
      return {
        slot,
        blockId: formatBlockId(id),
        operationIds: operations.map((operation) => formatOperationId(operation.id)),
        endorsementIds: header.endorsements.map(({ publicKey, index }) => {
          const hash = computeEndorsementHash(publicKey, { slot, index, endorsedBlock })
          return formatEndorsementId(concatBytes(Uint8Array.of(0), hash))
        }),
      }
    })
  })
}
