import { type Clock, Loop } from '../core/index.ts'
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
  private readonly loop: Loop
  /** By peer: in how many looks in a row it was silent. */
  private looks: ReadonlyMap<string, number> = new Map()

  constructor(ports: SilentPeersPorts, clock: Clock) {
    this.ports = ports
    this.loop = new Loop({ everyMs: LOOK_MS }, { clock, look: () => this.look() })
  }

  /** Runs until `stop`. */
  start(): Promise<void> {
    return this.loop.start()
  }

  stop(): Promise<void> {
    return this.loop.stop()
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
}
