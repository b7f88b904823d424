import type { Clock } from '../core/index.ts'

/**
 * What time it is on the chain, for what may have begun: the wall clock, but never back.
 *
 * A wall clock that is set back was wrong before or is wrong now, and nobody here can tell. Who takes it for wrong now
 * refuses at worst less than he could; who takes it for right refuses honest nodes, until they have forgotten their blocks.
 */
export class ChainTime {
  private readonly clock: Clock
  private latestMs: number
  private atMs: number

  constructor(clock: Clock) {
    this.clock = clock
    this.latestMs = clock.nowMs()
    this.atMs = clock.monotonicMs()
  }

  /** It was that late once: what the archive holds was final. @param timeMs - ms since 1970 */
  learn(timeMs: number): void {
    this.latestMs = Math.max(this.nowMs(), timeMs)
  }

  /** ms since 1970 */
  nowMs(): number {
    const atMs = this.clock.monotonicMs()
    this.latestMs = Math.max(this.clock.nowMs(), this.latestMs + (atMs - this.atMs))
    this.atMs = atMs
    return this.latestMs
  }
}
