import { type Clock, HASH_SLOTS, Loop } from '../../core/index.ts'
import type { Logger } from '../../telemetry/index.ts'
import { AwayNodes, type Liveness } from './away-nodes.ts'
import { Turns } from './turns.ts'

/** Of the delay, so that a look is late by a tenth of it at most. */
const LOOKS_PER_DELAY = 10
const MOST_LOOK_MS = 10_000
/** Who has not said for so many delays that it holds what it should is not waited for any longer. */
const PATIENCE_DELAYS = 10
/** Who was told a new duty says what it holds of it ten minutes later: where delays are short, this is what is waited for. */
const LEAST_PATIENCE_MS = 1_800_000
/** Ranks of a hash slot that are looked at, of 32 that a table keeps. Who ranks behind would have to wait for a day. */
const RANKS = 24
/** How long is waited for a holder that is here and lacks something, or does not show it. */
export function computePatienceMs(repairDelayMs: number): number {
  return Math.max(LEAST_PATIENCE_MS, PATIENCE_DELAYS * repairDelayMs)
}

/** Hash slots of which one look asks whether their holders are complete: all of them in 32 looks. */
const SLOTS_PER_LOOK = 512
/** A network that comes and goes is not told every time. */
const TELL_MS = 60_000

/** What standing in follows from of a `PlacementTable`. */
export interface RankTable {
  readonly snapshot: { readonly nodes: readonly { readonly address: string; readonly placementGb: bigint }[] }
  listSlotsOf(address: string): readonly number[]
  isHolder(address: string, hashSlot: number): boolean
  /** Its holders, in order of rank. */
  addressesOfSlot(hashSlot: number): readonly string[]
  /** Nodes that rank next behind the holders, in order. */
  rankBehind(hashSlot: number, count: number, signal?: AbortSignal): Promise<readonly string[]>
}

/** Of `HolderClaims`. */
export interface NodeClaims extends Liveness {
  /** Of all nodes that are live. */
  listLive(): readonly string[]
  /** True when its have-map is known and says that not all of this hash slot is there. */
  isIncomplete(address: string, hashSlot: number): boolean
  /** True when its have-map is known and says that all of it is there. Of whom it is not known neither is true. */
  isComplete(address: string, hashSlot: number): boolean
}

export interface StandInsModules {
  readonly placement: { readonly inForce: RankTable | undefined; readonly isCurrent: boolean }
  readonly claims: NodeClaims
  readonly clock: Clock
  readonly log: Logger
}

/** What there is to say about repair by rank. */
export interface StandInReport {
  /** Nodes with room in the table in force that are gone. */
  readonly awayNodes: readonly string[]
  /** Hash slots for which we stand in. */
  readonly slots: number
}

/** A hash slot of which we are no holder. */
interface Place {
  readonly hashSlot: number
  readonly holders: readonly string[]
  /** Who is here of those that rank between the holders and us. */
  readonly ahead: readonly string[]
  readonly nowMs: number
}

/**
 * For which hash slots we stand in because holders are away.
 *
 * For each holder of a hash slot that is gone one node stands in, of those that rank behind the holders and are here: the
 * first one after one delay, the second one after two. Who sees the same nodes comes to the same result, so nobody has to
 * agree. It ends when the copies have been complete again without us for one delay.
 */
export class StandIns {
  private readonly ownAddress: string
  private readonly delayMs: number
  private readonly patienceMs: number
  private readonly modules: StandInsModules
  private readonly loop: Loop
  private readonly turns: Turns
  private readonly away: AwayNodes
  private table: RankTable | undefined
  /** Addresses of the other nodes of the table that have room. */
  private others: ReadonlySet<string> = new Set()
  private hasOwnRoom = false
  /** Of hash slots that were decided by this table: who ranks between the holders and us, `undefined` where too many do. */
  private readonly ranksAhead = new Map<number, readonly string[] | undefined>()
  /** Holders that are here and say that they lack something: by hash slot, by address, since when. */
  private readonly lacking = new Map<number, ReadonlyMap<string, number>>()
  private nextLackingSlot = 0
  private connectedAtMs: number | undefined
  private stood: ReadonlySet<number> = new Set()
  /** Of hash slots for which we stand in: since when that is not needed any more. */
  private readonly needlessSince = new Map<number, number>()
  private toldAtMs = Number.NEGATIVE_INFINITY
  private toldSlots = 0

