import {
  type ArchivedPeriod,
  computeBitmap,
  computeChunkId,
  computePeriodRoot,
  type EncodedBodySlot,
  encodeSeals,
  gatherChunks,
  listBodyParts,
  type Network,
  type Period,
} from '../core/index.ts'

/** One slot of a decided period, with what the spool holds of its block. */
export type DecidedSlot =
  | { readonly kind: 'miss' | 'void' }
  | {
      readonly kind: 'block'
      readonly record: Uint8Array
      readonly seals: Uint8Array
      readonly operationCount: number
    }

export interface DecidedPeriod {
  readonly network: Network
  readonly period: Period
  /** 32, in thread order. */
  readonly slots: readonly DecidedSlot[]
  readonly executionResults: Uint8Array
}

/**
 * Encodes a decided period: BODY cut into chunks, SEALS, manifest, summary.
 *
 * Pure: the same blocks give the same bytes everywhere.
 *
 * @remarks 5 ms per MiB of BODY: CpuPool gives the chunks to its worker threads.
 */
export function encodePeriod(decided: DecidedPeriod, chunkSizeBytes: number): ArchivedPeriod {
  const chunks = [...cutPeriod(decided, chunkSizeBytes)]
  return joinPeriod(decided, chunks.map(identifyChunk))
}

export interface IdentifiedChunk {
  readonly chunk: Uint8Array
  /** 32 bytes */
  readonly chunkId: Uint8Array
}

/** What takes the time of encoding a period: 5 ms per MiB. */
export function identifyChunk(chunk: Uint8Array): IdentifiedChunk {
  return { chunk, chunkId: computeChunkId(chunk) }
}

/** The chunks of its BODY, each in memory of its own. */
export function cutPeriod({ network, period, slots }: DecidedPeriod, chunkSizeBytes: number): Generator<Uint8Array> {
  const bodySlots = slots.map(
    (slot): EncodedBodySlot => (slot.kind === 'block' ? { kind: 'block', record: slot.record } : { kind: slot.kind }),
  )
  return gatherChunks(listBodyParts(network, period, bodySlots), chunkSizeBytes)
}

/** @param identified - what `cutPeriod` gave, in its order */
export function joinPeriod(decided: DecidedPeriod, identified: readonly IdentifiedChunk[]): ArchivedPeriod {
  const { network, period, slots } = decided
  const chunks = identified.map(({ chunk }) => chunk)
  const manifest = {
    network,
    period,
    bitmap: computeBitmap(slots),
    chunks: identified.map(({ chunk, chunkId }) => ({ byteLength: chunk.length, chunkId })),
  }
  const blocks = slots.filter((slot) => slot.kind === 'block')
  return {
    manifest,
    chunks,
    seals: encodeSeals(
      network,
      period,
      blocks.map((block) => block.seals),
    ),
    executionResults: decided.executionResults,
    summary: {
      period,
      root: computePeriodRoot(manifest),
      bodyBytes: chunks.reduce((sum, chunk) => sum + chunk.length, 0),
      blocks: blocks.length,
      operations: blocks.reduce((sum, block) => sum + block.operationCount, 0),
      chunks: chunks.length,
    },
  }
}
