// Module by module: worker threads load this, and all of core takes them twice as long to start.
import { ByteReader, ByteWriter } from '../core/codec.ts'
import { computeBodyBytes, computePeriodRoot, type Manifest } from '../core/manifest.ts'
import type { Holding, PeriodSummary } from '../core/ports.ts'

/* What stands in `bodies` beside a period of which not everything is held. A missing value that it does not name is damage. */

const HOLDING_VERSION = 1
const FLAG_SEALS = 1
const FLAG_EXECUTION_RESULTS = 2
const FLAG_COUNTED = 4

/** u8 version || u8 flags || u32 operations || u32 count || u32 indexes of chunks that are not held, ascending */
export function encodeHolding(holding: Holding): Uint8Array {
  const { operations, missingChunks } = holding
  const flags =
    (holding.hasSeals ? FLAG_SEALS : 0) |
    (holding.hasExecutionResults ? FLAG_EXECUTION_RESULTS : 0) |
    (holding.isCounted ? FLAG_COUNTED : 0)
  const writer = new ByteWriter(10 + 4 * missingChunks.length).u8(HOLDING_VERSION).u8(flags)
  writer.u32(operations).u32(missingChunks.length)
  for (const index of missingChunks) writer.u32(index)
  return writer.finish()
}

/**
 * @param chunkCount - of the period
 * @throws ArchiveError STORE_HOLDING_INVALID
 */
export function parseHolding(bytes: Uint8Array, chunkCount: number): Holding {
  const reader = new ByteReader(bytes, 'STORE_HOLDING_INVALID')
  const version = reader.u8()
  if (version !== HOLDING_VERSION) throw reader.error(`version ${version} is not known`)
  const flags = reader.u8()
  if (flags > (FLAG_SEALS | FLAG_EXECUTION_RESULTS | FLAG_COUNTED)) throw reader.error(`flags ${flags}`)
  const operations = reader.u32()
  const count = reader.u32()
  if (count > chunkCount) throw reader.error(`${count} of ${chunkCount} chunks`)
  const missingChunks: number[] = []
  for (let i = 0, last = -1; i < count; i++) {
    const index = reader.u32()
    if (index <= last || index >= chunkCount) throw reader.error(`chunk ${index} after ${last} of ${chunkCount}`)
    missingChunks.push(index)
    last = index
  }
  reader.end()
  const holding: Holding = {
    operations,
    isCounted: (flags & FLAG_COUNTED) !== 0,
    missingChunks,
    hasSeals: (flags & FLAG_SEALS) !== 0,
    hasExecutionResults: (flags & FLAG_EXECUTION_RESULTS) !== 0,
  }
  if (isWhole(holding)) throw reader.error('nothing is missing')
  return holding
}

export function isWhole({ missingChunks, hasSeals, hasExecutionResults }: Holding): boolean {
  return missingChunks.length === 0 && hasSeals && hasExecutionResults
}

/** @param holding - absent: the period is whole */
export function countHeldChunks(manifest: Manifest, holding: Holding | undefined): number {
  return manifest.chunks.length - (holding?.missingChunks.length ?? 0)
}

/** The summary of a period with this holding: from a part of BODY its operations cannot be counted. */
export function computePartSummary(manifest: Manifest, holding: Holding): PeriodSummary {
  const heldChunks = countHeldChunks(manifest, holding)
  return {
    period: manifest.period,
    root: computePeriodRoot(manifest),
    bodyBytes: computeBodyBytes(manifest),
    blocks: countBits(manifest.bitmap),
    operations: holding.operations,
    chunks: manifest.chunks.length,
    ...(heldChunks === manifest.chunks.length ? {} : { heldChunks }),
  }
}

/** @param bitmap - u32 */
export function countBits(bitmap: number): number {
  let count = 0
  for (let rest = bitmap; rest !== 0; rest = (rest & (rest - 1)) >>> 0) count++
  return count
}