  /** @param options.repairDelayMs - `p2p.repair_delay_seconds` */
  constructor(options: { readonly ownAddress: string; readonly repairDelayMs: number }, modules: StandInsModules) {
    this.ownAddress = options.ownAddress
    this.delayMs = options.repairDelayMs
    this.patienceMs = computePatienceMs(options.repairDelayMs)
    this.modules = modules
    this.turns = new Turns(modules.clock)
    this.away = new AwayNodes(options.repairDelayMs)
    this.loop = new Loop(
      { everyMs: Math.min(MOST_LOOK_MS, this.delayMs / LOOKS_PER_DELAY) },
      { clock: modules.clock, look: () => this.tryLook() },
    )
  }

  /** Hash slots for which we stand in; another set whenever it changes. */
  get slots(): ReadonlySet<number> {
    return this.stood
  }

  report(): StandInReport {
    return { awayNodes: this.away.listGone(), slots: this.stood.size }
  }

  /** For how long a node with room has been away: from then on the delays are counted. Undefined when it is not. */
  awayForMs(address: string): number | undefined {
    return this.away.awayForMs(address, this.modules.clock.monotonicMs())
  }

  /** Runs until `stop`. @throws a bug */
  start(): Promise<void> {
    return this.loop.start()
  }

  stop(): Promise<void> {
    return this.loop.stop()
  }

  /** What `start` does again and again: looks at nodes that are away and at their hash slots, not at all there are. */
  async look(): Promise<void> {
    const { placement, claims, clock } = this.modules
    const nowMs = clock.monotonicMs()
    const table = placement.inForce
    if (table !== this.table) this.setTable(table)
    if (claims.listLive().length === 0) {
      // It is we who are away: nobody can be asked for anything.
      this.connectedAtMs = undefined
      this.away.excuse()
      return
    }
    this.connectedAtMs ??= nowMs
    // Whoever has just come does not see all the others yet.
    if (nowMs - this.connectedAtMs < this.delayMs) return
    this.away.look(this.others, claims, nowMs)
    if (!table || !placement.isCurrent) return
    this.lookForLacking(table, nowMs)
    await this.decide(table, nowMs)
    this.tell(nowMs)
  }

  private async tryLook(): Promise<void> {
    try {
      await this.look()
    } catch (error) {
      // Ranking that is given up says so.
      if (!this.loop.signal.aborted) throw error
    }
  }

  private setTable(table: RankTable | undefined): void {
    this.table = table
    this.ranksAhead.clear()
    const nodes = (table?.snapshot.nodes ?? []).filter(({ placementGb }) => placementGb > 0n)
    const others = new Set(nodes.map(({ address }) => address))
    this.hasOwnRoom = others.delete(this.ownAddress)
    this.others = others
  }

  /** A part of all hash slots at a time. Who was incomplete by the table before goes on being so. */
  private lookForLacking(table: RankTable, nowMs: number): void {
    const { claims } = this.modules
    for (let i = 0; i < SLOTS_PER_LOOK; i++) {
      const hashSlot = this.nextLackingSlot
      this.nextLackingSlot = (hashSlot + 1) % HASH_SLOTS
      const before = this.lacking.get(hashSlot)
      const lacking = table.addressesOfSlot(hashSlot).filter((address) => claims.isIncomplete(address, hashSlot))
      if (lacking.length === 0) this.lacking.delete(hashSlot)
      else this.lacking.set(hashSlot, new Map(lacking.map((address) => [address, before?.get(address) ?? nowMs])))
    }
  }

  private async decide(table: RankTable, nowMs: number): Promise<void> {
    const { signal } = this.loop
    const stood = new Set<number>()
    for (const hashSlot of this.listSlotsToDecide(table, nowMs)) {
      // Most of them where nodes are few.
      if (table.isHolder(this.ownAddress, hashSlot)) continue
      if (this.turns.isDue) await this.turns.give()
      if (!this.ranksAhead.has(hashSlot)) this.ranksAhead.set(hashSlot, await this.rankAhead(table, hashSlot))
      if (signal.aborted) return
      if (this.standsIn(table, hashSlot, nowMs)) stood.add(hashSlot)
    }
    for (const hashSlot of this.needlessSince.keys()) if (!stood.has(hashSlot)) this.needlessSince.delete(hashSlot)
    const isSame = stood.size === this.stood.size && [...stood].every((hashSlot) => this.stood.has(hashSlot))
    if (!isSame) this.stood = stood
  }

