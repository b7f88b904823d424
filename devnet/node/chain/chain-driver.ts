import { type Clock, SLOT_MS, slotIndex } from '../../../core/index.ts'
import type { DevnetChain } from './devnet-chain.ts'

/** What may be behind before virtual time is held back: a busy machine makes fewer slots rather than many at once. */
const MAX_BACKLOG_SLOTS = 8
/** Between looks at what stopped it, paused or held back by a consumer. */
const IDLE_MS = 50
const MIN_SLEEP_MS = 1

export interface DriverOptions {
  /** 1, a slot in half a second, by default. */
  readonly speed?: number
  /** As fast as slots are made, as long as this says so. */
  readonly turbo?: { mayGoOn(): boolean | Promise<boolean> }
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
  private fail: (cause: unknown) => void = () => {}
  private speed: number
  private isPaused = false
  /** Virtual and real time of the same moment. */
  private base: { readonly virtualMs: number; readonly realMs: number }
  private running: Promise<void> | undefined

  constructor(options: DriverOptions, modules: { readonly chain: DevnetChain; readonly clock: Clock }) {
    this.chain = modules.chain
    this.clock = modules.clock
    this.turbo = options.turbo
    this.speed = options.speed ?? 1
    this.base = { virtualMs: this.chain.nowMs, realMs: this.clock.nowMs() }
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
  }

  setSpeed(speed: number): void {
    this.rebase(this.nowMs())
    this.speed = speed
    this.turbo = undefined
  }

  setTurbo(turbo: NonNullable<DriverOptions['turbo']>): void {
    this.turbo = turbo
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping
    while (!signal.aborted) {
      if (this.isPaused) await this.clock.sleep(IDLE_MS, signal)
      else if (this.turbo) await this.runTurbo(this.turbo)
      else await this.runTimed()
    }
  }

  private async runTurbo(turbo: NonNullable<DriverOptions['turbo']>): Promise<void> {
    if (!(await turbo.mayGoOn())) return this.clock.sleep(IDLE_MS, this.stopping.signal)
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
    await this.clock.sleep(Math.max(MIN_SLEEP_MS, -behindMs / this.speed), this.stopping.signal)
  }

  private wantedMs(): number {
    return this.base.virtualMs + (this.clock.nowMs() - this.base.realMs) * this.speed
  }

  private nextSlotMs(): number {
    return this.chain.genesisTimestampMs + (slotIndex(this.chain.lastSlot) + 1) * SLOT_MS
  }

  private rebase(virtualMs: number): void {
    this.base = { virtualMs, realMs: this.clock.nowMs() }
  }
}
