import type { Clock } from '../../core/index.ts'
import type { GoneCopies } from './copy-tally.ts'

/** Ranks behind the holders that are looked at: whoever ranks farther behind waits for a day. */
const MAX_RANKS = 24
const SLICE_MS = 5

/** Who ranks behind the holders of a hash slot. */
export interface RankTable {
  rankBehind(hashSlot: number, count: number, signal?: AbortSignal): Promise<readonly string[]>
}

/** What becomes of the chunks of holders that are away or not believed. */
export interface AwayPlan {
  /** Chunks that each stand-in is to fetch. */
  readonly standIns: ReadonlyMap<string, number>
  /** Chunks of which fewer nodes are there than such holders. */
  readonly hopeless: number
  /** After how long, from now, all of the stand-ins have begun; 0 when they have. */
  readonly waitMs: number
}

/**
 * Finds who stands in, and when: of each hash slot as many as holders are away or not believed, the next in rank that are there. The
 * j-th of these fetches j times the repair delay after the j-th of the holders was lost.
 *
 * @param thin - chunks with too few copies of which a holder is so, by hash slot
 * @param modules.lostForMs - for how long a holder has been lost; below 0 for one that will count as lost so much later
 * @throws what `signal` was aborted with
 */
export async function planHealing(
  thin: ReadonlyMap<number, GoneCopies>,
  modules: {
    readonly table: RankTable
    readonly isAway: (address: string) => boolean
    readonly lostForMs: (address: string) => number
    readonly repairDelayMs: number
    readonly clock: Clock
  },
  signal: AbortSignal,
): Promise<AwayPlan> {
  const { table, isAway, lostForMs, repairDelayMs, clock } = modules
  const standIns = new Map<string, number>()
  let hopeless = 0
  let waitMs = 0
  let sliceBeganMs = clock.monotonicMs()
  for (const [hashSlot, { chunks, holders }] of thin) {
    const lost = Array.from(holders, lostForMs).sort((a, b) => b - a)
    let filled = 0
    const ranked = await table.rankBehind(hashSlot, MAX_RANKS, signal)
    for (const address of ranked) {
      const lostMs = lost[filled]
      if (lostMs === undefined) break
      if (isAway(address)) continue
      standIns.set(address, (standIns.get(address) ?? 0) + chunks)
      filled++
      waitMs = Math.max(waitMs, filled * repairDelayMs - lostMs)
    }
    if (filled < lost.length) hopeless += chunks
    if (clock.monotonicMs() - sliceBeganMs < SLICE_MS) continue
    signal.throwIfAborted()
    await clock.sleep(0)
    sliceBeganMs = clock.monotonicMs()
  }
  return { standIns, hopeless, waitMs }
}
