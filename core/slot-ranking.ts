import { createNodeNumbers, type KeptRanks } from './holder-table.ts'
import { HASH_SLOTS } from './placement.ts'

/*
 * Who ranks first in a hash slot, without the scores of all candidates in all hash slots at once: those are 128 KiB for
 * each candidate. Candidates are numbers; of equal scores the lower number ranks first.
 */

/** First places that are kept of each hash slot: 12 MiB. More than one in thousands of slots needs, see docs/FORMAT.md. */
const SHORTLIST_PLACES = 64
/** What a full ranking takes at most, unless another bound is given. */
const RANKING_BYTES = 64 * 1024 * 1024

/** Scores of one candidate in all hash slots, computed when they are asked for. */
export type ScoresOfOne = () => Float64Array

export interface Ranked {
  readonly index: number
  readonly score: number
}

type Steps<T> = Generator<undefined, T>
type Qualifies = (index: number) => boolean

/** The first places of each hash slot. */
export class Shortlists {
  /** False when there are candidates behind the last place. */
  readonly isWhole: boolean
  private readonly places: number
  private readonly scores: Float64Array
  private readonly indexes: Uint32Array
  private added = 0

  constructor(candidates: number, places: number) {
    this.places = Math.min(places, candidates)
    this.isWhole = this.places === candidates
    this.scores = new Float64Array(HASH_SLOTS * this.places)
    this.indexes = new Uint32Array(HASH_SLOTS * this.places)
  }

  /** The next candidate: they come in ascending order. */
  add(scores: Float64Array): void {
    const filled = Math.min(this.added, this.places)
    for (let hashSlot = 0; hashSlot < HASH_SLOTS; hashSlot++) {
      const from = hashSlot * this.places
      const score = scores[hashSlot] ?? Number.POSITIVE_INFINITY
      let at = from + filled
      if (filled === this.places) {
        at--
        if (score >= (this.scores[at] ?? 0)) continue
      }
      for (; at > from && (this.scores[at - 1] ?? 0) > score; at--) {
        this.scores[at] = this.scores[at - 1] ?? 0
        this.indexes[at] = this.indexes[at - 1] ?? 0
      }
      this.scores[at] = score
      this.indexes[at] = this.added
    }
    this.added++
  }

  /** The first `places` of each hash slot, or all where these are fewer. */
  keepFirst(places: number): KeptRanks {
    const kept = Math.min(places, this.places)
    const numbers = createNodeNumbers(HASH_SLOTS * kept, this.added)
    for (let hashSlot = 0; hashSlot < HASH_SLOTS; hashSlot++) {
      const from = hashSlot * this.places
      numbers.set(this.indexes.subarray(from, from + kept), hashSlot * kept)
    }
    return { places: kept, numbers }
  }

  findFirst(hashSlot: number, qualifies: Qualifies): Ranked | undefined {
    const from = hashSlot * this.places
    for (let at = from; at < from + this.places; at++) {
      const index = this.indexes[at] ?? 0
      if (qualifies(index)) return { index, score: this.scores[at] ?? 0 }
    }
    return undefined
  }
}

/** One step for each candidate. */
export function* listFirstRanks(candidates: readonly ScoresOfOne[], places = SHORTLIST_PLACES): Steps<Shortlists> {
  const shortlists = new Shortlists(candidates.length, places)
  for (const scoresOf of candidates) {
    shortlists.add(scoresOf())
    yield
  }
  return shortlists
}

/** All candidates in some hash slots. */
export class FullRanking {
  private readonly candidates: number
  private readonly from: number
  private readonly to: number
  private readonly scores: Float64Array

  constructor(candidates: number, from: number, to: number) {
    this.candidates = candidates
    this.from = from
    this.to = to
    this.scores = new Float64Array((to - from) * candidates)
  }

  set(index: number, scores: Float64Array): void {
    for (let hashSlot = this.from; hashSlot < this.to; hashSlot++) {
      this.scores[(hashSlot - this.from) * this.candidates + index] = scores[hashSlot] ?? Number.POSITIVE_INFINITY
    }
  }

  has(hashSlot: number): boolean {
    return hashSlot >= this.from && hashSlot < this.to
  }

  findFirst(hashSlot: number, qualifies: Qualifies): Ranked | undefined {
    const row = (hashSlot - this.from) * this.candidates
    let first: Ranked | undefined
    let lowest = Number.POSITIVE_INFINITY
    for (let index = 0; index < this.candidates; index++) {
      const score = this.scores[row + index] ?? Number.POSITIVE_INFINITY
      if (score >= lowest || !qualifies(index)) continue
      lowest = score
      first = { index, score }
    }
    return first
  }

  /** The first `count` of those that qualify, in order; all there are when fewer. */
  listFirst(hashSlot: number, count: number, qualifies: Qualifies): number[] {
    const row = (hashSlot - this.from) * this.candidates
    const scoreOf = (index: number): number => this.scores[row + index] ?? Number.POSITIVE_INFINITY
    // Sorting is stable: of equal scores the lower number ranks first.
    const indexes = Array.from({ length: this.candidates }, (_, index) => index).filter(qualifies)
    return indexes.sort((a, b) => scoreOf(a) - scoreOf(b)).slice(0, count)
  }
}

/** The hash slots from `from` on, as many as fit. One step for each candidate. */
export function* rankAll(
  candidates: readonly ScoresOfOne[],
  from: number,
  sizeBytes: number = RANKING_BYTES,
): Steps<FullRanking> {
  const rows = Math.max(1, Math.floor(sizeBytes / (8 * candidates.length)))
  const ranking = new FullRanking(candidates.length, from, Math.min(HASH_SLOTS, from + rows))
  for (const [index, scoresOf] of candidates.entries()) {
    ranking.set(index, scoresOf())
    yield
  }
  return ranking
}
