import { ArchiveError, type Clock, isArchiveError, Loop, type Network, type Period } from '../../core/index.ts'
import { type ChunkAnnouncement, MAX_CLAIMANTS, MAX_MAP_FETCHES } from '../../protocol-handler/index.ts'
import type { PeerClient } from '../peers/peer-client.ts'
import { runInSlices } from '../placement/run-in-slices.ts'
import { Claimant, type CopyDoubt, type Difference, type PeriodSpan } from './claimant.ts'
import { compactPages } from './claimed-map.ts'
import { eraOf } from './own-holdings.ts'

const LOOK_MS = 2_000
/** Announcements tell on what is new; this is for what is lost or fetched of the old. */
export const HAVE_INTERVAL_MS = 600_000
/** Who lacks something is fetching it, and others hold it meanwhile who need not. */
const LACKING_INTERVAL_MS = 60_000
/** Whoever comes and goes, or announces changes all the time, is not asked more often. */
const LEAST_GAP_MS = 30_000
/** The map of the other is being made, or made anew while it was read. */
const BUSY_MS = 5_000
/** It cannot be reached, or has nothing yet. */
const RETRY_MS = 60_000
/** A map of 32 pages in that time: whoever drips is asked again in an hour. */
const FETCH_MS = 60_000
const DRIPPING_MS = 3_600_000
/** Whoever gives no newer map for so long is not believed any more. */
const MAX_AGE_MS = 3_600_000
/** Who connects and goes is seen so late. */
const CONNECTED_MS = 1_000

export interface HolderClaimsOptions {
  readonly network: Network
  /** Massa address that we speak for: never told as a claimant. */
  readonly ownAddress: string
  /** How long a node counts as live after it was heard of: `p2p.repair_delay_seconds`. */
  readonly livenessMs: number
}

export interface HolderClaimsModules {
  readonly client: Pick<PeerClient, 'fetchHaveMap'>
  readonly ports: {
    /** Connected peers, with the Massa address that each is bound to. */
    readonly listPeers: () => readonly { readonly peer: string; readonly address: string }[]
    /** Addresses of peers that are banned. */
    readonly listBanned: () => readonly string[]
    /** Whether the placement in force knows the node; others hold nothing that counts. */
    readonly isNode: (address: string) => boolean
    /** First period that the node says it has. */
    readonly firstPeriodOf: (address: string) => Period | undefined
    /** Whether the node says so. */
    readonly keepsForEver: (address: string) => boolean
    /** Whether the node says that it offers less than the placement in force counts on. */
    readonly isTooSmall: (address: string) => boolean
    /** First period of our own archive. */
    readonly readOwnFirst: () => Promise<Period | undefined>
  }
  readonly clock: Clock
  /** Nodes that cannot be reached, or answer wrongly. */
  readonly onFailure: (error: ArchiveError) => void
}

interface Known {
  readonly claimant: Claimant
  askedAtMs: number
  /** Of its last have-map. */
  takenAtMs: number
  dueAtMs: number
  /** Said to have changed since it was asked. */
  isChanged: boolean
}

/**
 * What other nodes say that they hold, by their have-maps and announcements.
 *
 * Words, not proofs: good for finding who may give a chunk and for counting what may be lost. Nothing is dropped for them.
 */
export class HolderClaims {
  private readonly options: HolderClaimsOptions
  private readonly modules: HolderClaimsModules
  private readonly loop: Loop
  private readonly known = new Map<string, Known>()
  /** By address: when it was heard of by gossip. */
  private readonly heardAtMs = new Map<string, number>()
  /** By address. */
  private readonly fetches = new Map<string, { readonly end: AbortController; readonly done: Promise<void> }>()
  /** By address. */
  private connected: ReadonlyMap<string, string> = new Map()
  /** The same, at the last look. */
  private seen: ReadonlyMap<string, string> = new Map()
  private connectedAtMs = Number.NEGATIVE_INFINITY
  private ownFirst: Period = Number.POSITIVE_INFINITY
  private bug: unknown

