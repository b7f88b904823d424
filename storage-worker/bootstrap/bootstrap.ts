import { isStoreFailure } from '../../archiver/index.ts'
import {
  type ArchivedPeriod,
  type ChunkStore,
  type Clock,
  ERA_PERIODS,
  type EraAnchor,
  Loop,
  type Period,
  type PeriodSummary,
  toHex,
} from '../../core/index.ts'
import type { Logger } from '../../telemetry/index.ts'
import type { PeerClient } from '../peers/peer-client.ts'
import type { AnchoredPeriod } from './anchored-period.ts'
import { type AnchoredEnd, AnchoredSession } from './anchored-session.ts'
import { BackfillSession, type SessionBounds, type SessionModules } from './backfill-session.ts'
import { readChainEnd } from './chain-end.ts'
import { type CheckedRange, CheckedRanges } from './checked-ranges.ts'
import { chunksFromAll } from './chunks-from-all.ts'
import { LeadChoice, type LeadFailure } from './lead-choice.ts'
import { MovingRate } from './moving-rate.ts'
import type { PacedPeers } from './paced-peers.ts'

const LOOK_MS = 2_000
/** The disk is asked at most every 10 s, whatever this says. */
const PERIODS_PER_ROOM_CHECK = 64
const TELL_MS = 30_000
/** As a rule a period is archived a period after its last slot is final. */
const MAX_LAG_PERIODS = 3
/** While the archive is behind its node one period is written in so long. */
const YIELD_MS = 1_000
/** A session is of 1,024 periods at most. */
const ERAS_PER_SESSION = 8

/** An anchored era that could not be fetched is tried again after so long; until then what is below is linked, if it can be. */
const ERA_AGAIN_MS: Readonly<Record<Exclude<AnchoredEnd, 'done' | 'more' | 'stopped'>, number>> = {
  roots: 60_000,
  absent: 60_000,
  length: 1_000,
  conflict: 600_000,
}

/**
 * Why nothing is fetched at the moment. `archive`: nothing is archived yet; `placement`: it is not known yet what is to be
 * held; `links`: too little is archived to say which blocks come before it; `peers`: no peer gives what comes next; `older`: no peer
 * says that it has anything older than what is here; `anchor`: what comes next can be told from a forgery only by the root of its era; `restart`: the chain was restarted there, and nothing links what stands before;
 * `room`: the disk, or its quota, is nearly full; `store`: it cannot be written.
 */
export type BootstrapWait =
  | 'archive'
  | 'placement'
  | 'links'
  | 'peers'
  | 'older'
  | 'anchor'
  | 'restart'
  | 'room'
  | 'store'

export interface BootstrapStatus {
  readonly state: 'running' | 'waiting' | 'done'
  readonly waitsFor?: BootstrapWait
  /** The first period that is wanted. */
  readonly wantedFrom: Period
  /** The first that is archived. */
  readonly firstPeriod: Period
  /** From `wantedFrom` to the newest: so many are wanted, and so many are here. */
  readonly wantedPeriods: number
  readonly donePeriods: number
  /** Of BODY, fetched since the start. */
  readonly bodyBytes: number
  readonly periodsPerSecond: number
  readonly etaMs: number | null
  /** Peers that say they have what comes next. */
  readonly peers: number
  /** What was written since the start, and how it was checked: descending, each range next to the one before it. */
  readonly checked: readonly CheckedRange[]
  /** Of anchored periods: what was to be held, and nobody gave. */
  readonly absentChunks: number
}

export interface BootstrapOptions {
  /** 0: everything from period 0 on is wanted. */
  readonly retentionPeriods: number
  /** Periods at which the chain was restarted. */
  readonly restartPeriods: readonly Period[]
  readonly bounds?: SessionBounds
}

export interface BootstrapModules {
  readonly store: ChunkStore
  readonly client: PeerClient
  readonly asked: PacedPeers
  readonly cpu: SessionModules['cpu']
  /** Of the era, when it is anchored. Absent: none is. */
  readonly findAnchored?: (era: number) => Promise<EraAnchor | undefined>
  /** Which hash slots are to be held of anchored eras; undefined: that is not known yet. Absent: all. */
  readonly wanted?: () => ((hashSlot: number) => boolean) | undefined
  /** Of the newest final slot that a node told of. */
  readonly finalPeriod: () => Period | undefined
  /** Whether there is room to spare: the newest periods need it more. */
  readonly hasRoom: () => Promise<boolean>
  readonly onWritten: (period: Period) => Promise<void>
  readonly clock: Clock
  readonly log: Logger
}

