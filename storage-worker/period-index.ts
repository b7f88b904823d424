import {
  ArchiveError,
  type Body,
  ByteWriter,
  type ChunkPlace,
  computeBodyBytes,
  computePeriodRoot,
  concatBytes,
  equalBytes,
  fromHex,
  type Holding,
  type Manifest,
  type Period,
  type PeriodSummary,
} from '../core/index.ts'
import type { GuardedLevel, LevelOperation } from './guarded-level.ts'
import { countBits, countHeldChunks } from './holding.ts'
import { decodePeriod, encodeIndexKey, encodePeriod, type KeyRange } from './keyspace.ts'
import { openValue, sealValue } from './sealed-value.ts'

/* What the index holds of one period: its summary and the places of its chunks on this disk. */

const CHUNK_ID_BYTES = 32
/** number || chunkId || u64 period || u32 index */
const PLACE_KEY_BYTES = 1 + CHUNK_ID_BYTES + 12
/** Of a summary; a period of which not all chunks are held has their number behind. */
const WHOLE_BYTES = 52
const PART_BYTES = WHOLE_BYTES + 4

export function summaryKey(period: Period): Uint8Array {
  return encodeIndexKey('periodSummaries', encodePeriod(period))
}

export function encodeSummary(summary: PeriodSummary): Uint8Array {
  const writer = new ByteWriter(64).raw(summary.root).u64(BigInt(summary.bodyBytes))
  writer.u32(summary.blocks).u32(summary.operations).u32(summary.chunks)
  if (summary.heldChunks !== undefined) writer.u32(summary.heldChunks)
  return sealValue(writer.finish())
}

/** `undefined` when the value is damaged. */
export function decodeSummary(period: Period, sealed: Uint8Array): PeriodSummary | undefined {
  const value = openValue(sealed)
  if (value?.length !== WHOLE_BYTES && value?.length !== PART_BYTES) return undefined
  const view = new DataView(value.buffer, value.byteOffset, value.length)
  return {
    period,
    root: value.subarray(0, 32),
    bodyBytes: Number(view.getBigUint64(32)),
    blocks: view.getUint32(40),
    operations: view.getUint32(44),
    chunks: view.getUint32(48),
    ...(value.length === PART_BYTES ? { heldChunks: view.getUint32(WHOLE_BYTES) } : {}),
  }
}

/** The summary that an intact period has which is whole. */
export function computeSummary(manifest: Manifest, body: Body): PeriodSummary {
  const blocks = body.slots.flatMap((slot) => (slot.kind === 'block' ? [slot.record] : []))
  return {
    period: manifest.period,
    root: computePeriodRoot(manifest),
    bodyBytes: computeBodyBytes(manifest),
    blocks: blocks.length,
    operations: blocks.reduce((sum, block) => sum + block.operations.length, 0),
    chunks: manifest.chunks.length,
  }
}

export function placeKey(place: ChunkPlace): Uint8Array {
  const index = new Uint8Array(4)
  new DataView(index.buffer).setUint32(0, place.index)
  return encodeIndexKey('merkleRoots', place.chunkId, encodePeriod(place.period), index)
}

export function decodePlaceKey(key: Uint8Array): ChunkPlace | undefined {
  if (key.length !== PLACE_KEY_BYTES) return undefined
  const view = new DataView(key.buffer, key.byteOffset, key.length)
  return {
    chunkId: new Uint8Array(key.subarray(1, 1 + CHUNK_ID_BYTES)),
    period: decodePeriod(key, 1 + CHUNK_ID_BYTES),
    index: view.getUint32(PLACE_KEY_BYTES - 4),
  }
}

/** The period that a place names; `undefined` for bytes that are no place. */
export function decodePlacePeriod(key: Uint8Array): Period | undefined {
  return key.length === PLACE_KEY_BYTES ? decodePeriod(key, 1 + CHUNK_ID_BYTES) : undefined
}

