import { type Clock, Loop, PERIOD_MS, type Period } from '../../core/index.ts'
import {
  announcementCodec,
  computeRootsHash,
  type GossipPort,
  MAX_ANNOUNCED_PERIODS,
} from '../../protocol-handler/index.ts'
import { type HeldSpanStore, readHeldSpan } from './held-span.ts'
import type { OwnHoldings } from './own-holdings.ts'

const LOOK_MS = 1_000
/**
 * One announcement of a node for so many nodes and period: one message a second, network-wide. Of 1,000 nodes each is heard
 * of every 17 minutes, three times in the default `p2p.repair_delay_seconds`.
 */
const NODES_PER_MESSAGE = 16

/** Our place among the nodes of the placement in force. */
export interface OwnPlace {
  /** How many there are. */
  readonly nodes: number
  /** Position of ours, from 0: those behind each other speak in other periods. */
  readonly position: number
  /** Hash slots that placement gives us, ascending; none: nothing to announce. */
  readonly slots: readonly number[]
}

export interface AnnouncerModules {
  readonly store: HeldSpanStore
  readonly holdings: Pick<OwnHoldings, 'readRange'>
  readonly network: Pick<GossipPort, 'publish' | 'subscribersOf'>
  /** Undefined when the placement in force does not know us. */
  readonly ownPlace: () => OwnPlace | undefined
  readonly clock: Clock
  readonly onAnnounced: (firstPeriod: Period, lastPeriod: Period) => void
  /** What keeps it from speaking for now. */
  readonly onFailure: (error: unknown) => void
}

/** Periods for which a node announces once, with so many nodes, each of 16 s by the clock. */
export function computeAnnouncedPeriods(nodes: number): number {
  return Math.min(MAX_ANNOUNCED_PERIODS, Math.max(1, Math.ceil(nodes / NODES_PER_MESSAGE)))
}

/**
 * Announces what this node has of its last n = ceil(N / 16) periods, once in so many; no other time, and no more often
 * than once in n x 16 s by the clock. Where periods pass faster, as while it catches up, or on a devnet, an announcement
 * tells of all since the one before, up to 1,024.
 */
export class Announcer {
  private readonly modules: AnnouncerModules
  private readonly loop: Loop
  private last: Period = -1
  private saidAtMs = Number.NEGATIVE_INFINITY

  constructor(modules: AnnouncerModules) {
    this.modules = modules
    this.loop = new Loop(
      { everyMs: LOOK_MS },
      { clock: modules.clock, look: () => this.look(), onFailure: modules.onFailure },
    )
  }

  /** Runs until `stop`. @throws what is no ArchiveError: a bug */
  start(): Promise<void> {
    return this.loop.start()
  }

  stop(): Promise<void> {
    return this.loop.stop()
  }

  /** Last period that was announced since the start. */
  get announcedTo(): Period | undefined {
    return this.last < 0 ? undefined : this.last
  }

  /** Announces when it is time to. */
  async look(): Promise<void> {
    const { store, holdings, network, ownPlace, clock } = this.modules
    const place = ownPlace()
    if (!place || place.slots.length === 0 || network.subscribersOf('announce').length === 0) return
    const periods = computeAnnouncedPeriods(place.nodes)
    const nowMs = clock.monotonicMs()
    if (nowMs - this.saidAtMs < periods * PERIOD_MS) return
    const range = await holdings.readRange()
    if (!range) return
    // Ours of the last periods: in each one other nodes speak, and what one tells of follows what it told before.
    const lastPeriod = range.last - ((range.last - (place.position % periods) + periods) % periods)
    const least = lastPeriod - periods + 1
    if (least < range.first || lastPeriod <= this.last) return
    const most = Math.max(lastPeriod - MAX_ANNOUNCED_PERIODS, range.first - 1, this.last) + 1
    const wanted = this.last < 0 ? least : Math.min(least, most)
    // A gap in what is longer does not keep us from speaking of the last ones.
    const whole = await readHeldSpan(store, wanted, lastPeriod)
    const span = whole ?? (wanted < least ? await readHeldSpan(store, least, lastPeriod) : undefined)
    // What is missing between comes in a moment; else the next ones are announced.
    if (!span) return
    const firstPeriod = lastPeriod - span.roots.length + 1
    const { missing, heldChunks: chunkCount } = span
    const announcement = {
      firstPeriod,
      periodCount: span.roots.length,
      chunkCount,
      rootsHash: computeRootsHash(firstPeriod, span.roots),
      incompleteSlots: missing.size === 0 ? [] : place.slots.filter((slot) => missing.has(slot)),
    }
    await network.publish('announce', announcementCodec.encode(announcement))
    this.last = lastPeriod
    this.saidAtMs = nowMs
    this.modules.onAnnounced(firstPeriod, lastPeriod)
  }
}