  constructor(options: HolderClaimsOptions, modules: HolderClaimsModules) {
    this.options = options
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

  async stop(): Promise<void> {
    await this.loop.stop()
    for (const { end } of this.fetches.values()) end.abort()
    await this.idle()
  }

  /** Waits for the maps that are being read. */
  async idle(): Promise<void> {
    while (this.fetches.size > 0) await Promise.all(Array.from(this.fetches.values(), ({ done }) => done))
  }

  /**
   * Live nodes, never our own, that say they hold the chunks of this hash slot in this era, as far as it has come.
   *
   * @param periods - of the era, that matter; unless given they may lack periods that they name
   */
  listClaimants(hashSlot: number, era: number, periods?: PeriodSpan): readonly string[] {
    const { ownFirst } = this
    const nowMs = this.modules.clock.monotonicMs()
    const claimants: string[] = []
    for (const [address, { claimant }] of this.known) {
      if (!claimant.map || !this.isLive(address)) continue
      const firstPeriod = this.modules.ports.firstPeriodOf(address) ?? Number.POSITIVE_INFINITY
      if (claimant.claims(hashSlot, era, { nowMs, firstPeriod, ownFirst, periods })) claimants.push(address)
    }
    return claimants
  }

  /**
   * Connected, or heard of not too long ago. Who shows nothing of what it says it holds, or has less room than it declared,
   * is as good as away.
   */
  isLive(address: string): boolean {
    if (address === this.options.ownAddress) return false
    const nowMs = this.modules.clock.monotonicMs()
    if (this.known.get(address)?.claimant.isAllWithdrawn(nowMs) || this.modules.ports.isTooSmall(address)) return false
    return this.readConnected().has(address) || this.isHeard(address)
  }

  /** True when its have-map is known, and says that not all of this hash slot is there up to its head, or audits say so. */
  isIncomplete(address: string, hashSlot: number): boolean {
    const claimant = this.known.get(address)?.claimant
    const nowMs = this.modules.clock.monotonicMs()
    return claimant !== undefined && (claimant.isIncomplete(hashSlot, nowMs) || this.beginsLate(address))
  }

  /**
   * It keeps for ever, and its archive begins eras after ours: it did not fetch the others yet, and its have-map is whole
   * without them. Not periods: the oldest of a network are such as nobody can prove.
   */
  private beginsLate(address: string): boolean {
    const { firstPeriodOf, keepsForEver } = this.modules.ports
    const first = firstPeriodOf(address)
    return first !== undefined && keepsForEver(address) && eraOf(first) > eraOf(this.ownFirst)
  }

  /** True when its have-map is known, and says that all of this hash slot is there up to its head. */
  isComplete(address: string, hashSlot: number): boolean {
    return this.known.get(address)?.claimant.map !== undefined && !this.isIncomplete(address, hashSlot)
  }

  /** Why a node is not believed to hold the chunks of this hash slot in this era, if so. */
  doubtOf(address: string, hashSlot: number, era: number): CopyDoubt | undefined {
    if (this.modules.ports.isTooSmall(address)) return 'tooSmall'
    return this.known.get(address)?.claimant.doubt(hashSlot, era, this.modules.clock.monotonicMs())
  }

  /** When its have-map was taken, by the monotonic clock; undefined while none of it is known. */
  mapTakenAtMs(address: string): number | undefined {
    const known = this.known.get(address)
    return known?.claimant.map && known.takenAtMs
  }

  /** PeerId text while connected. */
  peerOf(address: string): string | undefined {
    return this.readConnected().get(address)
  }

  listLive(): readonly string[] {
    const live = new Set(this.readConnected().keys())
    for (const address of this.heardAtMs.keys()) if (this.isHeard(address)) live.add(address)
    return [...live].filter((address) => this.isLive(address))
  }

  /** A message that the node itself has signed came by gossip. */
  heard(address: string): void {
    this.heardAtMs.set(address, this.modules.clock.monotonicMs())
  }

  /** What a node announces of its last periods, checked by whoever took it. */
  takeAnnouncement(address: string, announcement: ChunkAnnouncement): void {
    this.heard(address)
    const known = this.touch(address)
    if (known?.claimant.takeAnnouncement(announcement)) this.hurry(known)
  }

  /** It did not show what it says that it holds there: for six hours that is not believed. */
  withdraw(address: string, hashSlot: number, era: number): void {
    this.known.get(address)?.claimant.withdraw(hashSlot, era, this.modules.clock.monotonicMs())
  }

  /** It shows nothing of what it says that it holds: for six hours it counts as away. */
  withdrawAll(address: string): void {
    this.known.get(address)?.claimant.withdrawAll(this.modules.clock.monotonicMs())
  }

  /** Nothing that a node says of what it holds, lacks or stands in for counts while its archive or placement is another than ours. */
  distrust(address: string, isDistrusted: boolean, difference: Difference = 'archive'): void {
    const known = isDistrusted ? this.touch(address) : this.known.get(address)
    if (isDistrusted) known?.claimant.differences.add(difference)
    else known?.claimant.differences.delete(difference)
  }

  /** Nodes with a have-map that counts, and the memory that these take. */
  report(): { readonly liveNodes: number; readonly haveMaps: number; readonly sizeBytes: number } {
    const maps = [...this.known.values()].flatMap(({ claimant }) => claimant.map ?? [])
    const sizeBytes = maps.reduce((sum, map) => sum + map.sizeBytes, 0)
    return { liveNodes: this.listLive().length, haveMaps: maps.length, sizeBytes }
  }

  /** Asks those of whom it is time to; does not wait for their answers. */
  async look(): Promise<void> {
    if (this.bug !== undefined) throw this.bug
    this.ownFirst = (await this.modules.ports.readOwnFirst()) ?? Number.POSITIVE_INFINITY
    for (const address of this.modules.ports.listBanned()) this.forget(address)
    this.forgetGone()
    this.connectedAtMs = Number.NEGATIVE_INFINITY
    const connected = this.readConnected()
    const nowMs = this.modules.clock.monotonicMs()
    const due: { readonly known: Known; readonly peer: string; readonly address: string }[] = []
    for (const [address, peer] of connected) {
      if (address === this.options.ownAddress || this.fetches.has(address)) continue
      const known = this.touch(address)
      if (!known) continue
      // It may have been started anew, with another disk.
      if (this.seen.get(address) !== peer) this.hurry(known)
      if (known.dueAtMs <= nowMs) due.push({ known, peer, address })
    }
    this.seen = connected
    due.sort((a, b) => a.known.dueAtMs - b.known.dueAtMs)
    for (const { known, peer, address } of due.slice(0, MAX_MAP_FETCHES - this.fetches.size)) {
      const end = new AbortController()
      this.fetches.set(address, { end, done: this.fetch(known, { peer, address, end }) })
    }
  }

  /** For somebody who wants to know now what a connected node holds; what comes of it is told as ever. */
  async askNow(address: string): Promise<void> {
    const peer = this.readConnected().get(address)
    const known = peer === undefined ? undefined : this.touch(address)
    if (peer === undefined || !known) return
    await this.fetches.get(address)?.done
    const end = new AbortController()
    const done = this.fetch(known, { peer, address, end })
    this.fetches.set(address, { end, done })
    await done
  }

  /** Never rejects: a bug is thrown by the next look. */
  private async fetch(
    known: Known,
    { peer, address, end }: { readonly peer: string; readonly address: string; readonly end: AbortController },
  ): Promise<void> {
    const { clock } = this.modules
    known.askedAtMs = clock.monotonicMs()
    known.isChanged = false
    void clock.sleep(FETCH_MS, end.signal).then(() => end.abort())
    try {
      known.dueAtMs = clock.monotonicMs() + (await this.ask(known, { peer, address, signal: end.signal }))
      if (known.isChanged) this.hurry(known)
    } catch (error) {
      this.onFailed(
        known,
        end.signal.aborted ? new ArchiveError('PROTOCOL_PEER_LIMIT', 'a have-map that drips', { peer }) : error,
      )
    } finally {
      end.abort()
      this.fetches.delete(address)
    }
  }

  private onFailed(known: Known, error: unknown): void {
    if (this.loop.signal.aborted) return
    const isLate = isArchiveError(error, 'PROTOCOL_PEER_LIMIT')
    known.dueAtMs = this.modules.clock.monotonicMs() + (isLate ? DRIPPING_MS : RETRY_MS)
    if (!isArchiveError(error)) {
      this.bug = error
      return
    }
    // Who is only away may hold what it said; how long that counts is the same for all.
    if (error.code !== 'PROTOCOL_PEER_UNREACHABLE') known.claimant.forgetMap()
    this.modules.onFailure(error)
  }

  /** @returns after how many ms it should be asked again */
  private async ask(
    known: Known,
    { peer, address, signal }: { readonly peer: string; readonly address: string; readonly signal: AbortSignal },
  ): Promise<number> {
    const { claimant } = known
    const answer = await this.modules.client.fetchHaveMap(peer, address, this.options.network, signal)
    if (answer.status === 'notHeld') {
      claimant.forgetMap()
      return RETRY_MS
    }
    if (answer.status !== 'ok') return BUSY_MS
    const map = await runInSlices(compactPages(answer.value))
    known.takenAtMs = this.modules.clock.monotonicMs()
    if (claimant.takeMap(map)) {
      return claimant.lacksSome || this.beginsLate(address) ? LACKING_INTERVAL_MS : HAVE_INTERVAL_MS
    }
    throw new ArchiveError('PROTOCOL_SEQUENCE_OLD', `a have-map of period ${map.headPeriod} after a later one`, {
      peer,
    })
  }

  private touch(address: string): Known | undefined {
    const known = this.known.get(address)
    if (known) return known
    if (address === this.options.ownAddress || !this.modules.ports.isNode(address)) return undefined
    if (this.known.size >= MAX_CLAIMANTS) return undefined
    const made = {
      claimant: new Claimant(),
      askedAtMs: Number.NEGATIVE_INFINITY,
      takenAtMs: 0,
      dueAtMs: 0,
      isChanged: false,
    }
    this.known.set(address, made)
    return made
  }

  private hurry(known: Known): void {
    known.isChanged = true
    known.dueAtMs = Math.min(known.dueAtMs, known.askedAtMs + LEAST_GAP_MS)
  }

  private forget(address: string): void {
    this.known.get(address)?.claimant.forgetMap()
    this.heardAtMs.delete(address)
  }

  private forgetGone(): void {
    for (const address of this.heardAtMs.keys()) if (!this.isHeard(address)) this.heardAtMs.delete(address)
    const nowMs = this.modules.clock.monotonicMs()
    for (const [address, { claimant, takenAtMs }] of this.known) {
      if (!this.modules.ports.isNode(address)) this.known.delete(address)
      else if (!this.isLive(address) || nowMs - takenAtMs > MAX_AGE_MS) claimant.forgetMap()
    }
  }

  private isHeard(address: string): boolean {
    const atMs = this.heardAtMs.get(address)
    return atMs !== undefined && this.modules.clock.monotonicMs() - atMs <= this.options.livenessMs
  }

  private readConnected(): ReadonlyMap<string, string> {
    const nowMs = this.modules.clock.monotonicMs()
    if (nowMs - this.connectedAtMs >= CONNECTED_MS) {
      this.connectedAtMs = nowMs
      this.connected = new Map(this.modules.ports.listPeers().map(({ peer, address }) => [address, peer]))
    }
    return this.connected
  }
}
