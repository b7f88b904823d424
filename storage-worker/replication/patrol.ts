import { isBug } from '../../archiver/store-watch.ts'
import { type ChunkStore, type Clock, computeHashSlot, ERA_PERIODS, Loop, type Period } from '../../core/index.ts'
import type { Logger } from '../../telemetry/index.ts'
import type { ChunkPuller, PullResult, WantedChunk } from './chunk-puller.ts'
import type { Duty } from './duty.ts'
import { eraOf, type OwnHoldings } from './own-holdings.ts'
import { Turns } from './turns.ts'

const LOOK_MS = 1_000
/** From one look at all that is to be held to the next, unless something was heard or lost before. */
export const PATROL_ROUND_MS = 300_000
/** The same while something could not be had: as long as a peer that failed is left alone. */
const FAILED_ROUND_MS = 60_000
/** A round that has gone on for so long gives way to another duty: those that change all the time would never let it end. */
const LEAST_WALK_MS = 60_000
/** Between two eras: some per cent of the time of a walk through an archive of years. */
const ERA_PAUSE_MS = 10
/** What is asked for at a time: enough to keep several peers busy. */
const BATCH_CHUNKS = 512
const BATCH_BYTES = 64 * 1_048_576
/** Eras that are to be looked at again; of more all are. */
const MAX_NOTED_ERAS = 1_024
/** As many as one announcement tells of: those of a thousand nodes tell of the same. */
const MAX_HEARD_PERIODS = 1_024
/** What nobody has is not told in every round. */
const TELL_MS = 3_600_000

export interface PatrolModules {
  readonly store: Pick<ChunkStore, 'listSummaries' | 'readManifest' | 'readHolding'>
  readonly duty: Pick<Duty, 'of' | 'listSlots'>
  /** Told of every period of which something came. */
  readonly holdings: Pick<OwnHoldings, 'readRange' | 'readMissing' | 'note'>
  readonly puller: Pick<ChunkPuller, 'pull' | 'failing'>
  readonly clock: Clock
  readonly log: Logger
  /** For counters. */
  readonly onPulled: (result: PullResult) => void
}

/** How far this node is from holding what it must. A chunk 0 without its SEALS is missing. */
export interface PatrolReport {
  /** False until all that is visible was looked at once for the present duty. */
  readonly isKnown: boolean
  /** Chunks that are to be held and are not, as far as the last round came. */
  readonly missingChunks: number
  readonly missingBytes: number
  /** For how long something has been missing; undefined while nothing is. */
  readonly missingForMs: number | undefined
  /** In the last round: nobody gave them, or they could not be written. */
  readonly failedChunks: number
  /** Since the start. */
  readonly pulledChunks: number
  readonly pulledBytes: number
}

/** What a walk has found so far, without what was fetched. */
interface Found {
  missingChunks: number
  missingBytes: number
  failedChunks: number
}

interface Walk extends Found {
  readonly beganAtMs: number
  batch: WantedChunk[]
  batchBytes: number
  /** The duty changed, or there is no room: what is left is for another round. */
  isCut: boolean
}

/**
 * Walks over the visible periods from the newest to the oldest, finds chunks that are this node's duty and that its disk
 * lacks, and has them fetched.
 *
 * A round begins when the duty changes, five minutes after the last one, and after one while something is missing.
 */
export class Patrol {
  private readonly modules: PatrolModules
  private readonly loop: Loop
  private readonly turns: Turns
  private readonly noted = new Set<number>()
  private readonly heard = new Set<Period>()
  private walkedSlots: readonly number[] | undefined
  private walkedAtMs = Number.NEGATIVE_INFINITY
  private isAllDue = true
  private isKnown = false
  private last: Found = { missingChunks: 0, missingBytes: 0, failedChunks: 0 }
  private current: Found | undefined
  private missingSinceMs: number | undefined
  private pulled = { chunks: 0, bytes: 0 }
  private toldAtMs = Number.NEGATIVE_INFINITY

  constructor(modules: PatrolModules) {
    this.modules = modules
    this.turns = new Turns(modules.clock)
    this.loop = new Loop({ everyMs: LOOK_MS }, { clock: modules.clock, look: () => this.tryLook() })
  }