/**
 * Fills an archive that begins somewhere with what came before, from other sidecars, downward to the first period that
 * is wanted. What is archived is all that it remembers: it goes on below that after a restart.
 *
 * Of an anchored era only what is to be held is fetched, bound by its root. Any other period is taken whole: decoded, every
 * id and signature verified, and linked by ids at both ends.
 */
export class Bootstrap {
  private readonly options: BootstrapOptions
  private readonly modules: BootstrapModules
  private readonly loop: Loop
  private readonly rate: MovingRate
  private readonly leads: LeadChoice
  private range: { readonly first: Period; readonly last: Period } | undefined
  private waitsFor: BootstrapWait | undefined
  /** The first archived period below which somebody showed what only an anchored era can prove. */
  private unboundBelow: Period | undefined
  private bodyBytes = 0
  private writtenPeriods = 0
  private toldAtMs = Number.NEGATIVE_INFINITY
  private underWay: 'anchored' | 'linked' | undefined
  private readonly checked = new CheckedRanges()
  private absentChunks = 0
  /** When the next anchored session may begin, by the monotonic clock, and of which era the last one lacked something. */
  private eraAgainAtMs = Number.NEGATIVE_INFINITY
  private lackingEra: number | undefined
  private failedEra: number | undefined

  constructor(options: BootstrapOptions, modules: BootstrapModules) {
    this.options = options
    this.modules = modules
    this.leads = new LeadChoice(modules)
    this.rate = new MovingRate(modules.clock)
    this.loop = new Loop({ everyMs: LOOK_MS }, { clock: modules.clock, look: () => this.look() })
  }

  /** Runs until `stop`. @throws what is neither of the store nor of a peer: a bug */
  start(): Promise<void> {
    return this.loop.start()
  }

  stop(): Promise<void> {
    return this.loop.stop()
  }

  /** Undefined before the first look. */
  status(): BootstrapStatus | undefined {
    const { range } = this
    if (!range) return undefined
    const wantedFrom = this.computeWantedFrom(range)
    const left = Math.max(0, range.first - wantedFrom)
    const wantedPeriods = range.last + 1 - wantedFrom
    const { perSecond } = this.rate
    const isRunning = left > 0 && this.waitsFor === undefined
    return {
      state: left === 0 ? 'done' : isRunning ? 'running' : 'waiting',
      ...(left > 0 && this.waitsFor !== undefined && { waitsFor: this.waitsFor }),
      wantedFrom,
      firstPeriod: range.first,
      wantedPeriods,
      donePeriods: wantedPeriods - left,
      bodyBytes: this.bodyBytes,
      periodsPerSecond: isRunning ? perSecond : 0,
      etaMs: isRunning && perSecond > 0 ? Math.round((left / perSecond) * 1_000) : null,
      peers: left > 0 ? this.modules.asked.listFor(range.first - 1).length : 0,
      checked: this.checked.list(),
      absentChunks: this.absentChunks,
    }
  }

  /** Fetches until nothing more can be had for now. @returns periods that were written */
  async look(): Promise<number> {
    const before = this.writtenPeriods
    while (!this.loop.signal.aborted && (await this.tryPeer()));
    return this.writtenPeriods - before
  }

  /** One session. @returns false when nothing more can be had for now */
  private async tryPeer(): Promise<boolean> {
    try {
      const first = await this.findFirst()
      if (first === undefined) return false
      const anchored = await this.findAnchored(first)
      if (anchored) {
        const isWanted = this.modules.wanted ? this.modules.wanted() : () => true
        if (!isWanted) return this.wait('placement') ?? false
        const end = await this.runAnchored(anchored, first, isWanted)
        if (end === 'stopped') return false
        // What could be fetched is written, and the rest begins below it.
        if (end === 'done' || end === 'more' || this.range?.first !== first) return true
      }
      return await this.runLinked(first)
    } catch (error) {
      if (!isStoreFailure(error)) throw error
      this.wait('store', { err: error, code: error.code })
      return false
    }
  }

