import type { Period } from '../../core/index.ts'
import { MAX_MISSING_RANGES, type MissingRange } from '../../protocol-handler/index.ts'

/**
 * All of these as runs that do not touch, ascending; at most 64: of more the last one reaches to the end of all.
 *
 * @param ranges - in any order
 */
export function joinRanges(ranges: readonly MissingRange[]): readonly MissingRange[] {
  const joined: MissingRange[] = []
  for (const { fromPeriod, endPeriod } of ranges.toSorted((a, b) => a.fromPeriod - b.fromPeriod)) {
    const last = joined.at(-1)
    if (!last || (fromPeriod > last.endPeriod && joined.length < MAX_MISSING_RANGES))
      joined.push({ fromPeriod, endPeriod })
    else joined[joined.length - 1] = { ...last, endPeriod: Math.max(last.endPeriod, endPeriod) }
  }
  return joined
}

/** Whether one of the periods [first, last] is missing. */
export function isMissingIn(
  ranges: readonly MissingRange[],
  { first, last }: { readonly first: Period; readonly last: Period },
): boolean {
  return ranges.some(({ fromPeriod, endPeriod }) => fromPeriod <= last && endPeriod > first)
}
