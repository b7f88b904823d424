import { attestExecutions } from '../../../archiver/attestation.ts'
import { type ArchivedPeriod, computePeriodRoot } from '../../../core/index.ts'
import { type MadePeriod, NETWORK } from '../../core/reading/made-history.ts'

/** A made period as a store takes it; nothing is known of executing it. */
export function toArchived({ manifest, chunks, seals, body, blocks }: MadePeriod): ArchivedPeriod {
  const { period } = manifest
  const summary = {
    period,
    root: computePeriodRoot(manifest),
    bodyBytes: body.length,
    blocks: blocks.length,
    operations: blocks.reduce((sum, { operationIds }) => sum + operationIds.length, 0),
    chunks: chunks.length,
  }
  const executionResults = attestExecutions(new Map(), { network: NETWORK, period })
  return { manifest, chunks, seals, executionResults, summary }
}
