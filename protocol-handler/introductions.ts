import { ArchiveError, type Clock, Loop } from '../core/index.ts'
import type { Bindings } from './bindings.ts'
import { MAX_COUNTED_STRANGERS } from './limits.ts'
import { type Capabilities, capabilitiesCodec, signCapabilities } from './messages/capabilities.ts'
import type { TopicName } from './network-name.ts'

const LOOK_MS = 1_000
/**
 * Each node speaks once in so long for each node that there is: one statement in four seconds, network-wide. Of strangers
 * no more than 64 count, whoever made them up: what they say is bounded where it is heard (gossip-rates.ts).
 */
const INTERVAL_MS_PER_NODE = 4_000
const LEAST_INTERVAL_MS = 30_000
/** A newcomer hears of us sooner, but strangers who come all the time do not make all say more than one a second. */
const NEWCOMER_SHARE = 1 / 4
const LEAST_NEWCOMER_MS = 2_000

/**
 * Takes a gossip message; a refusal is thrown.
 *
 * @param author - 38 bytes of PeerId: who signed it, which the network has checked
 * @param isDirect - it came from its author, and not from somebody who hands it on
 */
export type GossipHandler = (bytes: Uint8Array, author: Uint8Array, isDirect: boolean) => Promise<void> | void

/** What of the network introductions need. */
export interface GossipPort {
  /** 38 bytes */
  readonly peerId: Uint8Array
  onGossip(name: TopicName, handler: GossipHandler): void
  publish(name: TopicName, bytes: Uint8Array): Promise<void>
  subscribersOf(name: TopicName): readonly string[]
}

/** What a sidecar says of itself at the moment; the rest stands fast. */
export type Introduction = Omit<Capabilities, 'peerId' | 'sequence'>

/** Sidecars make themselves known: each says from time to time who it is and what it keeps, and remembers what others say. */
export class Introductions {
  private readonly seed: Uint8Array
  private readonly describe: () => Promise<Introduction>
  private readonly network: GossipPort
  private readonly bindings: Bindings
  private readonly sequence: { next(): Promise<bigint> }
  private readonly clock: Clock
  private readonly onHeard: (address: string) => void
  private readonly loop: Loop
  private greeted: ReadonlySet<string> = new Set()
  private saidAtMs = Number.NEGATIVE_INFINITY

  /** @param seed - 32-byte secret of the Massa key that the node speaks for */
  constructor(
    options: { readonly seed: Uint8Array; readonly describe: () => Promise<Introduction> },
    modules: {
      readonly network: GossipPort
      readonly bindings: Bindings
      /** Numbers of statements: each is more than all before it, those before a restart too. */
      readonly sequence: { next(): Promise<bigint> }
      readonly clock: Clock
      /** Each time a node says who it is: its Massa address. */
      readonly onHeard?: (address: string) => void
      /** What keeps it from speaking for now. */
      readonly onFailure: (error: ArchiveError) => void
    },
  ) {
    this.seed = options.seed
    this.describe = options.describe
    this.network = modules.network
    this.bindings = modules.bindings
    this.sequence = modules.sequence
    this.clock = modules.clock
    this.onHeard = modules.onHeard ?? (() => undefined)
    this.loop = new Loop(
      { everyMs: LOOK_MS },
      { clock: modules.clock, look: () => this.lookOnce(), onFailure: modules.onFailure },
    )
  }

  /** Runs until `stop`. @throws what is no ArchiveError: a bug */
  start(): Promise<void> {
    this.network.onGossip('capabilities', (bytes, author) => {
      const known = this.bindings.take(capabilitiesCodec.decode(bytes), author)
      // Not passed on: there is no room for it here, and there may be none elsewhere.
      if (known === undefined) throw new ArchiveError('PROTOCOL_QUEUE_FULL', 'no room for a stranger')
      this.onHeard(known)
    })
    return this.loop.start()
  }

  stop(): Promise<void> {
    return this.loop.stop()
  }

  /** Speaks when it is time to, or when somebody is there who did not hear us yet. */
  async lookOnce(): Promise<void> {
    const listeners = this.network.subscribersOf('capabilities')
    if (listeners.length === 0) return
    const pacedMs = (this.bindings.count(MAX_COUNTED_STRANGERS) + 1) * INTERVAL_MS_PER_NODE
    const hasNewcomer = listeners.some((peer) => !this.greeted.has(peer))
    const intervalMs = hasNewcomer
      ? Math.max(LEAST_NEWCOMER_MS, pacedMs * NEWCOMER_SHARE)
      : Math.max(LEAST_INTERVAL_MS, pacedMs)
    if (this.clock.monotonicMs() - this.saidAtMs < intervalMs) return
    await this.speak()
    this.greeted = new Set(listeners)
    this.saidAtMs = this.clock.monotonicMs()
  }

  private async speak(): Promise<void> {
    const said = await this.describe()
    const own = { ...said, peerId: this.network.peerId, sequence: await this.sequence.next() }
    await this.network.publish('capabilities', capabilitiesCodec.encode(signCapabilities(this.seed, own)))
  }
}
