/** Tells work that goes on from work that hangs: a hang is the same state, seen for longer than the limit. */
export class ProgressWatch {
  private readonly limitMs: number
  private state: string | undefined
  private changedMs = 0

  constructor(limitMs: number) {
    this.limitMs = limitMs
  }

  /** Takes what is seen at a moment (a monotonic clock, ms); false once nothing of it has changed for the limit. */
  goesOn(seen: readonly unknown[], nowMs: number): boolean {
    const state = seen.map(String).join(' ')
    if (state !== this.state) {
      this.state = state
      this.changedMs = nowMs
    }
    return nowMs - this.changedMs < this.limitMs
  }
}
