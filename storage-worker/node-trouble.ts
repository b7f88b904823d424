import { type ErrorCode, isArchiveError } from '../core/index.ts'

const TROUBLES: readonly ErrorCode[] = [
  'CHAIN_NODE_UNREACHABLE',
  'CHAIN_NODE_REFUSED',
  'CHAIN_ANSWER_INVALID',
  'CHAIN_NETWORK_MISMATCH',
]

/**
 * Whether an error says something of the massa-node alone: it is away, too busy, behind a proxy that answers for it, or is
 * another one for a while. Of what was asked for it says nothing; it can be asked again.
 */
export function isNodeTrouble(error: unknown): boolean {
  return isArchiveError(error) && TROUBLES.includes(error.code)
}
