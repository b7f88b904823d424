import { type Clock, Loop } from '../core/index.ts'

const LOOK_MS = 1_000
const FIRST_WAIT_MS = 1_000
/** A peer that was away for a day is found again within so long. */
const LONGEST_WAIT_MS = 300_000
/** As many dials at a time as a small machine bears beside its work. */
const MAX_DIALS = 8

export interface RedialPorts {
  /** Multiaddrs that should be connected: from the configuration, the registry, capabilities. */
  readonly listTargets: () => readonly string[]
  readonly isConnected: (address: string) => boolean
  /** Rejects when nobody answers there. */
  readonly dial: (address: string) => Promise<unknown>
}

interface Wait {
  readonly untilMs: number
  readonly lastMs: number
}

/**
 * Keeps us connected to whom we know: libp2p finds peers and gives a lost one up after some tries (facts: stack 2.4).
 *
 * A target that does not answer is tried again after 1, 2, 4 ... seconds, at most 5 minutes; so is one that cuts the
 * connection sooner than that. One that was connected for longer and is lost is tried at once.
 */
export class Redialer {
  private readonly ports: RedialPorts
  private readonly clock: Clock
  private readonly loop: Loop
  private readonly waits = new Map<string, Wait>()
  private readonly dialing = new Set<string>()

  constructor(ports: RedialPorts, clock: Clock) {
    this.ports = ports
    this.clock = clock
    this.loop = new Loop({ everyMs: LOOK_MS }, { clock, look: () => this.beginLook() })
  }

  start(): void {
    void this.loop.start()
  }

  stop(): Promise<void> {
    return this.loop.stop()
  }

  /** Dials what is due, as many as may be at a time; resolves when they were answered or not. */
  async lookOnce(): Promise<void> {
    const targets = new Set(this.ports.listTargets())
    for (const known of this.waits.keys()) if (!targets.has(known)) this.waits.delete(known)
    const due = [...targets].filter((address) => this.isDue(address)).slice(0, MAX_DIALS - this.dialing.size)
    await Promise.all(due.map((address) => this.dial(address)))
  }

  /** A target that hangs does not keep the others from being dialled. */
  private beginLook(): void {
    void this.lookOnce()
  }

  private isDue(address: string): boolean {
    if (this.dialing.has(address)) return false
    const isOver = (this.waits.get(address)?.untilMs ?? Number.NEGATIVE_INFINITY) <= this.clock.monotonicMs()
    if (!this.ports.isConnected(address)) return isOver
    if (isOver) this.waits.delete(address)
    return false
  }

  private async dial(address: string): Promise<void> {
    this.dialing.add(address)
    try {
      await this.ports.dial(address)
    } catch {
      // Who does not answer is no news: status tells who is connected.
    } finally {
      const lastMs = Math.min(LONGEST_WAIT_MS, (this.waits.get(address)?.lastMs ?? FIRST_WAIT_MS / 2) * 2)
      this.waits.set(address, { untilMs: this.clock.monotonicMs() + lastMs, lastMs })
      this.dialing.delete(address)
    }
  }
}
