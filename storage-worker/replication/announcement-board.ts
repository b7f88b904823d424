import {
  ArchiveError,
  type ChunkStore,
  type Clock,
  equalBytes,
  Loop,
  PERIOD_MS,
  type Period,
  TokenBucket,
} from '../../core/index.ts'
import {
  announcementCodec,
  type ChunkAnnouncement,
  computeRootsHash,
  type GossipPort,
  MAX_ANNOUNCEMENTS_AT_ONCE,
  MAX_EXCESS_ANNOUNCEMENTS,
  MAX_PERIODS_AHEAD,
  peekLastPeriod,
  verdictOf,
} from '../../protocol-handler/index.ts'
import type { Logger } from '../../telemetry/index.ts'
import { computeAnnouncedPeriods } from './announcer.ts'
import { readRoots } from './held-span.ts'
import type { HolderClaims } from './holder-claims.ts'
import type { OwnHoldings } from './own-holdings.ts'

const LOOK_MS = 2_000

/** What became of an announcement. */
export type AnnouncementResult = 'taken' | 'ignored' | 'rejected'

export interface AnnouncementBoardModules {
  readonly network: Pick<GossipPort, 'onGossip'>
  readonly store: Pick<ChunkStore, 'listSummaries'>
  readonly holdings: Pick<OwnHoldings, 'readRange'>
  readonly claims: Pick<HolderClaims, 'takeAnnouncement' | 'distrust'>
  readonly ports: {
    /** Massa address that a PeerId of 38 bytes is bound to. */
    readonly addressOf: (peerId: Uint8Array) => string | undefined
    /** Whether the placement in force knows a node, and how many it knows. */
    readonly isNode: (address: string) => boolean
    readonly countNodes: () => number
    /** Newest final period that our massa-nodes, or our archive, know. */
    readonly newestPeriod: () => Period | undefined
    /** A node has these periods, but for hash slots of which it says that it lacks something. */
    readonly onAnnounced: (firstPeriod: Period, lastPeriod: Period) => void
    /** A PeerId says more than it may, to us. */
    readonly onExcess: (peerId: Uint8Array) => void
  }
  readonly clock: Clock
  readonly log: Logger
  readonly onResult: (result: AnnouncementResult) => void
}

interface Author {
  readonly nodes: number
  readonly bucket: TokenBucket
  excess: number
  lastPeriod: Period
  /** Waits until our archive has come as far. */
  pending: ChunkAnnouncement | undefined
  differs: boolean
}

/**
 * Takes what other nodes announce: bounded, from nodes of the placement in force alone, and compared with our own archive.
 *
 * A node whose archive has other roots than ours is told of once, and nothing that it says of what it holds counts, until
 * it announces what we have, too.
 */
export class AnnouncementBoard {
  private readonly modules: AnnouncementBoardModules
  private readonly loop: Loop
  private readonly authors = new Map<string, Author>()

  constructor(modules: AnnouncementBoardModules) {
    this.modules = modules
    this.loop = new Loop(
      { everyMs: LOOK_MS },
      {
        clock: modules.clock,
        look: () => this.look(),
        onFailure: (error) => modules.log.warn({ err: error }, 'announcements not compared'),
      },
    )
  }

  /** Runs until `stop`. @throws what is no ArchiveError: a bug */
  start(): Promise<void> {
    this.modules.network.onGossip('announce', (...message) => this.take(...message))
    return this.loop.start()
  }

  stop(): Promise<void> {
    return this.loop.stop()
  }

  /** Addresses of nodes whose archive has other roots than ours. */
  listDiffering(): readonly string[] {
    return [...this.authors].flatMap(([address, { differs }]) => (differs ? [address] : []))
  }

  /**
   * @param peerId - 38 bytes: whose key signed the message
   * @param isDirect - its author itself sent it
   * @throws ArchiveError PROTOCOL_SENDER_UNKNOWN, PROTOCOL_PEER_LIMIT, PROTOCOL_MESSAGE_INVALID, PROTOCOL_VERSION_UNKNOWN,
   *   PROTOCOL_PERIOD_FUTURE, PROTOCOL_SEQUENCE_OLD
   */
  take(bytes: Uint8Array, peerId: Uint8Array, isDirect: boolean): void {
    try {
      this.takeChecked(bytes, peerId, isDirect)
      this.modules.onResult('taken')
    } catch (error) {
      this.modules.onResult(verdictOf(error) === 'reject' ? 'rejected' : 'ignored')
      throw error
    }
  }