  /** The first archived period, when more is wanted below it. */
  private async findFirst(): Promise<Period | undefined> {
    const { store, hasRoom } = this.modules
    const range = await store.readRange()
    this.range = range
    if (!range) return this.wait('archive')
    if (range.first <= this.computeWantedFrom(range)) return this.end()
    if (!(await hasRoom())) return this.wait('room')
    return range.first
  }

  /** The era of what comes next, unless it was tried in vain a moment ago. */
  private async findAnchored(first: Period): Promise<EraAnchor | undefined> {
    const era = Math.floor((first - 1) / ERA_PERIODS)
    const isResting = this.failedEra === era && this.modules.clock.monotonicMs() < this.eraAgainAtMs
    return isResting ? undefined : this.modules.findAnchored?.(era)
  }

  private async runAnchored(
    anchored: EraAnchor,
    first: Period,
    isWanted: (hashSlot: number) => boolean,
  ): Promise<AnchoredEnd> {
    const { store, asked, clock, log } = this.modules
    const { era } = anchored
    if (asked.listFor(era * ERA_PERIODS).length === 0) return 'roots'
    const { bounds } = this.options
    const session = new AnchoredSession(
      {
        identity: store.identity,
        anchored,
        first,
        to: this.range ? this.computeWantedFrom(this.range) : 0,
        isWanted,
        mayLack: this.lackingEra === era,
        ...(bounds && { bounds }),
      },
      { ...this.modules, write: (fetched) => this.writeAnchored(fetched, era) },
    )
    this.begin({ era, root: toHex(anchored.root) })
    const end = await session.run(this.loop.signal)
    if (end === 'done' || end === 'more' || end === 'stopped') return end
    this.failedEra = era
    this.eraAgainAtMs = clock.monotonicMs() + ERA_AGAIN_MS[end]
    // Asked for twice a minute apart: what nobody gives does not keep the rest from coming.
    if (end === 'absent') this.lackingEra = era
    if (end === 'conflict') log.error({ era, root: toHex(anchored.root) }, 'what is archived is not what was anchored')
    else log.debug({ era, reason: end }, 'an anchored era cannot be fetched now')
    return end
  }

  private async runLinked(first: Period): Promise<boolean> {
    const opened = await this.openLinked(first)
    if (!opened) return false
    this.begin()
    const end = await opened.session.run(this.loop.signal)
    if (end === 'stopped') return false
    if (end === 'done' || end === 'more') this.leads.helped(opened.lead)
    else this.passOver(opened.lead, end)
    return true
  }

  private async openLinked(first: Period): Promise<{ session: BackfillSession; lead: string } | undefined> {
    const { store } = this.modules
    const { restartPeriods, bounds } = this.options
    if (restartPeriods.includes(first)) return this.wait('restart')
    const lead = this.leads.choose(first - 1)
    if (lead === undefined) return this.wait(this.findLack(first))
    const end = await readChainEnd(chunksFromAll(this.modules, this.loop.signal), first)
    if (!end) return this.wait('links')
    const genesisPeriods = new Set([0, ...restartPeriods])
    const session = new BackfillSession(
      {
        identity: store.identity,
        lead,
        end,
        to: await this.findLinkedTo(first),
        genesisPeriods,
        ...(bounds && { bounds }),
      },
      { ...this.modules, write: (archived) => this.write(archived) },
    )
    return { session, lead }
  }

  /** Why nobody is there who gives what comes before a period. */
  private findLack(first: Period): BootstrapWait {
    if (this.unboundBelow === first) return 'anchor'
    const oldest = this.modules.asked.oldestPeriod
    return oldest !== undefined && oldest >= first ? 'older' : 'peers'
  }

  /** Linked as far as the next era below that is anchored: of that one less has to be fetched. */
  private async findLinkedTo(first: Period): Promise<Period> {
    const wantedFrom = this.range ? this.computeWantedFrom(this.range) : 0
    const present = Math.floor((first - 1) / ERA_PERIODS)
    const lowest = Math.max(0, present - ERAS_PER_SESSION, Math.floor(wantedFrom / ERA_PERIODS))
    for (let era = present - 1; era >= lowest; era--) {
      if (await this.modules.findAnchored?.(era)) return Math.max(wantedFrom, (era + 1) * ERA_PERIODS)
    }
    return wantedFrom
  }

