import type { Auditor } from '../../storage-worker/replication/auditor.ts'
import type { Duty } from '../../storage-worker/replication/duty.ts'
import type { HolderClaims } from '../../storage-worker/replication/holder-claims.ts'
import { SafePrune } from '../../storage-worker/replication/safe-prune.ts'
import { hasShownSeals } from '../../storage-worker/replication/seals-evidence.ts'
import type { WithheldChunks } from '../../storage-worker/replication/withheld-chunks.ts'
import { keepRunning, type PeerContext } from './peer-context.ts'

/** Lets go of what others are to hold, and have shown that they do, when the disk gets full. */
export function startSafePrune(
  context: PeerContext,
  parts: {
    readonly auditor: Auditor
    readonly claims: Pick<HolderClaims, 'peerOf'>
    readonly duty: Duty
    readonly withheld: WithheldChunks
  },
): SafePrune {
  const { config, address, archiver, placement, anchors, holdings, store, clock, log, metrics } = context
  const { node, client, cpu } = context
  const { auditor, claims, duty, withheld } = parts
  const prune = new SafePrune(
    { address, minAgePeriods: config.p2p.safePruneMinAgePeriods },
    {
      store: store.chunks,
      disk: store.disk,
      marks: store.spool,
      placement,
      duty,
      audit: (peer, chunk) => auditor.audit(peer, chunk),
      hasShownSeals: (peer, chunk) =>
        hasShownSeals(peer, chunk, {
          store: store.chunks,
          client,
          cpu,
          onWrong: (liar) => node.penalise(liar, 'reject'),
        }),
      withheld,
      peerOf: (holder) => claims.peerOf(holder),
      isAnchored: (era) => anchors.isAnchored(era),
      finalPeriod: () => archiver.status().nodeFinalSlot?.period,
      clock,
      log,
      onDropped: (period, { chunks, bytes }) => {
        holdings.note(period)
        metrics.prunedChunks.add(chunks)
        metrics.prunedBytes.add(bytes)
      },
      onFailure: (error) => log.warn({ err: error }, 'chunks not let go'),
    },
  )
  keepRunning('safe prune', prune, context)
  return prune
}
