import type { PeerShare } from '../../protocol-handler/index.ts'
import { ASK_LIMITS, type AskLimits } from '../../storage-worker/bootstrap/paced-peers.ts'

/** Of each peer where there is no registry: enough for a joiner to fetch 64 MB/s in chunks of 1 MiB; whoever asks for more waits. */
export const SHARE = { requestsPerSecond: 100, bytesPerSecond: 64_000_000, openStreams: 36 }
/**
 * Of each peer that the registry knows: the same bytes in chunks of 90 kB, each with its SEALS, as a quiet chain has them.
 * How much of the disk and the processor all of them get is bounded by WORK.
 */
export const REGISTERED_SHARE = { ...SHARE, requestsPerSecond: 1_500 }
/** Of each peer that the registry does not know, where there is one: whoever costs nothing to make up gets little. */
export const STRANGER_SHARE = { requestsPerSecond: 50, bytesPerSecond: 16_000_000, openStreams: 36 }
/**
 * Reads from disk at a time, and requests that may wait for them. A joiner that fetches 64 MB/s takes a fifth of the time;
 * what is above three fifths is left to following the chain, however many ask.
 */
export const WORK = { concurrency: 4, capacity: 256, timeShare: 0.6 }

/** Half of REGISTERED_SHARE: without it a registered node would fetch 90 kB at a time no faster than a stranger. */
export const REGISTERED_ASK_LIMITS: AskLimits = {
  ...ASK_LIMITS,
  requestsPerSecond: REGISTERED_SHARE.requestsPerSecond / 2,
}

/** What a peer may ask for. */
export function pickShare(peer: { readonly hasRegistry: boolean; readonly isRegistered: boolean }): PeerShare {
  if (!peer.hasRegistry) return SHARE
  return peer.isRegistered ? REGISTERED_SHARE : STRANGER_SHARE
}
