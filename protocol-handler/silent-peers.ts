import type { Clock } from '../core/index.ts'
import { MAX_SILENT_SECONDS } from './limits.ts'

const LOOK_MS = 1_000

export interface SilentPeersPorts {
  /** PeerIds of who is connected and showed nothing of our network yet. */
  readonly listSilent: () => readonly string[]
  readonly refuse: (peer: string) => void
}

/**
 * Has peers give up their place that do not show within a minute that they are of our network.
 *
 * Looks are counted, not time: while this process stood still nobody could show anything.
 */
export class SilentPeers {
  private readonly ports: SilentPeersPorts
  private readonly clock: Clock
  private readonly stopping = new AbortController()
  /** By peer: in how many looks in a row it was silent. */
  private looks: ReadonlyMap<string, number> = new Map()
  private loop: Promise<void> | undefined

  constructor(ports: SilentPeersPorts, clock: Clock) {
    this.ports = ports
    this.clock = clock
  }

  /** Runs until `stop`. */
  start(): Promise<void> {
    this.loop ??= this.run()
    return this.loop
  }

  async stop(): Promise<void> {
    this.stopping.abort()
    await this.loop
  }

  look(): void {
    const looks = new Map<string, number>()
    for (const peer of this.ports.listSilent()) {
      const count = this.looks.get(peer) ?? 0
      if (count < MAX_SILENT_SECONDS) looks.set(peer, count + 1)
      else this.ports.refuse(peer)
    }
    this.looks = looks
  }

  private async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      this.look()
      await this.clock.sleep(LOOK_MS, this.stopping.signal)
    }
  }
}
