import { type Clock, isArchiveError, Loop } from '../../core/index.ts'
import type { HolderClaims } from './holder-claims.ts'

const LOOK_MS = 2_000
/** A have-map counts for an hour (holder-claims.ts): who does not answer is tried again before that. */
export const VISIT_INTERVAL_MS = 1_800_000
/** Who could not be reached, or gave no have-map. */
const RETRY_MS = 300_000
/** Connecting, hearing who it is, and asking; with 4 at a time 188 nodes take 24 minutes at worst. */
export const VISIT_MS = 30_000
export const MAX_VISITS = 4
/** As many as a table has nodes that concern one, far past what the arithmetic finds. */
const MAX_TRIED = 2_000

export interface MapVisitsModules {
  /** Massa addresses of nodes whose holdings concern us. */
  readonly listNeighbours: () => readonly string[]
  readonly claims: Pick<HolderClaims, 'isLive' | 'peerOf' | 'mapTakenAtMs'>
  readonly ports: {
    /** Multiaddr at which a node listens. */
    readonly addressOf: (address: string) => string | undefined
    /** @returns PeerId text; rejects when nobody answers */
    readonly dial: (multiaddr: string) => Promise<string>
    readonly hangUp: (peer: string) => Promise<void>
    /** PeerIds of who is connected. */
    readonly listPeers: () => readonly string[]
    /** There is no room for connections that nothing else needs. */
    readonly isCrowded: () => boolean
  }
  readonly clock: Clock
}

interface Visit {
  readonly sinceMs: number
  /** Undefined while it is dialled. */
  peer: string | undefined
  /** It was connected already, and we did not know whose it is. */
  wasHere: boolean
}

/**
 * Connects for a moment with nodes whose have-maps concern us and that are here without being connected: there may be more
 * of them than connections. Who asks for the maps is `HolderClaims`, of whoever is connected.
 */
export class MapVisits {
  private readonly modules: MapVisitsModules
  private readonly loop: Loop
  /** By address. */
  private readonly visits = new Map<string, Visit>()
  /** By address: when it was visited; the oldest first. */
  private readonly triedAtMs = new Map<string, number>()

  constructor(modules: MapVisitsModules) {
    this.modules = modules
    this.loop = new Loop({ everyMs: LOOK_MS }, { clock: modules.clock, look: () => this.look() })
  }

  /** Runs until `stop`. @throws a bug */
  start(): Promise<void> {
    return this.loop.start()
  }

  stop(): Promise<void> {
    return this.loop.stop()
  }

  /** Ends visits that are over, and begins others; resolves when those were dialled. */
  async look(): Promise<void> {
    const nowMs = this.modules.clock.monotonicMs()
    await Promise.all([...this.visits].map(([address, visit]) => this.endIfOver(address, visit, nowMs)))
    const begun = this.listDue(nowMs).slice(0, MAX_VISITS - this.visits.size)
    await Promise.all(begun.map((address) => this.begin(address, nowMs)))
  }

  /** Those first that were not visited for longest, and of these whose map is not known, or is the oldest. */
  private listDue(nowMs: number): string[] {
    const { listNeighbours, claims } = this.modules
    const due: { readonly address: string; readonly triedAtMs: number; readonly takenAtMs: number }[] = []
    for (const address of listNeighbours()) {
      if (this.visits.has(address) || claims.peerOf(address) !== undefined || !claims.isLive(address)) continue
      const triedAtMs = this.triedAtMs.get(address) ?? Number.NEGATIVE_INFINITY
      if (nowMs - triedAtMs < RETRY_MS) continue
      const takenAtMs = claims.mapTakenAtMs(address) ?? Number.NEGATIVE_INFINITY
      if (nowMs - takenAtMs >= VISIT_INTERVAL_MS) due.push({ address, triedAtMs, takenAtMs })
    }
    due.sort((a, b) => compare(a.triedAtMs, b.triedAtMs) || compare(a.takenAtMs, b.takenAtMs))
    return due.map(({ address }) => address)
  }

  private async begin(address: string, nowMs: number): Promise<void> {
    const { addressOf, dial, listPeers } = this.modules.ports
    this.triedAtMs.delete(address)
    this.triedAtMs.set(address, nowMs)
    const [oldest] = this.triedAtMs.keys()
    if (this.triedAtMs.size > MAX_TRIED && oldest !== undefined) this.triedAtMs.delete(oldest)
    const multiaddr = addressOf(address)
    if (multiaddr === undefined) return
    const visit: Visit = { sinceMs: nowMs, peer: undefined, wasHere: false }
    this.visits.set(address, visit)
    try {
      const before = new Set(listPeers())
      const peer = await dial(multiaddr)
      visit.wasHere = before.has(peer)
      visit.peer = peer
    } catch (error) {
      this.visits.delete(address)
      if (!isArchiveError(error)) throw error
    }
  }

  private async endIfOver(address: string, { sinceMs, peer, wasHere }: Visit, nowMs: number): Promise<void> {
    const { claims, ports } = this.modules
    if (peer === undefined) return
    const hasMap = (claims.mapTakenAtMs(address) ?? Number.NEGATIVE_INFINITY) >= sinceMs
    if (!hasMap && nowMs - sinceMs < VISIT_MS) return
    this.visits.delete(address)
    if (!wasHere && ports.isCrowded()) await ports.hangUp(peer)
  }
}

/** Not the difference: of two that never were that is no number. */
function compare(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0
}
