import type { ChildProcess } from 'node:child_process'
import type { Clock } from '../../core/index.ts'
import { type Program, spawnLogged } from './program.ts'

/** Waits before it is started again: short at first, for a process that was killed; longer for one that cannot start. */
const BACKOFF_MS = [500, 1_000, 2_000, 5_000, 10_000] as const
/** Who ran for so long starts from the first of them again. */
const HEALTHY_MS = 30_000

/** `dead`: killed, and not started again before it is revived. */
export type ProcessState = 'running' | 'paused' | 'restarting' | 'dead' | 'stopped'

/** Orders for a process. */
export type ProcessOrder = 'kill' | 'killForNow' | 'pause' | 'resume'

export interface KeptProcessOptions {
  readonly name: string
  /** Asked at each start. One that fails counts as a process that has ended at once. */
  readonly args: () => readonly string[] | Promise<readonly string[]>
  readonly env?: Readonly<Record<string, string>>
  readonly cwd: string
  readonly log: string
  /** Given to it to end by itself; afterwards it is killed. */
  readonly stopLimitMs: number
}

/** A process that is started again when it ends, until it is stopped. */
export class KeptProcess {
  readonly name: string
  private readonly options: KeptProcessOptions
  private readonly program: Program
  private readonly clock: Clock
  private readonly stopping = new AbortController()
  private child: ChildProcess | undefined
  private isPaused = false
  /** Ends the time in which it stays dead. */
  private reviving: AbortController | undefined
  private failures = 0
  private running: Promise<void> | undefined
  private ends = 0
  private said: string | undefined

  constructor(options: KeptProcessOptions, modules: { readonly program: Program; readonly clock: Clock }) {
    this.name = options.name
    this.options = options
    this.program = modules.program
    this.clock = modules.clock
  }

  get pid(): number | undefined {
    return this.child?.pid
  }

  get state(): ProcessState {
    if (!this.running) return 'stopped'
    if (!this.child) return this.reviving ? 'dead' : 'restarting'
    return this.isPaused ? 'paused' : 'running'
  }

  /** How often it ended although nobody had stopped it. */
  get restarts(): number {
    return this.ends
  }

  /** How it ended last. */
  get lastEnd(): string | undefined {
    return this.said
  }

  start(): void {
    this.running ??= this.keep()
  }

  /** As `kill -9`: it is started again. @returns false when it does not run at the moment, as do the next ones */
  kill(): boolean {
    return this.signal('SIGKILL')
  }

  /** The same, and it stays dead until `revive`. */
  killForNow(): boolean {
    const isDone = this.kill()
    if (isDone) this.reviving = new AbortController()
    return isDone
  }

  /** @returns false when it is not dead */
  revive(): boolean {
    if (this.state !== 'dead') return false
    this.reviving?.abort()
    this.reviving = undefined
    return true
  }

  pause(): boolean {
    const isDone = this.signal('SIGSTOP')
    if (isDone) this.isPaused = true
    return isDone
  }

  resume(): boolean {
    this.isPaused = false
    return this.signal('SIGCONT')
  }

  /** Idempotent. Resolves when it has ended. */
  async stop(): Promise<void> {
    this.stopping.abort()
    this.resume()
    this.signal('SIGTERM')
    const limit = new AbortController()
    const { stopLimitMs } = this.options
    void this.clock.sleep(stopLimitMs, limit.signal).then(() => limit.signal.aborted || this.signal('SIGKILL'))
    await this.running
    limit.abort()
    this.running = undefined
  }

  private async keep(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      const startedMs = this.clock.monotonicMs()
      const end = await this.runOnce()
      if (this.stopping.signal.aborted) return
      this.ends++
      this.said = end
      if (this.reviving) {
        await untilAborted(AbortSignal.any([this.reviving.signal, this.stopping.signal]))
        this.failures = 0
        continue
      }
      this.failures = this.clock.monotonicMs() - startedMs > HEALTHY_MS ? 0 : this.failures + 1
      const waitMs = BACKOFF_MS[Math.min(this.failures, BACKOFF_MS.length - 1)] ?? 0
      await this.clock.sleep(waitMs, this.stopping.signal)
    }
  }

  private async runOnce(): Promise<string> {
    let args: readonly string[]
    try {
      args = await this.options.args()
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
    if (this.stopping.signal.aborted) return 'stopped'
    const child = spawnLogged(this.program, { ...this.options, args })
    this.child = child
    this.isPaused = false
    return new Promise((resolve) => {
      const ended = (how: string): void => {
        this.child = undefined
        resolve(how)
      }
      child.once('error', (error) => ended(error.message))
      child.once('exit', (code, signal) => ended(signal ?? `exit code ${code}`))
    })
  }

  private signal(signal: NodeJS.Signals): boolean {
    // The handle knows whether its process is still there: a number that is used again is never signalled.
    return this.child?.kill(signal) ?? false
  }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
