import type { PeriodRange } from '../../archiver/index.ts'
import {
  type ArchivedPeriod,
  type ChunkStore,
  type Clock,
  ERA_PERIODS,
  type EraAnchor,
  isArchiveError,
  Loop,
  type Period,
} from '../../core/index.ts'
import type { Logger } from '../../telemetry/index.ts'
import type { PeerClient } from '../peers/peer-client.ts'
import { AnchoredSession } from './anchored-session.ts'
import { BackfillSession, type SessionModules } from './backfill-session.ts'
import { readChainEnd } from './chain-end.ts'
import { chunksFromAll } from './chunks-from-all.ts'
import { LeadChoice, type LeadFailure } from './lead-choice.ts'
import type { PacedPeers } from './paced-peers.ts'

const LOOK_MS = 5_000
/** Nodes give what is only late, and gaps are filled block by block: what neither changes for so long is fetched whole. */
const PATIENCE_MS = 60_000
/** An anchored era that could not be fetched is tried again after so long; until then its periods are linked. */
const ERA_AGAIN_MS = 60_000
const MAX_REMEMBERED = 1_000

export interface HoleFillerModules {
  readonly store: ChunkStore
  readonly client: PeerClient
  readonly asked: PacedPeers
  readonly cpu: SessionModules['cpu']
  /** What was anchored of an era, if it is. */
  readonly findAnchored: (era: number) => Promise<EraAnchor | undefined>
  /** Behind the head and not archived, ascending. */
  readonly listHoles: () => readonly PeriodRange[]
  /** What was seen of the executions of a period, as it is archived: peers give none. */
  readonly attest: (period: Period) => Promise<Uint8Array>
  /** Whether there is room to spare: the newest periods need it more. */
  readonly hasRoom: () => Promise<boolean>
  readonly onWritten: (period: Period) => Promise<void>
  readonly clock: Clock
  readonly log: Logger
}

/**
 * Fetches whole periods from other sidecars where a hole stands and nothing that is here fills it, as at a bootstrap: under
 * the root of their era where it is anchored, else verified and linked by ids to what is archived above.
 */
export class HoleFiller {
  private readonly modules: HoleFillerModules
  private readonly genesisPeriods: ReadonlySet<Period>
  private readonly loop: Loop
  /** Since the start. */
  private written = 0
  private isTold = false
  /** By `from to`: since when a hole has been as it is, by the monotonic clock. */
  private since = new Map<string, number>()
  private readonly leads: LeadChoice
  /** When an era may be fetched under its root again, by the monotonic clock. */
  private readonly eraAgain = new Map<number, number>()

  /** @param options.restartPeriods periods at which the chain was restarted */
  constructor(options: { readonly restartPeriods: readonly Period[] }, modules: HoleFillerModules) {
    this.modules = modules
    this.leads = new LeadChoice(modules)
    this.genesisPeriods = new Set([0, ...options.restartPeriods])
    const { clock, log } = modules
    this.loop = new Loop(
      { everyMs: LOOK_MS },
      { clock, look: () => this.look(), onFailure: (error) => log.debug({ err: error }, 'hole not filled') },
    )
  }

  /** Runs until `stop`. @throws what is no ArchiveError: a bug */
  start(): Promise<void> {
    return this.loop.start()
  }

  stop(): Promise<void> {
    return this.loop.stop()
  }

  /**
   * From the newest hole down: what stands above one has to be archived to say what belongs into it.
   *
   * @returns periods that were written
   */
  async look(): Promise<number> {
    let written = 0
    const { clock, log } = this.modules
    const due = this.listDue()
    if (due.length === 0 || !(await this.findRoom())) return 0
    for (const { from, to } of due.toReversed()) {
      const before = this.written
      try {
        await this.fill({ from, to })
      } catch (error) {
        // What keeps one from being filled is no reason to leave the others.
        if (!isArchiveError(error)) throw error
        this.since.set(keyOf({ from, to }), clock.monotonicMs())
        log.warn({ firstPeriod: from, lastPeriod: to, err: error, code: error.code }, 'periods that lack not fetched')
      }
      const count = this.written - before
      if (count > 0) log.info({ firstPeriod: from, lastPeriod: to, count }, 'periods fetched whole')
      written += count
    }
    return written
  }

