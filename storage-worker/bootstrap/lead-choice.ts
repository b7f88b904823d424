import type { Clock, Period } from '../../core/index.ts'
import type { SessionEnd } from './backfill-session.ts'
import type { PacedPeers } from './paced-peers.ts'

/** How a session ended that its lead did not help. */
export type LeadFailure = Exclude<SessionEnd, 'done' | 'more' | 'stopped'>

/** A peer that did not help leads again after so long, and after twice as long each further time. */
const AGAIN_MS: Readonly<Record<LeadFailure, number>> = {
  absent: 60_000,
  open: 60_000,
  wrong: 600_000,
  unbound: 600_000,
}
/** What nobody had somebody may get. */
const MAX_AGAIN_MS = 600_000
/** Far more than are connected; past it the one that failed longest ago is forgotten. */
const MAX_REMEMBERED = 1_000

/** Which peer a session follows: one that did not help is passed over for a growing while. */
export class LeadChoice {
  private readonly asked: Pick<PacedPeers, 'listFor'>
  private readonly clock: Clock
  private readonly failed = new Map<string, { readonly times: number; readonly untilMs: number }>()

  constructor(modules: { readonly asked: Pick<PacedPeers, 'listFor'>; readonly clock: Clock }) {
    this.asked = modules.asked
    this.clock = modules.clock
  }

  /** First those that never failed. @returns undefined when nobody may lead now */
  choose(period: Period): string | undefined {
    const nowMs = this.clock.monotonicMs()
    const timesOf = (peer: string): number => this.failed.get(peer)?.times ?? 0
    const [lead] = this.asked
      .listFor(period)
      .filter((peer) => (this.failed.get(peer)?.untilMs ?? nowMs) <= nowMs)
      .sort((a, b) => timesOf(a) - timesOf(b))
    return lead
  }

  helped(lead: string): void {
    this.failed.delete(lead)
  }

  passOver(lead: string, end: LeadFailure): void {
    const times = (this.failed.get(lead)?.times ?? 0) + 1
    this.failed.delete(lead)
    const [longestAgo] = this.failed.keys()
    if (this.failed.size >= MAX_REMEMBERED && longestAgo !== undefined) this.failed.delete(longestAgo)
    const waitMs = Math.min(MAX_AGAIN_MS, AGAIN_MS[end] * 2 ** (times - 1))
    this.failed.set(lead, { times, untilMs: this.clock.monotonicMs() + waitMs })
  }
}
