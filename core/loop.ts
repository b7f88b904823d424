import { type ArchiveError, isArchiveError } from './errors.ts'
import type { Clock } from './ports.ts'

interface LoopOptions {
  /** From the end of one look to the next one, ms. */
  readonly everyMs: number
  /** Each look comes after its pause: the first one is late by it, and the last one follows `stop`, which cuts it short. */
  readonly looksLast?: boolean
}

interface LoopModules {
  readonly clock: Clock
  /** Is waited for; what it gives back is for other callers. */
  readonly look: () => unknown
  /** Takes what keeps it from looking for now; the next look tries again. Absent: whatever is thrown ends the loop. */
  readonly onFailure?: (error: ArchiveError) => void
}

/** Looks again and again, one look at a time, from `start` until `stop`. */
export class Loop {
  private readonly options: LoopOptions
  private readonly modules: LoopModules
  private readonly stopping = new AbortController()
  private running: Promise<void> | undefined

  constructor(options: LoopOptions, modules: LoopModules) {
    this.options = options
    this.modules = modules
  }

  /** Aborts when it is to stop, for what takes long in a look. */
  get signal(): AbortSignal {
    return this.stopping.signal
  }

  /** Begins at the first call; each resolves when it was stopped. @throws what ended it: a bug */
  start(): Promise<void> {
    this.running ??= this.run()
    return this.running
  }

  /** Waits for the look under way. Idempotent; never rejects: what ended the loop is thrown by `start`. */
  async stop(): Promise<void> {
    this.stopping.abort()
    await this.running?.catch(() => undefined)
  }

  private async run(): Promise<void> {
    const { everyMs, looksLast = false } = this.options
    const { clock } = this.modules
    const { signal } = this.stopping
    while (!signal.aborted) {
      if (looksLast) await clock.sleep(everyMs, signal)
      await this.lookOnce()
      if (!looksLast) await clock.sleep(everyMs, signal)
    }
  }

  private async lookOnce(): Promise<void> {
    const { look, onFailure } = this.modules
    try {
      await look()
    } catch (error) {
      if (!onFailure || !isArchiveError(error)) throw error
      onFailure(error)
    }
  }
}
