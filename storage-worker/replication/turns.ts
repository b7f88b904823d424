import type { Clock } from '../../core/index.ts'

/** Everything else has its turn after so long: below what a follower of the chain or a peer notices. */
const SLICE_MS = 10

/** Lets others have their turn in long work whose steps wait for nothing: databases in memory, what is known already. */
export class Turns {
  private readonly clock: Clock
  private beganMs = Number.NEGATIVE_INFINITY

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** Asked between steps so short that a promise for each would be most of the work. */
  get isDue(): boolean {
    return this.clock.monotonicMs() - this.beganMs >= SLICE_MS
  }

  /** Called between steps. */
  async give(): Promise<void> {
    if (!this.isDue) return
    await this.clock.sleep(0)
    this.beganMs = this.clock.monotonicMs()
  }
}
