import { type Clock, SLOT_MS, slotIndex } from '../../../core/index.ts'
import type { DevnetChain } from './devnet-chain.ts'

/** What may be behind before virtual time is held back: a busy machine makes fewer slots rather than many at once. */
const MAX_BACKLOG_SLOTS = 8
/** Between looks at what stopped it, paused or held back by a consumer. */
const IDLE_MS = 50
const MIN_SLEEP_MS = 1
/** A wall clock that was set back may be set forward again meanwhile. */
const MAX_BOUND_SLEEP_MS = 1_000
/** At normal speed, of a chain that was away or held back for less than a day. */
const CATCH_UP_SPEED = 8
const MAX_CATCH_UP_MS = 86_400_000

export interface DriverOptions {
  /** 1, a slot in half a second, by default. */
  readonly speed?: number
  /** As fast as slots are made, as long as this says so. */
  readonly turbo?: { mayGoOn(): boolean | Promise<boolean> }
  /**
   * Virtual time never passes that of the clock, and at speed 1 is the same: what is missing after a pause, up to a day,
   * is made up for at speed 8. No by default.
   */
  readonly isBoundToClock?: boolean
}

/**
 * Advances a chain in time: at a speed, or as fast as its consumers follow. Its clock is the virtual one that a node
 * shows. It goes on from where the chain stands, and never runs ahead of the slots that are made.
 */
export class ChainDriver implements Pick<Clock, 'nowMs'> {
  /** Rejects when the chain cannot go on. */
  readonly failure: Promise<never>
  private readonly chain: DevnetChain
  private readonly clock: Clock
  private turbo: DriverOptions['turbo']
  private readonly stopping = new AbortController()
  /** Ends the sleep under way: what it waits for is no longer what it was. */
  private waking = new AbortController()
  private fail: (cause: unknown) => void = () => {}
  private readonly isBoundToClock: boolean
  private speed: number
  private isPaused = false
  /** Virtual and monotonic time of the same moment, and the speed since. */
  private base: { readonly virtualMs: number; readonly atMs: number; readonly speed: number }
  private running: Promise<void> | undefined

  constructor(options: DriverOptions, modules: { readonly chain: DevnetChain; readonly clock: Clock }) {
    this.chain = modules.chain
    this.clock = modules.clock
    this.turbo = options.turbo
    this.isBoundToClock = options.isBoundToClock ?? false
    this.speed = options.speed ?? 1
    this.base = this.makeBase(this.chain.nowMs)
    this.failure = new Promise((_resolve, reject) => {
      this.fail = reject
    })
    // Who never asks for it is not to end the process.
    this.failure.catch(() => {})
  }

  start(): void {
    if (this.running) return
    this.rebase(this.chain.nowMs)
    this.running = this.run().catch((cause: unknown) => this.fail(cause))
  }

  /** Resolves when the slot under way is made. */
  async stop(): Promise<void> {
    this.stopping.abort()
    this.wake()
    await this.running
  }

  /** Virtual ms since the epoch. */
  nowMs(): number {
    if (this.turbo || this.isPaused) return this.chain.nowMs
    return Math.min(this.wantedMs(), this.nextSlotMs() - 1)
  }

  /** Virtual time stands still. */
  pause(): void {
    this.isPaused = true
  }

  resume(): void {
    if (!this.isPaused) return
    this.isPaused = false
    this.rebase(this.chain.nowMs)
    this.wake()
  }

  setSpeed(speed: number): void {
    const nowMs = this.nowMs()
    this.speed = speed
    this.turbo = undefined
    this.rebase(nowMs)
    this.wake()
  }

  setTurbo(turbo: NonNullable<DriverOptions['turbo']>): void {
    this.turbo = turbo
    this.wake()
  }

  private wake(): void {
    this.waking.abort()
    this.waking = new AbortController()
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping
    while (!signal.aborted) {
      if (this.isPaused) await this.sleep(IDLE_MS)
      else if (this.turbo) await this.runTurbo(this.turbo)
      else await this.runTimed()
    }
  }

  private async runTurbo(turbo: NonNullable<DriverOptions['turbo']>): Promise<void> {
    const isEarly = this.isBoundToClock && this.clock.nowMs() < this.nextSlotMs()
    if (isEarly || !(await turbo.mayGoOn())) return this.sleep(IDLE_MS)
    await this.chain.advanceTo(this.nextSlotMs())
    // Servers in this process have their turn.
    await new Promise((resolve) => setImmediate(resolve))
  }

  private async runTimed(): Promise<void> {
    const behindMs = this.wantedMs() - this.nextSlotMs()
    if (behindMs > MAX_BACKLOG_SLOTS * SLOT_MS) this.rebase(this.nextSlotMs())
    if (behindMs >= 0) {
      await this.chain.advanceTo(this.nextSlotMs())
      await new Promise((resolve) => setImmediate(resolve))
      return
    }
    const earlyMs = this.isBoundToClock ? this.nextSlotMs() - this.clock.nowMs() : 0
    const waitMs = Math.max(MIN_SLEEP_MS, earlyMs, -behindMs / this.base.speed)
    await this.sleep(this.isBoundToClock ? Math.min(waitMs, MAX_BOUND_SLEEP_MS) : waitMs)
  }

  private sleep(durationMs: number): Promise<void> {
    return this.clock.sleep(durationMs, this.waking.signal)
  }

  private wantedMs(): number {
    const { virtualMs, atMs, speed } = this.base
    const wantedMs = virtualMs + (this.clock.monotonicMs() - atMs) * speed
    return this.isBoundToClock ? Math.min(wantedMs, this.clock.nowMs()) : wantedMs
  }

  private nextSlotMs(): number {
    return this.chain.genesisTimestampMs + (slotIndex(this.chain.lastSlot) + 1) * SLOT_MS
  }

  private rebase(virtualMs: number): void {
    this.base = this.makeBase(virtualMs)
  }

  private makeBase(virtualMs: number) {
    const catchesUp = this.isBoundToClock && this.speed === 1 && this.clock.nowMs() - virtualMs <= MAX_CATCH_UP_MS
    return { virtualMs, atMs: this.clock.monotonicMs(), speed: catchesUp ? CATCH_UP_SPEED : this.speed }
  }
}
