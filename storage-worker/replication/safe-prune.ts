import {
  ByteReader,
  ByteWriter,
  type ChunkStore,
  computeHashSlot,
  ERA_PERIODS,
  Loop,
  PERIOD_MS,
  type Period,
  type Spool,
} from '../../core/index.ts'
import type { Logger } from '../../telemetry/index.ts'
import type { DiskSpace } from '../disk-space.ts'
import type { DrawnChunk } from './chunk-draw.ts'
import { type DropFacts, type DropTable, findReasonToKeep, type KeepReason, listSeparateHolders } from './drop-rule.ts'
import { type EvidencePorts, gatherEvidence } from './gather-evidence.ts'
import { PruneTurns, SPREAD_PERIODS } from './prune-turn.ts'
import { ShownLeaves } from './shown-leaves.ts'

const LOOK_MS = PERIOD_MS
/** Of what chunks may take. */
const FULL_SHARE = 0.9
/** Chunks whose holders are asked before the first of them is dropped: what they showed is young then. */
const BATCH_CHUNKS = 256
/** An era of which something stays is looked at again after ten minutes, while its turn lasts. */
const AGAIN_PERIODS = 40
/** In the spool: the era, u32, of which chunks are dropped and the room is not given back yet; else empty. */
const MARK = 'prunedEra'
const NOTHING = new Uint8Array(0)

export interface SafePruneOptions {
  /** The own one. */
  readonly address: string
  /** `p2p.safe_prune_min_age_periods` */
  readonly minAgePeriods: number
  /** 37,800 unless a test says otherwise. */
  readonly spreadPeriods?: number
}

export interface SafePruneModules extends Omit<EvidencePorts, 'listHolders'> {
  readonly store: Pick<
    ChunkStore,
    'readRange' | 'listSummaries' | 'readManifest' | 'readHolding' | 'dropChunks' | 'compactPeriods'
  >
  readonly disk: Pick<DiskSpace, 'readArchiveRoom'>
  readonly marks: Pick<Spool, 'putMark' | 'readMark' | 'sync'>
  readonly placement: { readonly inForce: DropTable | undefined; readonly isCurrent: boolean }
  readonly duty: DropFacts['duty']
  /** Absent: where anchors are required nothing is dropped. */
  readonly isAnchored?: (era: number) => boolean
  readonly log: Logger
  /** Chunks of a period were dropped. */
  readonly onDropped: (period: Period, dropped: { readonly chunks: number; readonly bytes: number }) => void
  /** The store cannot be read or written. */
  readonly onFailure: (error: unknown) => void
}

/** What there is to say of it. */
export interface SafePruneReport {
  /** More than 90 % of what chunks may take is taken. */
  readonly isFull: boolean
  /** Since the start. */
  readonly droppedChunks: number
  readonly droppedBytes: number
  /** Of the chunks that were looked at last, how many stayed, and why. */
  readonly kept: Readonly<Partial<Record<KeepReason, number>>>
}

/** One look. */
interface Round {
  chunks: number
  bytes: number
  eras: number
  readonly kept: Partial<Record<KeepReason, number>>
}

/**
 * Lets go of chunks that others are to hold, when the disk gets full, oldest eras first.
 *
 * Nothing goes that the rule of drop-rule.ts keeps: it is asked before the holders are, and again for each chunk in the
 * moment in which it goes. An era is compacted at once, since the disk has its room back only then; one that a crash left
 * dropped and not compacted is compacted before anything else goes.
 */
export class SafePrune {
  private readonly options: SafePruneOptions
  private readonly modules: SafePruneModules
  private readonly turns: PruneTurns
  private readonly shown = new ShownLeaves()
  private readonly loop: Loop
  /** By era: when it was looked at last. */
  private readonly visits = new Map<number, Period>()
  /** False: an era may be dropped and not compacted. */
  private isTidy = false
  private isFull = false
  private droppedChunks = 0
  private droppedBytes = 0
  private kept: Round['kept'] = {}