  private listSlotsToDecide(table: RankTable, nowMs: number): ReadonlySet<number> {
    if (!this.hasOwnRoom) return new Set()
    const slots = new Set(this.stood)
    for (const address of this.away.listGone()) for (const hashSlot of table.listSlotsOf(address)) slots.add(hashSlot)
    for (const [hashSlot, holders] of this.lacking) {
      for (const sinceMs of holders.values()) if (nowMs - sinceMs >= this.patienceMs) slots.add(hashSlot)
    }
    return slots
  }

  private async rankAhead(table: RankTable, hashSlot: number): Promise<readonly string[] | undefined> {
    const ranks = await table.rankBehind(hashSlot, RANKS, this.loop.signal)
    const own = ranks.indexOf(this.ownAddress)
    return own === -1 ? undefined : ranks.slice(0, own)
  }

  private standsIn(table: RankTable, hashSlot: number, nowMs: number): boolean {
    const ranked = this.ranksAhead.get(hashSlot)
    if (!ranked) return false
    const ahead = ranked.filter((address) => this.away.goneSince(address) === undefined)
    const place = { hashSlot, holders: table.addressesOfSlot(hashSlot), ahead, nowMs }
    return this.stood.has(hashSlot) ? this.isStillNeeded(place) : this.isNeeded(place)
  }

  /** Those ahead of us have their turns first: we have ours for the holder that is left. */
  private isNeeded({ hashSlot, holders, ahead, nowMs }: Place): boolean {
    const lostSince = holders
      .flatMap((address) => this.away.goneSince(address) ?? this.givenUpSince(hashSlot, address, nowMs) ?? [])
      .sort((a, b) => a - b)
    let filled = 0
    let failing = 0
    for (const [i, address] of ahead.entries()) {
      const sinceMs = lostSince[filled]
      if (sinceMs === undefined) return false
      const isLate = nowMs - sinceMs >= (i + 1) * this.delayMs + this.patienceMs
      // What is lost everywhere comes to nobody, however many try.
      if (isLate && failing < holders.length && this.modules.claims.isIncomplete(address, hashSlot)) failing++
      else filled++
    }
    const sinceMs = lostSince[filled]
    return sinceMs !== undefined && nowMs - sinceMs >= (ahead.length + 1) * this.delayMs
  }

  /**
   * Until as many as there are holders were here and complete for one delay, of these and those ahead of us. Whose have-map
   * is not known does not count: what we hold for it may be the last copy.
   */
  private isStillNeeded({ hashSlot, holders, ahead, nowMs }: Place): boolean {
    const { claims } = this.modules
    const complete = [...holders, ...ahead].filter(
      (address) => claims.isLive(address) && claims.isComplete(address, hashSlot),
    )
    if (complete.length < holders.length) {
      this.needlessSince.delete(hashSlot)
      return true
    }
    const sinceMs = this.needlessSince.get(hashSlot) ?? nowMs
    this.needlessSince.set(hashSlot, sinceMs)
    return nowMs - sinceMs < this.delayMs
  }

  /** Since when a holder that is here counts as away, because it does not become complete. */
  private givenUpSince(hashSlot: number, address: string, nowMs: number): number | undefined {
    const sinceMs = this.lacking.get(hashSlot)?.get(address)
    return sinceMs !== undefined && nowMs - sinceMs >= this.patienceMs ? sinceMs + this.patienceMs : undefined
  }

  private tell(nowMs: number): void {
    const slots = this.stood.size
    if (slots === this.toldSlots) return
    const isTurn = (slots === 0) !== (this.toldSlots === 0)
    if (!isTurn && nowMs - this.toldAtMs < TELL_MS) return
    this.toldAtMs = nowMs
    this.toldSlots = slots
    const { log } = this.modules
    const nodes = this.away.listGone().length
    if (slots === 0) log.info({}, 'standing in for nobody any more: the holders have all copies')
    else if (nodes > 0) log.info({ hashSlots: slots, nodes }, 'standing in for sidecars that are away')
    else log.info({ hashSlots: slots }, 'standing in for sidecars that are here and lack copies')
  }
}
