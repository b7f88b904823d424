import { attestExecutions } from '../../archiver/index.ts'
import {
  type ArchivedPeriod,
  computeBitmap,
  computeBodyBytes,
  computePeriodRoot,
  isArchiveError,
  type Manifest,
  type SplitBody,
  splitBody,
} from '../../core/index.ts'

/** @returns undefined when these bytes are not the BODY that the manifest tells of */
export function splitOwnBody(bytes: Uint8Array, manifest: Manifest): SplitBody | undefined {
  try {
    const body = splitBody(bytes)
    const isOwn =
      body.period === manifest.period &&
      body.network.chainId === manifest.network.chainId &&
      body.network.genesisTimestampMs === manifest.network.genesisTimestampMs &&
      computeBitmap(body.slots) === manifest.bitmap &&
      bytes.length === computeBodyBytes(manifest)
    return isOwn ? body : undefined
  } catch (error) {
    if (isArchiveError(error)) return undefined
    throw error
  }
}

/** A period of what was fetched of it. */
export function assemblePeriod(
  manifest: Manifest,
  body: SplitBody,
  { chunks, seals }: Pick<ArchivedPeriod, 'chunks' | 'seals'>,
): ArchivedPeriod {
  const blocks = body.slots.flatMap((slot) => (slot.kind === 'block' ? [slot] : []))
  return {
    manifest,
    chunks,
    seals,
    executionResults: attestNothing(manifest),
    summary: {
      period: manifest.period,
      root: computePeriodRoot(manifest),
      bodyBytes: computeBodyBytes(manifest),
      blocks: blocks.length,
      operations: blocks.reduce((sum, block) => sum + block.operationCount, 0),
      chunks: chunks.length,
    },
  }
}

/** What others saw of executions is under no root: of a period that was fetched nothing is known of them. */
export function attestNothing({ network, period }: Manifest): Uint8Array {
  return attestExecutions(new Map(), { network, period })
}