  /** Compares what was announced with our archive, as far as that has come. */
  async look(): Promise<void> {
    const { holdings, ports, claims } = this.modules
    for (const address of this.authors.keys()) if (!ports.isNode(address)) this.authors.delete(address)
    const range = await holdings.readRange()
    if (!range) return
    for (const [address, author] of this.authors) {
      const { pending } = author
      if (!pending || pending.firstPeriod + pending.periodCount > range.last + 1) continue
      author.pending = undefined
      const isEqual = await this.compare(pending)
      if (isEqual === undefined || isEqual === !author.differs) continue
      author.differs = !isEqual
      claims.distrust(address, !isEqual)
      this.tell(address, pending, isEqual)
    }
  }

  private takeChecked(bytes: Uint8Array, peerId: Uint8Array, isDirect: boolean): void {
    const { ports, claims } = this.modules
    const address = ports.addressOf(peerId)
    if (address === undefined || !ports.isNode(address)) {
      throw new ArchiveError('PROTOCOL_SENDER_UNKNOWN', 'an announcement of a node that the placement does not know')
    }
    const author = this.touch(address, ports.countNodes())
    // Anybody can hand on an old one again: it takes nothing of what its author may say.
    const peeked = peekLastPeriod(bytes)
    if (peeked !== undefined && peeked <= author.lastPeriod) {
      throw new ArchiveError('PROTOCOL_SEQUENCE_OLD', `period ${peeked} is announced after ${author.lastPeriod}`)
    }
    // Before it is decoded: the largest takes its time.
    if (!author.bucket.take()) {
      if (isDirect && ++author.excess % MAX_EXCESS_ANNOUNCEMENTS === 0) ports.onExcess(peerId)
      throw new ArchiveError('PROTOCOL_PEER_LIMIT', 'announcements come faster than they may')
    }
    const announcement = announcementCodec.decode(bytes)
    const lastPeriod = announcement.firstPeriod + announcement.periodCount - 1
    const newest = ports.newestPeriod()
    if (newest === undefined || lastPeriod > newest + MAX_PERIODS_AHEAD) {
      throw new ArchiveError('PROTOCOL_PERIOD_FUTURE', `period ${lastPeriod} is announced, ${newest} is final here`)
    }
    author.lastPeriod = lastPeriod
    author.pending ??= announcement
    claims.takeAnnouncement(address, announcement)
    ports.onAnnounced(announcement.firstPeriod, lastPeriod)
  }

  private touch(address: string, nodes: number): Author {
    const known = this.authors.get(address)
    if (known?.nodes === nodes) return known
    const perSecond = 1_000 / (computeAnnouncedPeriods(nodes) * PERIOD_MS)
    const bucket = new TokenBucket({ perSecond, burst: MAX_ANNOUNCEMENTS_AT_ONCE }, this.modules.clock)
    const made = { excess: 0, lastPeriod: -1, pending: undefined, differs: false, ...known, nodes, bucket }
    this.authors.set(address, made)
    return made
  }

  /** Undefined where we lack one of its periods. */
  private async compare({ firstPeriod, periodCount, rootsHash }: ChunkAnnouncement): Promise<boolean | undefined> {
    const own = await readRoots(this.modules.store, firstPeriod, firstPeriod + periodCount - 1)
    return own && equalBytes(computeRootsHash(firstPeriod, own.roots), rootsHash)
  }

  private tell(address: string, { firstPeriod, periodCount }: ChunkAnnouncement, isEqual: boolean): void {
    const fields = { address, firstPeriod, lastPeriod: firstPeriod + periodCount - 1 }
    if (isEqual) this.modules.log.info(fields, 'node announces the roots of this archive again')
    else {
      const code = 'PROTOCOL_ROOTS_DIFFER'
      this.modules.log.warn({ ...fields, code }, 'node announces other roots than this archive has')
    }
  }
}
