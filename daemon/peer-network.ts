import type { ChallengesPort } from '../api/challenges.ts'
import type { ClusterPort } from '../api/cluster-port.ts'
import { ArchiveError, type Period } from '../core/index.ts'
import { isPeerId } from '../protocol-handler/peer-id-text.ts'
import type { BootstrapStatus } from '../storage-worker/bootstrap/bootstrap.ts'
import type { ReportErasModules } from '../storage-worker/eras/report-eras.ts'
import type { HolderFetcher } from '../storage-worker/index.ts'
import type { SafePruneReport } from '../storage-worker/replication/safe-prune.ts'
import { WithheldChunks } from '../storage-worker/replication/withheld-chunks.ts'
import { startChallengeTimer } from './chain/start-challenge-timer.ts'
import { startEras } from './chain/start-eras.ts'
import { startSuspicionHints } from './chain/start-suspicion-hints.ts'
import { openCluster } from './peers/open-cluster.ts'
import { openContext, type PeerNetworkOptions } from './peers/open-context.ts'
import { openHolderFetcher } from './peers/open-holder-fetcher.ts'
import type { PeerNetworkModules } from './peers/peer-context.ts'
import { serveRequests } from './peers/serve-requests.ts'
import { startAnnouncements } from './peers/start-announcements.ts'
import { startAuditor } from './peers/start-auditor.ts'
import { startBootstrap } from './peers/start-bootstrap.ts'
import { startChallenges } from './peers/start-challenges.ts'
import { startEraGathering } from './peers/start-era-gathering.ts'
import { startGapFiller } from './peers/start-gap-filler.ts'
import { serveHaveMap, startHolderClaims } from './peers/start-have-maps.ts'
import { startIntroductions } from './peers/start-introductions.ts'
import { startPlacementRoots } from './peers/start-placement-roots.ts'
import { startRedialer } from './peers/start-redialer.ts'
import { startReplication } from './peers/start-replication.ts'
import { startSafePrune } from './peers/start-safe-prune.ts'
import { startSilentPeers } from './peers/start-silent-peers.ts'
import { type PeersReport, reportPeers } from './peers-report.ts'
import type { ReplicationStatus } from './status.ts'

/** The part of a sidecar that other sidecars see. */
export interface PeerNetwork {
  report(): PeersReport
  /** Undefined before anything is archived. */
  bootstrap(): BootstrapStatus | undefined
  /** What was let go because the disk is nearly full. */
  reportPrune(): SafePruneReport
  /** Resolves when the ban would outlive a restart. @returns until when, ms since 1970 */
  ban(peer: string, durationMs: number): Promise<number>
  replication(): ReplicationStatus
  /** What is held of this period may have changed: what lacks is fetched soon. */
  noteRepaired(period: Period): void
  /** @returns false when it was not banned */
  unban(peer: string): Promise<boolean>
  /** Reads what this disk does not hold. */
  readonly holders: HolderFetcher
  readonly cluster: ClusterPort
  readonly challenges: ChallengesPort
  /** What other nodes say about eras. */
  readonly eras: NonNullable<ReportErasModules['peers']>
}

/**
 * Starts to meet other sidecars, and to serve them what this one holds. Each part is a file of `peers/`.
 *
 * @throws ArchiveError PROTOCOL_LISTEN_FAILED, STORE_KEY_INVALID
 */
export async function startPeerNetwork(options: PeerNetworkOptions, modules: PeerNetworkModules): Promise<PeerNetwork> {
  const context = await openContext(options, modules)
  const { node, scores, bans, bandwidth, log, undo } = context
  const withheld = new WithheldChunks()
  await serveRequests(context, withheld)
  const eras = await startEraGathering(context)
  if (context.chain) startEras(context.chain, eras.gatherer)
  const claims = startHolderClaims(context)
  const { port: challenges, onChain } = await startChallenges(context, withheld, claims)
  const targets = startRedialer(context, claims)
  const { duty, patrol, reportRepair, awayForMs } = startReplication(context, claims)
  await serveHaveMap(context, duty)
  startIntroductions(context, (address) => claims.heard(address))
  startSilentPeers(context)
  startGapFiller(context)
  const holders = openHolderFetcher(context, { claims, targets })
  const placementRoots = startPlacementRoots(context, claims)
  const auditor = await startAuditor(context, claims)
  if (context.chain && onChain) {
    startChallengeTimer(context, context.chain, { ...onChain, auditor, claims })
    startSuspicionHints(context, context.chain, auditor)
  }
  const prune = startSafePrune(context, { auditor, claims, duty, withheld })
  const bootstrap = startBootstrap(context, duty)
  const { announcer, board } = startAnnouncements(context, { claims, patrol })
  // First of all when it ends: what waits for its turn keeps no other part from stopping.
  undo.push(async () => bandwidth?.stop())
  log.info({ peerId: node.peer, url: node.addresses.join(', ') }, 'meeting other sidecars')
  return {
    report: () => reportPeers(context, auditor),
    bootstrap: () => bootstrap.status(),
    replication: () => {
      const { liveNodes, haveMaps, sizeBytes: haveMapBytes } = claims.report()
      const announcedPeriod = announcer.announcedTo ?? null
      return {
        liveNodes,
        haveMaps,
        haveMapBytes,
        announcedPeriod,
        differingNodes: board.listDiffering(),
        differingPlacements: placementRoots.listDiffering(),
        differingEras: eras.differences.list(),
        repair: reportRepair(),
      }
    },
    noteRepaired: (period) => patrol.note(period),
    reportPrune: () => prune.report(),
    async ban(peer, durationMs) {
      if (!isPeerId(peer)) throw new ArchiveError('API_PEER_INVALID', `'${peer}' is no PeerId`)
      if (peer === node.peer) throw new ArchiveError('API_PEER_INVALID', 'that is the PeerId of this sidecar itself')
      const { untilMs } = node.ban(peer, durationMs)
      await bans.save()
      return untilMs
    },
    async unban(peer) {
      const wasBanned = scores.unban(peer)
      await bans.save()
      return wasBanned
    },
    challenges,
    holders,
    eras: {
      listOpen: () => eras.gatherer.listOpen(),
      listDifferences: () => eras.differences.list(),
    },
    cluster: openCluster(context, { claims, awayForMs, listOwnSlots: () => duty.listSlots() }),
  }
}
