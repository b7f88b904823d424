import { attestExecutions } from '../../archiver/index.ts'
import {
  type ArchivedPeriod,
  computeBodyBytes,
  computePeriodRoot,
  type Manifest,
  type SplitBody,
} from '../../core/index.ts'

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