  /** Something of this period went, or it became visible in part: its era is looked at soon. */
  note(period: Period): void {
    this.modules.holdings.note(period)
    this.noted.add(eraOf(period))
    if (this.noted.size <= MAX_NOTED_ERAS) return
    this.noted.clear()
    this.isAllDue = true
  }

  /** Somebody has these periods, 1,024 at most: what lacks of them here is asked for soon. */
  hear(firstPeriod: Period, lastPeriod: Period): void {
    for (let period = lastPeriod; period >= firstPeriod; period--) {
      // What does not fit is for the next round.
      if (this.heard.size >= MAX_HEARD_PERIODS) return
      this.heard.add(period)
    }
  }

  report(): PatrolReport {
    const { missingChunks, missingBytes, failedChunks } = this.isKnown ? this.last : (this.current ?? this.last)
    const { missingSinceMs } = this
    return {
      isKnown: this.isKnown,
      missingChunks,
      missingBytes,
      missingForMs: missingSinceMs === undefined ? undefined : this.modules.clock.monotonicMs() - missingSinceMs,
      failedChunks,
      pulledChunks: this.pulled.chunks,
      pulledBytes: this.pulled.bytes,
    }
  }

  /** Runs until `stop`. @throws a bug */
  start(): Promise<void> {
    return this.loop.start()
  }

  /** Waits for what is being fetched: the puller is to be stopped before. */
  stop(): Promise<void> {
    return this.loop.stop()
  }

  /** What `start` does again and again: a round when it is time for one, else the eras that somebody named. */
  async look(): Promise<void> {
    const { duty, clock } = this.modules
    const slots = duty.listSlots()
    if (slots !== this.walkedSlots) {
      this.isKnown = false
      this.isAllDue = true
    }
    const pauseMs = this.last.failedChunks > 0 ? FAILED_ROUND_MS : PATROL_ROUND_MS
    if (clock.monotonicMs() - this.walkedAtMs >= pauseMs) this.isAllDue = true
    if (this.isAllDue) await this.walkAll(slots)
    else if (this.noted.size + this.heard.size > 0) await this.walkNoted(slots)
  }

  private async tryLook(): Promise<void> {
    try {
      await this.look()
    } catch (error) {
      if (isBug(error)) throw error
      // Whoever reads the same for others says it; the next round tries again.
      this.modules.log.debug({ err: error }, 'missing chunks not looked for')
      this.walkedAtMs = this.modules.clock.monotonicMs()
    }
  }

  private async walkAll(slots: readonly number[]): Promise<void> {
    const { holdings, duty, clock } = this.modules
    this.walkedSlots = slots
    this.isAllDue = false
    this.noted.clear()
    this.heard.clear()
    const range = slots.length > 0 ? await holdings.readRange() : undefined
    const walk = beginWalk(clock.monotonicMs())
    this.current = walk
    if (range) {
      for (let era = eraOf(range.last); era >= eraOf(range.first); era--) {
        if (!(await this.walkEra(era, walk))) break
      }
      await this.pull(walk)
    }
    this.walkedAtMs = clock.monotonicMs()
    this.current = undefined
    // Counted for another duty it says nothing of this one.
    if (this.loop.signal.aborted || duty.listSlots() !== slots) return
    this.last = walk
    this.isKnown = !walk.isCut
    this.tell()
  }

  private async walkNoted(slots: readonly number[]): Promise<void> {
    const eras = [...this.noted].sort((a, b) => b - a)
    const heard = [...this.heard].filter((period) => !this.noted.has(eraOf(period))).sort((a, b) => b - a)
    this.noted.clear()
    this.heard.clear()
    const walk = beginWalk(this.modules.clock.monotonicMs())
    for (const era of eras) if (slots.length > 0 && !(await this.walkEra(era, walk))) break
    if (slots.length > 0) await this.walkPeriods(heard, walk)
    await this.pull(walk)
    // What is still missing is counted by a whole round.
    if (walk.missingChunks > 0) this.isAllDue = this.last.failedChunks === 0
    else this.tell()
  }

