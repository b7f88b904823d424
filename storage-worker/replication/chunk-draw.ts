import { type ChunkStore, type Clock, computeHashSlot, ERA_PERIODS, type Period } from '../../core/index.ts'

/** What was filled in the middle is seen at the next count of all: 10^6 summaries are 15 seconds of reading. */
const RECOUNT_MS = 24 * 3_600_000
/** Draws of one call, 2 ms each. Of a node with one hash slot in a thousand 98 % of the calls find a chunk. */
const MAX_DRAWS = 4_096
const DRAW_BITS_HIGH = 2 ** 26
const DRAW_BITS_LOW = 2 ** 27

/** A chunk of the chain, held here or not. */
export interface DrawnChunk {
  readonly period: Period
  readonly index: number
  /** 32 bytes */
  readonly chunkId: Uint8Array
  readonly byteLength: number
  readonly hashSlot: number
}

/**
 * Draws chunks of the visible periods by byte: each byte of them is as likely as any other, whatever the sizes of chunks,
 * periods and eras.
 *
 * Bytes are counted era by era, so that 10^6 periods take 8,000 numbers. A draw takes an era by its bytes, then a byte of
 * it, and the chunk where that byte lies; chunks that the caller does not want are drawn again, which leaves those that it
 * wants as likely as before among themselves. An era that has other bytes than when it was counted is counted anew by the
 * draw that meets it; what it has more is not drawn before, so that no byte is ever more likely than another.
 */
export class ChunkDraw {
  private readonly store: Pick<ChunkStore, 'readRange' | 'listSummaries' | 'readManifest'>
  private readonly clock: Clock
  private readonly random: (maxExclusive: number) => number
  /** BODY bytes of the eras that have any. */
  private readonly bytesOf = new Map<number, number>()
  private totalBytes = 0
  private counted: { readonly first: Period; readonly last: Period } | undefined
  private countedAllAtMs = Number.NEGATIVE_INFINITY

  /** @param modules.random - a whole number from 0 to below `maxExclusive`, at most 2^27 */
  constructor(modules: {
    readonly store: Pick<ChunkStore, 'readRange' | 'listSummaries' | 'readManifest'>
    readonly clock: Clock
    readonly random: (maxExclusive: number) => number
  }) {
    this.store = modules.store
    this.clock = modules.clock
    this.random = modules.random
  }

  /** @returns undefined when none was found in 4,096 draws @throws what the store throws */
  async draw(isWanted: (chunk: DrawnChunk) => boolean): Promise<DrawnChunk | undefined> {
    await this.count()
    for (let drawn = 0; drawn < MAX_DRAWS && this.totalBytes > 0; drawn++) {
      const chunk = await this.drawOne()
      if (chunk && isWanted(chunk)) return chunk
    }
    return undefined
  }

  /** Any chunk, or none where the byte that was drawn is there no more. */
  private async drawOne(): Promise<DrawnChunk | undefined> {
    const high = this.random(DRAW_BITS_HIGH)
    let offset = Math.floor(((high * DRAW_BITS_LOW + this.random(DRAW_BITS_LOW)) / 2 ** 53) * this.totalBytes)
    for (const [era, bytes] of this.bytesOf) {
      if (offset < bytes) return this.findInEra(era, offset)
      offset -= bytes
    }
    return undefined
  }

  private async findInEra(era: number, offset: number): Promise<DrawnChunk | undefined> {
    let found: { readonly period: Period; readonly offset: number } | undefined
    let bytes = 0
    for await (const { period, bodyBytes } of this.store.listSummaries(rangeOf(era))) {
      if (found === undefined && offset < bytes + bodyBytes) found = { period, offset: offset - bytes }
      bytes += bodyBytes
    }
    this.setBytes(era, bytes)
    const manifest = found && (await this.store.readManifest(found.period))
    if (!found || !manifest) return undefined
    let before = 0
    for (const [index, { chunkId, byteLength }] of manifest.chunks.entries()) {
      if (found.offset < before + byteLength) {
        return { period: found.period, index, chunkId, byteLength, hashSlot: computeHashSlot(chunkId) }
      }
      before += byteLength
    }
    return undefined
  }

  /** All, or what came at the ends since the last time. */
  private async count(): Promise<void> {
    const range = await this.store.readRange()
    const nowMs = this.clock.monotonicMs()
    const isDue = nowMs - this.countedAllAtMs >= RECOUNT_MS
    const known = isDue ? undefined : this.counted
    if (!range || !known) {
      this.bytesOf.clear()
      this.totalBytes = 0
    }
    this.counted = range
    if (!range) return
    if (!known) this.countedAllAtMs = nowMs
    const [first, last] = [eraOf(range.first), eraOf(range.last)]
    for (const era of this.bytesOf.keys()) if (era < first || era > last) this.setBytes(era, 0)
    // The eras at the ends may have got periods; those beyond are new.
    if (!known) return this.countEras(first, last)
    const [knownFirst, knownLast] = [eraOf(known.first), eraOf(known.last)]
    if (range.first < known.first) await this.countEras(first, Math.min(knownFirst, last))
    if (range.last > known.last) await this.countEras(Math.max(knownLast, first), last)
  }

  private async countEras(first: number, last: number): Promise<void> {
    let era = first
    let bytes = 0
    const range = { from: rangeOf(first).from, to: rangeOf(last).to }
    for await (const { period, bodyBytes } of this.store.listSummaries(range)) {
      if (eraOf(period) !== era) {
        this.setBytes(era, bytes)
        era = eraOf(period)
        bytes = 0
      }
      bytes += bodyBytes
    }
    this.setBytes(era, bytes)
  }

  private setBytes(era: number, bytes: number): void {
    this.totalBytes += bytes - (this.bytesOf.get(era) ?? 0)
    if (bytes > 0) this.bytesOf.set(era, bytes)
    else this.bytesOf.delete(era)
  }
}

function eraOf(period: Period): number {
  return Math.floor(period / ERA_PERIODS)
}

function rangeOf(era: number): { readonly from: Period; readonly to: Period } {
  return { from: era * ERA_PERIODS, to: (era + 1) * ERA_PERIODS - 1 }
}
