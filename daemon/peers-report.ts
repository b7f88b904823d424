import { formatPeerId } from '../protocol-handler/peer-id-text.ts'
import type { Auditor } from '../storage-worker/replication/auditor.ts'
import type { Suspicion } from '../storage-worker/replication/suspicions.ts'
import type { PeerContext } from './peers/peer-context.ts'

/** JSON of `/v1/peers`. */
export interface PeersReport {
  readonly own: { readonly peer: string; readonly address: string; readonly listen: readonly string[] }
  readonly peers: readonly PeerRow[]
  readonly bans: readonly { readonly peer: string; readonly untilMs: number | null; readonly reason: string }[]
}

interface PeerRow {
  readonly peer: string
  /** Massa address that the PeerId is bound to; null while it did not say. */
  readonly address: string | null
  readonly connected: boolean
  readonly listen: readonly string[]
  readonly allocatedGb: number | null
  readonly storedChunks: number | null
  /** 0 = for ever */
  readonly retentionPeriods: number | null
  readonly firstPeriod: number | null
  /** One after the last. */
  readonly endPeriod: number | null
  readonly score: number
  /** What it was asked to show in the last day; null when it was not asked. */
  readonly audits: PeerAudits | null
}

interface PeerAudits {
  readonly shown: number
  /** Not held, or a wrong leaf. */
  readonly failed: number
  readonly unanswered: number
  /** Chunks that it did not show twice in a row, and not since. */
  readonly suspicions: readonly Omit<Suspicion, 'address'>[]
}

/** Whom we are connected to or heard of, and whom we keep away. */
export function reportPeers(
  { node, address, bindings, scores }: PeerContext,
  auditor: Pick<Auditor, 'report'>,
): PeersReport {
  const { day, suspicions } = auditor.report()
  const auditsOf = (audited: string | undefined): PeerAudits | null => {
    const row = day.find((each) => each.address === audited)
    const suspected = suspicions.filter((each) => each.address === audited)
    if (!row && suspected.length === 0) return null
    return {
      shown: row?.shown ?? 0,
      failed: row?.failed ?? 0,
      unanswered: row?.unanswered ?? 0,
      suspicions: suspected.map(({ period, index, sinceMs, kind }) => ({ period, index, sinceMs, kind })),
    }
  }
  const known = new Map(bindings.list().map((entry) => [formatPeerId(entry.capabilities.peerId), entry]))
  const here = new Set(node.peers)
  const peers = [...new Set([...here, ...known.keys()])].filter((peer) => peer !== node.peer)
  return {
    own: { peer: node.peer, address, listen: node.addresses },
    peers: peers.sort().map((peer): PeerRow => {
      const entry = known.get(peer)
      const said = entry?.capabilities
      return {
        peer,
        address: entry?.address ?? null,
        connected: here.has(peer),
        listen: said?.listenAddresses ?? [],
        allocatedGb: said ? Number(said.allocatedGb) : null,
        storedChunks: said ? Number(said.storedChunks) : null,
        retentionPeriods: said ? Number(said.retentionPeriods) : null,
        firstPeriod: said?.firstPeriod ?? null,
        endPeriod: said?.endPeriod ?? null,
        score: scores.scoreOf(peer),
        audits: auditsOf(entry?.address),
      }
    }),
    bans: scores.listBans().map(({ peer, untilMs, reason }) => ({
      peer,
      untilMs: Number.isFinite(untilMs) ? untilMs : null,
      reason,
    })),
  }
}