  constructor(options: SafePruneOptions, modules: SafePruneModules) {
    this.options = options
    this.modules = modules
    this.turns = new PruneTurns(options.address, options.spreadPeriods ?? SPREAD_PERIODS)
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

  report(): SafePruneReport {
    const { isFull, droppedChunks, droppedBytes, kept } = this
    return { isFull, droppedChunks, droppedBytes, kept }
  }

  /** Drops what may go of the eras whose turn it is, until the disk is full to no more than 90 %. */
  async look(): Promise<void> {
    await this.tidy()
    const excessBytes = await this.readExcessBytes()
    this.isFull = excessBytes > 0
    if (!this.isFull) return
    const round: Round = { chunks: 0, bytes: 0, eras: 0, kept: {} }
    for (const era of await this.listDueEras()) {
      if (round.bytes >= excessBytes || this.loop.signal.aborted) break
      await this.pruneEra(era, round)
      this.kept = round.kept
    }
    const { chunks, bytes, eras } = round
    const replicas = this.modules.placement.inForce?.replicas ?? 0
    if (chunks > 0) this.modules.log.info({ chunks, sizeBytes: bytes, eras, replicas }, 'chunks let go')
  }

  /** Bytes past 90 % of what chunks may take. */
  private async readExcessBytes(): Promise<number> {
    const room = await this.modules.disk.readArchiveRoom()
    return room ? room.usedBytes - FULL_SHARE * room.mostBytes : 0
  }

  /** Room that was not given back yet is no reason to drop more. */
  private async tidy(): Promise<void> {
    if (this.isTidy) return
    const { marks, store } = this.modules
    const mark = await marks.readMark(MARK)
    if (mark?.length === 4) {
      const { from, to } = rangeOf(new ByteReader(mark, 'CORE_BYTES_INVALID').u32())
      await store.compactPeriods(from, to)
      await marks.putMark(MARK, NOTHING)
    }
    this.isTidy = true
  }

  private async begin(era: number): Promise<void> {
    if (!this.isTidy) return
    const { marks } = this.modules
    await marks.putMark(MARK, new ByteWriter(4).u32(era).finish())
    await marks.sync()
    this.isTidy = false
  }

  /** Oldest first. */
  private async listDueEras(): Promise<number[]> {
    const range = await this.modules.store.readRange()
    const finalPeriod = this.modules.finalPeriod()
    if (!range || finalPeriod === undefined) return []
    for (const [era, visited] of this.visits) {
      if (Math.abs(finalPeriod - visited) >= AGAIN_PERIODS) this.visits.delete(era)
    }
    const due: number[] = []
    const last = eraOf(Math.min(range.last, finalPeriod - this.options.minAgePeriods))
    for (let era = eraOf(range.first); era <= last; era++) {
      if (!this.visits.has(era) && this.turns.has(era, finalPeriod)) due.push(era)
    }
    return due
  }

  private async pruneEra(era: number, round: Round): Promise<void> {
    const { store, finalPeriod } = this.modules
    this.visits.set(era, finalPeriod() ?? 0)
    const before = round.chunks
    let batch: DrawnChunk[] = []
    for await (const { period } of store.listSummaries(rangeOf(era))) {
      if (this.loop.signal.aborted) break
      batch.push(...(await this.listCandidates(period, round)))
      if (batch.length < BATCH_CHUNKS) continue
      await this.dropBatch(batch, round)
      batch = []
    }
    await this.dropBatch(batch, round)
    if (round.chunks > before) round.eras++
    await this.tidy()
  }

  /** Held chunks of a period that nothing keeps but, maybe, what was not shown yet. */
  private async listCandidates(period: Period, round: Round): Promise<DrawnChunk[]> {
    const { store } = this.modules
    const manifest = await store.readManifest(period)
    const missing = new Set((await store.readHolding(period))?.missingChunks)
    const candidates: DrawnChunk[] = []
    for (const [index, { chunkId, byteLength }] of (manifest?.chunks ?? []).entries()) {
      if (missing.has(index)) continue
      const chunk = { period, index, chunkId, byteLength, hashSlot: computeHashSlot(chunkId) }
      const reason = this.findReason(chunk)
      if (reason === undefined || reason === 'unshown') candidates.push(chunk)
      else count(round, reason)
    }
    return candidates
  }

  /** Has their holders show them, and drops those that all showed. */
  private async dropBatch(batch: readonly DrawnChunk[], round: Round): Promise<void> {
    const { modules, shown } = this
    const { signal } = this.loop
    const listHolders = ({ hashSlot }: DrawnChunk): readonly string[] | undefined =>
      modules.placement.inForce && listSeparateHolders(modules.placement.inForce, hashSlot)
    await gatherEvidence(batch, { ...modules, shown, listHolders }, signal)
    for (const period of new Set(batch.map((chunk) => chunk.period))) {
      if (signal.aborted) return
      const chunks = batch.filter((chunk) => chunk.period === period)
      await this.dropOf(period, chunks, round)
    }
  }

  private async dropOf(period: Period, chunks: readonly DrawnChunk[], round: Round): Promise<void> {
    const { store, onDropped } = this.modules
    if (chunks.some((chunk) => this.findReason(chunk) === undefined)) await this.begin(eraOf(period))
    // Nothing may come between this and the drop.
    const going = chunks.filter((chunk) => {
      const reason = this.findReason(chunk)
      if (reason !== undefined) count(round, reason)
      return reason === undefined
    })
    if (going.length === 0) return
    await store.dropChunks(
      period,
      going.map(({ index }) => index),
    )
    const bytes = going.reduce((sum, { byteLength }) => sum + byteLength, 0)
    round.chunks += going.length
    round.bytes += bytes
    this.droppedChunks += going.length
    this.droppedBytes += bytes
    onDropped(period, { chunks: going.length, bytes })
  }

  private findReason(chunk: DrawnChunk): KeepReason | undefined {
    const { placement, duty, finalPeriod: readFinalPeriod, isAnchored = () => false } = this.modules
    const finalPeriod = readFinalPeriod()
    if (finalPeriod === undefined) return 'unplaced'
    return findReasonToKeep(chunk, {
      table: placement.isCurrent ? placement.inForce : undefined,
      finalPeriod,
      minAgePeriods: this.options.minAgePeriods,
      duty,
      isAnchored,
      hasShown: (address) => this.shown.isFresh(address, chunk, finalPeriod),
    })
  }
}

function count(round: Round, reason: KeepReason): void {
  round.kept[reason] = (round.kept[reason] ?? 0) + 1
}

function eraOf(period: Period): number {
  return Math.floor(period / ERA_PERIODS)
}

function rangeOf(era: number): { readonly from: Period; readonly to: Period } {
  return { from: era * ERA_PERIODS, to: (era + 1) * ERA_PERIODS - 1 }
}