  /** @returns false when the walk is to end here */
  private async walkEra(era: number, walk: Walk): Promise<boolean> {
    const { store, duty, holdings, clock } = this.modules
    const { signal } = this.loop
    await clock.sleep(ERA_PAUSE_MS, signal)
    const isLong = clock.monotonicMs() - walk.beganAtMs >= LEAST_WALK_MS
    if (signal.aborted || (isLong && duty.listSlots() !== this.walkedSlots)) walk.isCut = true
    if (walk.isCut) return false
    const missing = await holdings.readMissing(era)
    if (missing && !duty.listSlots().some((hashSlot) => missing.has(hashSlot))) return true
    const range = { from: era * ERA_PERIODS, to: era * ERA_PERIODS + ERA_PERIODS - 1, reverse: true }
    const periods: Period[] = []
    for await (const { period } of store.listSummaries(range)) periods.push(period)
    return await this.walkPeriods(periods, walk)
  }

  private async walkPeriods(periods: readonly Period[], walk: Walk): Promise<boolean> {
    for (const period of periods) {
      if (walk.isCut || this.loop.signal.aborted) return false
      await this.turns.give()
      await this.walkPeriod(period, walk)
      if (walk.batch.length >= BATCH_CHUNKS || walk.batchBytes >= BATCH_BYTES) await this.pull(walk)
    }
    return !walk.isCut && !this.loop.signal.aborted
  }

  private async walkPeriod(period: Period, walk: Walk): Promise<void> {
    const { store, duty, log } = this.modules
    try {
      const holding = await store.readHolding(period)
      // Whole, as most are.
      if (!holding || (holding.missingChunks.length === 0 && holding.hasSeals)) return
      const manifest = await store.readManifest(period)
      const lacksSealsAlone = !holding.hasSeals && holding.missingChunks[0] !== 0
      for (const index of lacksSealsAlone ? [0, ...holding.missingChunks] : holding.missingChunks) {
        const chunk = manifest?.chunks[index]
        if (!chunk || duty.of(computeHashSlot(chunk.chunkId)) === undefined) continue
        const sizeBytes = index === 0 && lacksSealsAlone ? 0 : chunk.byteLength
        walk.missingChunks++
        walk.missingBytes += sizeBytes
        walk.batch.push({ period, index })
        walk.batchBytes += sizeBytes
      }
    } catch (error) {
      if (isBug(error)) throw error
      // The scrub says it loudly.
      log.debug({ period, err: error }, 'nothing is fetched for a damaged period')
    }
  }

  private async pull(walk: Walk): Promise<void> {
    const batch = walk.batch.splice(0)
    const { batchBytes } = walk
    walk.batchBytes = 0
    if (batch.length === 0) return
    this.tellBegin(walk)
    const { puller, holdings, onPulled } = this.modules
    const result = await puller.pull(batch)
    onPulled(result)
    const { pulled, bytes, failed, failedBytes } = result
    if (bytes > 0) for (const period of new Set(batch.map((wanted) => wanted.period))) holdings.note(period)
    this.pulled = { chunks: this.pulled.chunks + pulled, bytes: this.pulled.bytes + bytes }
    walk.failedChunks += failed
    walk.missingChunks -= batch.length - failed
    walk.missingBytes -= batchBytes - failedBytes
    if (puller.failing) walk.isCut = true
  }

  private tellBegin({ missingChunks: chunks, missingBytes: sizeBytes }: Walk): void {
    if (this.missingSinceMs !== undefined) return
    const { log, clock } = this.modules
    this.missingSinceMs = clock.monotonicMs()
    log.info({ chunks, sizeBytes }, 'fetching chunks that are to be held here')
  }

  private tell(): void {
    const { log, clock } = this.modules
    const nowMs = clock.monotonicMs()
    const { missingChunks: chunks, missingBytes: sizeBytes, failedChunks } = this.last
    if (chunks === 0 && this.isKnown && this.missingSinceMs !== undefined) {
      const durationMs = nowMs - this.missingSinceMs
      this.missingSinceMs = undefined
      this.toldAtMs = Number.NEGATIVE_INFINITY
      log.info({ durationMs }, 'all chunks that are to be held here are held')
    }
    if (failedChunks > 0 && nowMs - this.toldAtMs >= TELL_MS) {
      this.toldAtMs = nowMs
      log.warn({ chunks, sizeBytes }, 'chunks that are to be held here cannot be had now')
    }
  }
}

function beginWalk(beganAtMs: number): Walk {
  return { beganAtMs, missingChunks: 0, missingBytes: 0, failedChunks: 0, batch: [], batchBytes: 0, isCut: false }
}
