import type { ArchiverEvents } from '../archiver/index.ts'
import type { PeriodSummary } from '../core/index.ts'
import type { Metrics } from '../telemetry/index.ts'
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

function countArchived(metrics: Metrics, summary: PeriodSummary, elapsedMs: number): void {
  metrics.archivedPeriod.set(summary.period)
  metrics.periodsArchived.add(1)
  metrics.blocksArchived.add(summary.blocks)
  metrics.operationsArchived.add(summary.operations)
  metrics.bodyBytesArchived.add(summary.bodyBytes)
  metrics.archiveSeconds.observe(elapsedMs / 1000)
}