  /** @returns false when there is no room for more */
  private async writeAnchored(fetched: AnchoredPeriod, era: number): Promise<boolean> {
    if ('whole' in fetched) return this.write(fetched.whole, era)
    const { part, summary, absent } = fetched
    await this.giveWay()
    await this.modules.store.writePart(part)
    this.absentChunks += absent
    return this.noteWritten(summary, era)
  }

  /** @returns false when there is no room for more */
  private async write(archived: ArchivedPeriod, era?: number): Promise<boolean> {
    await this.giveWay()
    await this.modules.store.writePeriod(archived)
    return this.noteWritten(archived.summary, era)
  }

  /** @param era - under whose anchored root it is; undefined: it was linked */
  private async noteWritten(
    { period, bodyBytes }: Pick<PeriodSummary, 'period' | 'bodyBytes'>,
    era: number | undefined,
  ): Promise<boolean> {
    const { hasRoom, onWritten } = this.modules
    await onWritten(period)
    if (this.range) this.range = { ...this.range, first: period }
    this.bodyBytes += bodyBytes
    this.checked.note(period, era)
    this.writtenPeriods++
    this.rate.add(1)
    this.tell()
    if (this.writtenPeriods % PERIODS_PER_ROOM_CHECK !== 0 || (await hasRoom())) return true
    this.wait('room')
    return false
  }

  /** Whoever follows the chain goes first: what a node forgets there is worse than a late bootstrap. */
  private async giveWay(): Promise<void> {
    const { store, clock, finalPeriod } = this.modules
    const range = await store.readRange()
    if (range) this.range = range
    const final = finalPeriod()
    const isBehind = range && final !== undefined && final - 1 - range.last > MAX_LAG_PERIODS
    if (isBehind) await clock.sleep(YIELD_MS, this.loop.signal)
  }

  private passOver(lead: string, end: LeadFailure): void {
    if (end === 'unbound') this.unboundBelow = this.range?.first
    this.leads.passOver(lead, end)
    this.modules.log.debug({ peerId: lead, reason: end }, 'another peer is asked for old periods')
  }

  private computeWantedFrom({ last }: { readonly last: Period }): Period {
    const { retentionPeriods } = this.options
    return retentionPeriods === 0 ? 0 : Math.max(0, last - retentionPeriods + 1)
  }

  /** @param anchor - of the era that is fetched; undefined: what is fetched is linked */
  private begin(anchor?: { readonly era: number; readonly root: string }): void {
    this.waitsFor = undefined
    const way = anchor ? 'anchored' : 'linked'
    if (this.underWay === way) return
    if (this.underWay === undefined) this.toldAtMs = this.modules.clock.monotonicMs()
    this.underWay = way
    const { wantedFrom, firstPeriod, peers } = this.status() ?? {}
    this.modules.log.info(
      { firstPeriod: wantedFrom, lastPeriod: (firstPeriod ?? 0) - 1, nodes: peers, ...anchor },
      anchor
        ? 'bootstrap: fetching under anchored era roots what is to be held'
        : 'bootstrap: fetching whole periods, each verified and linked to the next by block ids, no anchor yet',
    )
  }

  private tell(): void {
    const nowMs = this.modules.clock.monotonicMs()
    const status = this.status()
    if (!status || nowMs - this.toldAtMs < TELL_MS) return
    this.toldAtMs = nowMs
    const { donePeriods, wantedPeriods, bodyBytes, periodsPerSecond, etaMs } = status
    this.modules.log.info(
      { periods: donePeriods, wantedPeriods, bodyBytes, periodsPerSecond, ...(etaMs !== null && { etaMs }) },
      'bootstrap progress',
    )
  }

  private wait(reason: BootstrapWait, fields: { readonly err?: unknown; readonly code?: string } = {}): undefined {
    if (this.waitsFor === reason) return
    this.waitsFor = reason
    const firstPeriod = this.range?.first
    this.modules.log.info({ reason, ...(firstPeriod !== undefined && { firstPeriod }), ...fields }, 'bootstrap waits')
  }

  private end(): undefined {
    this.waitsFor = undefined
    if (!this.underWay) return
    this.underWay = undefined
    const { range, bodyBytes, writtenPeriods, absentChunks } = this
    this.modules.log.info({ firstPeriod: range?.first, periods: writtenPeriods, bodyBytes }, 'bootstrap done')
    if (absentChunks > 0) this.modules.log.warn({ chunks: absentChunks }, 'nobody gave some of what is to be held')
  }
}
