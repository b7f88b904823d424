import type { ArchiverEvents } from '../archiver/index.ts'
import type { PeriodSummary } from '../core/index.ts'
import type { Metrics, ReadReason } from '../telemetry/index.ts'
import { recordRefusal } from './refusals.ts'

/** What the archiver tells, as counters. */
export function countEvents(
  metrics: Metrics,
): Required<Pick<ArchiverEvents, 'onArchived' | 'onUnreported' | 'onRefused'>> {
  return {
    onArchived: (summary, elapsedMs) => countArchived(metrics, summary, elapsedMs),
    onUnreported: (slots) => metrics.unreportedSlots.add(slots),
    onRefused: recordRefusal(metrics),
  }
}

/** Stored bytes that were compared with their hashes, and values that did not match. */
export function countRead(metrics: Metrics, reason: ReadReason, bytes: number, damagedValues: number): void {
  metrics.checkedBytes.add(bytes, { reason })
  metrics.damagedValues.add(damagedValues, { reason })
}

function countArchived(metrics: Metrics, summary: PeriodSummary, elapsedMs: number): void {
  metrics.archivedPeriod.set(summary.period)
  metrics.periodsArchived.add(1)
  metrics.blocksArchived.add(summary.blocks)
  metrics.operationsArchived.add(summary.operations)
  metrics.bodyBytesArchived.add(summary.bodyBytes)
  metrics.archiveSeconds.observe(elapsedMs / 1000)
}
