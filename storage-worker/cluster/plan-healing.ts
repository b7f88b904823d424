import type { Clock } from '../../core/index.ts'
import type { GoneCopies, NodeState } from './copy-tally.ts'

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
  /** How many repair delays the farthest stand-in waits for. */
  readonly delays: number
}

/**
 * Finds who stands in: of each hash slot as many as holders are away or not believed, the next in rank that are there. The j-th in rank
 * fetches after j times the repair delay.
 *
 * @param thin - chunks with too few copies of which a holder is so, by hash slot
 * @throws what `signal` was aborted with
 */
export async function planHealing(
  thin: ReadonlyMap<number, GoneCopies>,
  modules: {
    readonly table: RankTable
    readonly stateOf: (address: string) => NodeState
    readonly clock: Clock
  },
  signal: AbortSignal,
): Promise<AwayPlan> {
  const { table, stateOf, clock } = modules
  const standIns = new Map<string, number>()
  let hopeless = 0
  let delays = 0
  let sliceBeganMs = clock.monotonicMs()
  for (const [hashSlot, { chunks, holders }] of thin) {
    let gone = holders.size
    const ranked = await table.rankBehind(hashSlot, MAX_RANKS, signal)
    for (const [i, address] of ranked.entries()) {
      if (gone === 0) break
      if (stateOf(address) === 'away') continue
      standIns.set(address, (standIns.get(address) ?? 0) + chunks)
      delays = Math.max(delays, i + 1)
      gone--
    }
    if (gone > 0) hopeless += chunks
    if (clock.monotonicMs() - sliceBeganMs < SLICE_MS) continue
    signal.throwIfAborted()
    await clock.sleep(0)
    sliceBeganMs = clock.monotonicMs()
  }
  return { standIns, hopeless, delays }
}
