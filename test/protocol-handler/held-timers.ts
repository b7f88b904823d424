const { setTimeout: usual } = globalThis

/** Timers of one duration that do not run: a test lets their time be over. All others run as usual. */
export class HeldTimers {
  private readonly ends = new Map<NodeJS.Timeout, () => void>()

  /** Until `release`. */
  constructor(durationMs: number) {
    const held = (end: () => void, ms?: number): NodeJS.Timeout => {
      const timer = usual(end, ms)
      if (ms !== durationMs) return timer
      this.ends.set(timer, end)
      timer.unref()
      return timer
    }
    globalThis.setTimeout = Object.assign(held, usual) as typeof setTimeout
    const { clearTimeout } = globalThis
    globalThis.clearTimeout = (timer) => {
      this.ends.delete(timer as NodeJS.Timeout)
      clearTimeout(timer)
    }
    this.release = () => {
      globalThis.setTimeout = usual
      globalThis.clearTimeout = clearTimeout
    }
  }

  readonly release: () => void

  get size(): number {
    return this.ends.size
  }

  /** Lets the time of all of them be over. */
  pass(): void {
    for (const [timer, end] of this.ends) {
      clearTimeout(timer)
      end()
    }
  }
}
