import { ArchiveError } from '../../core/errors.ts'
import { callPeers } from '../call-peers.ts'
import type { Context } from '../context.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { formatCount } from '../output.ts'

interface PeerRow {
  readonly peer: string
  readonly address: string | null
  readonly connected: boolean
  readonly listen: readonly string[]
  readonly allocatedGb: number | null
  readonly storedChunks: number | null
  readonly retentionPeriods: number | null
  readonly firstPeriod: number | null
  readonly endPeriod: number | null
  readonly score: number
}

interface PeersAnswer {
  readonly own: { readonly peer: string; readonly address: string; readonly listen: readonly string[] }
  readonly peers: readonly PeerRow[]
  readonly bans: readonly { readonly peer: string; readonly untilMs: number | null; readonly reason: string }[]
}

/** Whom the running sidecar knows and is connected to. */
export async function peers(context: Context, signal: AbortSignal): Promise<number> {
  const { output } = context
  const answer = (await callPeers(context, '', undefined, signal)) as PeersAnswer
  output.value(answer)
  output.table([
    ['this sidecar', `${answer.own.address}, peer ${answer.own.peer}`],
    ['listens on', answer.own.listen.join(', ')],
  ])
  const rows = answer.peers.map((peer) => [
    peer.peer,
    peer.address ?? 'says nothing yet',
    peer.connected ? 'connected' : 'away',
    peer.allocatedGb === null ? '-' : `${peer.allocatedGb} GB`,
    peer.storedChunks === null ? '-' : formatCount(peer.storedChunks, 'chunk'),
    describePeriods(peer),
    peer.score >= 0.1 ? `score ${peer.score.toFixed(1)} of 10` : '',
  ])
  if (rows.length > 0) output.table(rows)
  for (const { peer, untilMs, reason } of answer.bans) {
    output.line(`banned: ${peer}, ${reason}, until ${untilMs === null ? 'unbanned' : new Date(untilMs).toISOString()}`)
  }
  const connected = answer.peers.filter((peer) => peer.connected).length
  output.line(`${connected} of ${formatCount(answer.peers.length, 'peer')} connected, ${answer.bans.length} banned`)
  return EXIT_CODES.ok.code
}

function describePeriods({ firstPeriod, endPeriod, retentionPeriods }: PeerRow): string {
  if (firstPeriod === null || endPeriod === null) return '-'
  const kept = retentionPeriods === 0 ? 'keeps all' : `keeps ${retentionPeriods}`
  return firstPeriod === endPeriod ? `nothing yet, ${kept}` : `periods ${firstPeriod} to ${endPeriod - 1}, ${kept}`
}

/** Ends all connections to a peer and refuses it for a while. */
export async function peersBan(
  context: Context,
  peer: string,
  options: { readonly forMs: number },
  signal: AbortSignal,
): Promise<number> {
  const answer = await callPeers(context, '/ban', { peer, durationMs: options.forMs }, signal)
  context.output.value(answer)
  const { untilMs } = answer as { readonly untilMs: number }
  context.output.line(`${peer} is banned until ${new Date(untilMs).toISOString()}.`)
  return EXIT_CODES.ok.code
}

/** @throws ArchiveError CLI_PEER_UNKNOWN when it was not banned */
export async function peersUnban(context: Context, peer: string, signal: AbortSignal): Promise<number> {
  const answer = await callPeers(context, '/unban', { peer }, signal)
  context.output.value(answer)
  if (!(answer as { readonly wasBanned: boolean }).wasBanned) {
    throw new ArchiveError('CLI_PEER_UNKNOWN', `${peer} was not banned`, { peer })
  }
  context.output.line(`${peer} is no longer banned.`)
  return EXIT_CODES.ok.code
}
