import type { Clock } from '../../core/index.ts'

/** A peer that does not answer is left alone for so long, and for twice as long each further time. */
const FIRST_REST_MS = 30_000
const MAX_REST_MS = 3_600_000
/** Far more than are connected; past it the one that failed longest ago is forgotten. */
const MAX_PEERS = 1_000

/**
 * Peers that did not answer. To wait for an answer costs up to 30 s, and anybody can make up peers that never give one: each
 * of them costs that once in a while that grows.
 */
export class PeerRests {
  private readonly clock: Clock
  private readonly rests = new Map<string, { readonly failures: number; readonly untilMs: number }>()

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** When it may be asked again, by the monotonic clock; -Infinity when it did not fail. */
  untilMs(peer: string): number {
    return this.rests.get(peer)?.untilMs ?? Number.NEGATIVE_INFINITY
  }

  isResting(peer: string): boolean {
    return this.untilMs(peer) > this.clock.monotonicMs()
  }

  /** It gave nothing since it failed. */
  hasFailed(peer: string): boolean {
    return this.rests.has(peer)
  }

  fail(peer: string): void {
    // Of several requests under way when it fell silent each would count.
    if (this.isResting(peer)) return
    const failures = (this.rests.get(peer)?.failures ?? 0) + 1
    this.rests.delete(peer)
    const [longestAgo] = this.rests.keys()
    if (this.rests.size >= MAX_PEERS && longestAgo !== undefined) this.rests.delete(longestAgo)
    const restMs = Math.min(MAX_REST_MS, FIRST_REST_MS * 2 ** (failures - 1))
    this.rests.set(peer, { failures, untilMs: this.clock.monotonicMs() + restMs })
  }

  /** It gave what it was asked for. */
  clear(peer: string): void {
    this.rests.delete(peer)
  }
}
