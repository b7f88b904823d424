import * as z from 'zod'
import { ArchiveError } from '../../core/errors.ts'
import { callPeers } from '../call-peers.ts'
import { parseAnswer } from '../call-sidecar.ts'
import type { Context } from '../context.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { formatCount } from '../output.ts'

const peerRow = z.object({
  peer: z.string(),
  address: z.string().nullable(),
  connected: z.boolean(),
  allocatedGb: z.number().nullable(),
  storedChunks: z.number().nullable(),
  retentionPeriods: z.number().nullable(),
  firstPeriod: z.number().nullable(),
  endPeriod: z.number().nullable(),
  score: z.number(),
  audits: z
    .object({ shown: z.number(), failed: z.number(), unanswered: z.number(), suspicions: z.array(z.unknown()) })
    .nullable(),
})
type PeerRow = z.infer<typeof peerRow>

const peersAnswer = z.object({
  own: z.object({ peer: z.string(), address: z.string(), listen: z.array(z.string()) }),
  peers: z.array(peerRow),
  bans: z.array(z.object({ peer: z.string(), untilMs: z.number().nullable(), reason: z.string() })),
})

/** Whom the running sidecar knows and is connected to. */
export async function peers(context: Context, signal: AbortSignal): Promise<number> {
  const { output } = context
  const json = await callPeers(context, '', undefined, signal)
  const answer = parseAnswer(peersAnswer, json)
  output.value(json)
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
    describeAudits(peer),
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

/** Of the last day. */
function describeAudits({ audits }: PeerRow): string {
  if (audits === null) return ''
  const { shown, failed, unanswered, suspicions } = audits
  const made = formatCount(shown + failed + unanswered, 'audit')
  const wrong = failed + unanswered === 0 ? ' passed' : `, ${failed} failed, ${unanswered} unanswered`
  const suspected = suspicions.length === 0 ? '' : `, ${formatCount(suspicions.length, 'chunk')} not shown twice`
  return `${made}${wrong}${suspected}`
}

/** Ends all connections to a peer and refuses it for a while. */
export async function peersBan(
  context: Context,
  peer: string,
  options: { readonly forMs: number },
  signal: AbortSignal,
): Promise<number> {
  const answer = await callPeers(context, '/ban', { peer, durationMs: options.forMs }, signal)
  const { untilMs } = parseAnswer(z.object({ untilMs: z.number() }), answer)
  context.output.value(answer)
  context.output.line(`${peer} is banned until ${new Date(untilMs).toISOString()}.`)
  return EXIT_CODES.ok.code
}

/** @throws ArchiveError CLI_PEER_UNKNOWN when it was not banned */
export async function peersUnban(context: Context, peer: string, signal: AbortSignal): Promise<number> {
  const answer = await callPeers(context, '/unban', { peer }, signal)
  const { wasBanned } = parseAnswer(z.object({ wasBanned: z.boolean() }), answer)
  context.output.value(answer)
  if (!wasBanned) {
    throw new ArchiveError('CLI_PEER_UNKNOWN', `${peer} was not banned`, { peer })
  }
  context.output.line(`${peer} is no longer banned.`)
  return EXIT_CODES.ok.code
}