/** Places of the chunks that are held, as keys. */
export function placeKeys(manifest: Manifest, holding?: Holding): Uint8Array[] {
  const keys = allPlaceKeys(manifest)
  if (!holding) return keys
  const missing = new Set(holding.missingChunks)
  return keys.filter((_, index) => !missing.has(index))
}

function allPlaceKeys({ period, chunks }: Manifest): Uint8Array[] {
  return chunks.map(({ chunkId }, index) => placeKey({ chunkId, period, index }))
}

/**
 * Keys of chunks whose id starts with `prefixHex`.
 *
 * @throws ArchiveError CORE_BYTES_INVALID unless it is 1 to 64 hex digits
 */
export function placePrefixRange(prefixHex: string): KeyRange {
  if (prefixHex.length < 1 || prefixHex.length > 2 * CHUNK_ID_BYTES) {
    throw new ArchiveError('CORE_BYTES_INVALID', `a prefix of ${prefixHex.length} hex digits, 1 to 64 wanted`)
  }
  const low = fromHex(prefixHex.padEnd(2 * CHUNK_ID_BYTES, '0'))
  const high = fromHex(prefixHex.padEnd(2 * CHUNK_ID_BYTES, 'f'))
  return {
    gte: encodeIndexKey('merkleRoots', low),
    // Longer than any key that begins with `high`.
    lt: encodeIndexKey('merkleRoots', concatBytes(high, new Uint8Array(13).fill(0xff))),
  }
}

const NOTHING = new Uint8Array(0)

/** @param holding - absent: the period is whole */
export function putIndexOperations(manifest: Manifest, summary: PeriodSummary, holding?: Holding): LevelOperation[] {
  const missing = holding && new Set(holding.missingChunks)
  return [
    ...allPlaceKeys(manifest).map(
      (key, index): LevelOperation =>
        missing?.has(index) ? { type: 'del', key } : { type: 'put', key, value: NOTHING },
    ),
    { type: 'put', key: summaryKey(manifest.period), value: encodeSummary(summary) },
    { type: 'del', key: pendingKey(manifest.period) },
  ]
}

export function deleteIndexOperations(period: Period, manifest: Manifest | undefined): LevelOperation[] {
  const keys = manifest ? allPlaceKeys(manifest) : []
  return [...keys, summaryKey(period)].map((key) => ({ type: 'del', key }))
}

export function pendingKey(period: Period): Uint8Array {
  return encodeIndexKey('pendingPeriods', encodePeriod(period))
}

/** What a summary must say of a period, by its manifest and by what is held of it. */
export interface SummaryFacts {
  readonly period: Period
  /** 32 bytes */
  readonly root: Uint8Array
  readonly bodyBytes: number
  readonly bitmap: number
  readonly chunks: number
  readonly heldChunks: number
}

export function computeSummaryFacts(manifest: Manifest, holding: Holding | undefined): SummaryFacts {
  const { period, bitmap, chunks } = manifest
  return {
    period,
    bitmap,
    root: computePeriodRoot(manifest),
    bodyBytes: computeBodyBytes(manifest),
    chunks: chunks.length,
    heldChunks: countHeldChunks(manifest, holding),
  }
}

/** Whether a summary, as it is on disk, is that of a period of which this is known. */
export function isSummaryOf(facts: SummaryFacts, value: Uint8Array | undefined): boolean {
  const summary = value && decodeSummary(facts.period, value)
  return (
    summary !== undefined &&
    equalBytes(summary.root, facts.root) &&
    summary.bodyBytes === facts.bodyBytes &&
    summary.chunks === facts.chunks &&
    (summary.heldChunks ?? summary.chunks) === facts.heldChunks &&
    summary.blocks === countBits(facts.bitmap)
  )
}

/** Whether the index has all entries of a period as manifest and holding want them. */
export async function isIndexOf(
  index: GuardedLevel,
  manifest: Manifest,
  holding: Holding | undefined,
): Promise<boolean> {
  const [summary, ...places] = await index.getMany([summaryKey(manifest.period), ...placeKeys(manifest, holding)])
  return isSummaryOf(computeSummaryFacts(manifest, holding), summary) && places.every((place) => place !== undefined)
}
