import { ArchiveError, type ErrorCode } from '../core/index.ts'

/** What becomes of a gossip message, and of its sender's score: a rejected one costs the sender, an ignored one not. */
export type Verdict = 'accept' | 'ignore' | 'reject'

/** Refusals that an honest peer may cause: by being late, by being of another release, by our own load. */
const IGNORED: ReadonlySet<ErrorCode> = new Set([
  'PROTOCOL_VERSION_UNKNOWN',
  'PROTOCOL_SEQUENCE_OLD',
  'PROTOCOL_PEER_LIMIT',
  'PROTOCOL_QUEUE_FULL',
  'PROTOCOL_PEER_UNREACHABLE',
  'PROTOCOL_SENDER_UNKNOWN',
  'PROTOCOL_PERIOD_FUTURE',
])

/** The verdict that belongs to a refusal; undefined for what is no refusal but a failure of ours. */
export function verdictOf(error: unknown): Exclude<Verdict, 'accept'> | undefined {
  if (!(error instanceof ArchiveError) || !error.code.startsWith('PROTOCOL_')) return undefined
  if (error.code === 'PROTOCOL_LISTEN_FAILED') return undefined
  return IGNORED.has(error.code) ? 'ignore' : 'reject'
}
