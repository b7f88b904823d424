import type { Clock } from '../../core/index.ts'

const WINDOW_MS = 60_000
/** Samples are a second apart at least: the window is a minute. */
const SAMPLE_MS = 1_000

/** How fast a count grows, over the last minute. */
export class MovingRate {
  private readonly clock: Clock
  private readonly samples: { readonly atMs: number; readonly count: number }[] = []
  private count = 0

  constructor(clock: Clock) {
    this.clock = clock
  }

  add(count: number): void {
    const atMs = this.clock.monotonicMs()
    const last = this.samples.at(-1)
    // A pause is no part of the rate.
    if (last && atMs - last.atMs > WINDOW_MS) this.samples.length = 0
    if (this.samples.length === 0) this.samples.push({ atMs, count: this.count })
    this.count += count
    if (atMs - (this.samples.at(-1)?.atMs ?? atMs) < SAMPLE_MS) return
    this.samples.push({ atMs, count: this.count })
    while (atMs - (this.samples[0]?.atMs ?? atMs) > WINDOW_MS) this.samples.shift()
  }

  /** 0 before a second has passed. */
  get perSecond(): number {
    const first = this.samples[0]
    const last = this.samples.at(-1)
    if (!first || !last || last.atMs === first.atMs) return 0
    return ((last.count - first.count) * 1_000) / (last.atMs - first.atMs)
  }
}
