/** Calls `end` after so long. @returns what takes it back */
export type StartTimer = (limitMs: number, end: () => void) => () => void

/** Ends what takes too long, or goes on after the user has had enough of it: whatever is done with its `signal`. */
export class Patience {
  readonly signal: AbortSignal
  private readonly ending = new AbortController()
  private readonly startTimer: StartTimer

  constructor(outer: AbortSignal | undefined, startTimer: StartTimer = startSystemTimer) {
    this.signal = outer ? AbortSignal.any([outer, this.ending.signal]) : this.ending.signal
    this.startTimer = startTimer
  }

  /** True once something took too long. */
  get isOver(): boolean {
    return this.ending.signal.aborted
  }

  /** Each wait has its own time. */
  async wait<T>(limitMs: number, act: () => Promise<T>): Promise<T> {
    const stop = this.startTimer(limitMs, () => this.ending.abort())
    try {
      return await act()
    } finally {
      stop()
    }
  }
}

function startSystemTimer(limitMs: number, end: () => void): () => void {
  const timer = setTimeout(end, limitMs)
  return () => clearTimeout(timer)
}