  /** Said once as long as there is none. */
  private async findRoom(): Promise<boolean> {
    const hasRoom = await this.modules.hasRoom()
    if (!hasRoom && !this.isTold) this.modules.log.warn('no room for periods that lack behind the head')
    this.isTold = !hasRoom
    return hasRoom
  }

  private listDue(): PeriodRange[] {
    const nowMs = this.modules.clock.monotonicMs()
    const holes = this.modules.listHoles()
    this.since = new Map(holes.map((hole) => [keyOf(hole), this.since.get(keyOf(hole)) ?? nowMs]))
    return holes.filter((hole) => nowMs - (this.since.get(keyOf(hole)) ?? nowMs) >= PATIENCE_MS)
  }

  private async fill(hole: PeriodRange): Promise<void> {
    const { signal } = this.loop
    for (let open: PeriodRange | undefined = hole; open && !signal.aborted; open = this.findRest(hole)) {
      if (await this.fillAnchored(open)) continue
      const opened = await this.open(open)
      if (!opened) break
      const { session, lead } = opened
      const end = await session.run(signal)
      if (end === 'more' || end === 'done') this.leads.helped(lead)
      else if (end !== 'stopped') this.passOver(lead, end)
      if (end !== 'more') break
    }
  }

  private findRest({ from }: PeriodRange): PeriodRange | undefined {
    return this.modules.listHoles().find((rest) => rest.from === from)
  }

  /** What of a hole stands in the era of its last period, if that is anchored. @returns whether it is smaller now */
  private async fillAnchored({ from, to }: PeriodRange): Promise<boolean> {
    const { store, asked, clock, log, findAnchored } = this.modules
    const era = Math.floor(to / ERA_PERIODS)
    if ((this.eraAgain.get(era) ?? 0) > clock.monotonicMs()) return false
    const anchored = asked.listFor(to).length > 0 ? await findAnchored(era) : undefined
    if (!anchored) return false
    const before = this.written
    const session = new AnchoredSession(
      { identity: store.identity, anchored, first: to + 1, to: from, isWanted: () => true, mayLack: false },
      { ...this.modules, write: async (fetched) => 'whole' in fetched && (await this.write(fetched.whole)) },
    )
    const end = await session.run(this.loop.signal)
    const isSmaller = this.written > before
    if (end === 'done' || end === 'more' || end === 'stopped') return isSmaller
    if (this.eraAgain.size >= MAX_REMEMBERED) this.eraAgain.clear()
    this.eraAgain.set(era, clock.monotonicMs() + ERA_AGAIN_MS)
    if (end === 'conflict') log.error({ era }, 'what is archived is not what was anchored')
    else log.debug({ era, reason: end }, 'periods that lack cannot be fetched under their root now')
    return isSmaller
  }

  /** @returns undefined when nobody can be asked now, or too little is archived above the hole */
  private async open({ from, to }: PeriodRange): Promise<{ session: BackfillSession; lead: string } | undefined> {
    const { store } = this.modules
    const lead = this.leads.choose(to)
    if (lead === undefined) return undefined
    const end = await readChainEnd(chunksFromAll(this.modules, this.loop.signal), to + 1)
    if (!end) return undefined
    const { genesisPeriods } = this
    const session = new BackfillSession(
      { identity: store.identity, lead, end, to: from, genesisPeriods },
      { ...this.modules, write: (archived) => this.write(archived) },
    )
    return { session, lead }
  }

  private async write(archived: ArchivedPeriod): Promise<boolean> {
    const { store, attest, listHoles, onWritten } = this.modules
    const { period } = archived.summary
    // Its blocks may have come meanwhile.
    if (!listHoles().some(({ from, to }) => period >= from && period <= to)) return true
    await store.writePeriod({ ...archived, executionResults: await attest(period) })
    await onWritten(period)
    this.written++
    return true
  }

  private passOver(lead: string, end: LeadFailure): void {
    this.leads.passOver(lead, end)
    this.modules.log.debug({ peerId: lead, reason: end }, 'another peer is asked for periods that lack')
  }
}

function keyOf({ from, to }: PeriodRange): string {
  return `${from} ${to}`
}
