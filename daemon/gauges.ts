import type { Clock } from '../core/index.ts'
import type { Logger, Metrics } from '../telemetry/index.ts'
import type { reportStatus } from './status.ts'

const GAUGE_INTERVAL_MS = 5_000

type Report = Awaited<ReturnType<typeof reportStatus>>

/** Sets the gauges at once and every five seconds, until `signal` aborts. */
export async function keepGauges(
  modules: {
    readonly metrics: Metrics
    readonly status: () => Promise<Report>
    readonly clock: Clock
    readonly log: Logger
  },
  signal: AbortSignal,
): Promise<void> {
  const { metrics, status, clock, log } = modules
  let failure: string | undefined
  while (!signal.aborted) {
    try {
      setGauges(metrics, await status())
      failure = undefined
    } catch (error) {
      // Said once: who asks for the status is told every time.
      if (failure !== String(error)) log.warn({ err: error }, 'status not read')
      failure = String(error)
    }
    await clock.sleep(GAUGE_INTERVAL_MS, signal)
  }
}

/** What the status says, as numbers. What is not known yet keeps its value. */
export function setGauges(metrics: Metrics, report: Report): void {
  const { archived, nodes, gaps } = report
  if (archived) metrics.archivedPeriod.set(archived.last)
  if (report.nodeFinalPeriod !== null) metrics.nodeFinalPeriod.set(report.nodeFinalPeriod)
  if (report.lagPeriods !== undefined) metrics.archiveLagPeriods.set(report.lagPeriods)
  metrics.gapSlots.set(gaps.reduce((sum, gap) => sum + gap.slots, 0))
  metrics.spoolBlocks.set(report.spooledBlocks)
  metrics.spoolFull.set(report.spoolFull ? 1 : 0)
  metrics.quarantineBlocks.set(report.quarantinedBlocks)
  metrics.conflictSlots.set(report.conflict ? 1 : 0)
  metrics.halted.set(report.halted ? 1 : 0)
  const { placement } = report
  metrics.placementStale.set(placement && !placement.isCurrent ? 1 : 0)
  if (placement?.inForce) {
    const { era, wantedReplicas, fewestHolders } = placement.inForce
    metrics.placementEra.set(era)
    metrics.missingCopies.set(Math.max(0, wantedReplicas - fewestHolders))
  }
  metrics.liveNodes.set(report.replication?.liveNodes ?? 0)
  metrics.differingNodes.set(report.replication?.differingNodes.length ?? 0)
  metrics.differingPlacements.set(report.replication?.differingPlacements.length ?? 0)
  const repair = report.replication?.repair
  metrics.missingChunks.set(repair?.missingChunks ?? 0)
  metrics.standInSlots.set(repair?.standInSlots ?? 0)
  metrics.awayNodes.set(repair?.awayNodes.length ?? 0)
  if (report.history) metrics.indexedPeriods.set(report.history.indexedPeriods)
  metrics.storedBytes.set(report.storedBytes)
  metrics.freeBytes.set(report.freeBytes)
  metrics.quotaBytes.set(report.quotaBytes)
  for (const [node, { up, mode }] of nodes.entries()) {
    metrics.nodeUp.set(up ? 1 : 0, { node })
    metrics.streamSilent.set(up && mode === 'pull' ? 1 : 0, { node })
  }
}
