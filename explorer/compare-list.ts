import type { Period, PeriodRange } from '../core/verify.ts'
import { type CheckedRange, judgeRange, type RangeVerdict } from './judge-range.ts'
import type { ListedOperation, Outcome, ShownRange, Task } from './worker-messages.ts'

/** What a page shows of the list of an address. */
export interface ListPart {
  readonly address: string
  /** That the reader chose. */
  readonly periods: PeriodRange | undefined
  readonly operations: readonly ListedOperation[]
  /** Of this page; undefined: it begins with the newest operation. */
  readonly cursor: string | undefined
  /** Of the next page; undefined: it ends with the oldest. */
  readonly nextCursor: string | undefined
}

interface Means {
  readonly verify: (task: Task) => Promise<Outcome>
  /** Called before each part of the range is read. */
  readonly report: (range: PeriodRange, from: Period) => void
  /** False once nobody waits for it. */
  readonly isWanted: () => boolean
  readonly now: () => number
}

/** Pages of the list of a chosen range that are asked for at most, and operations in each. */
const MAX_PAGES = 100
const PAGE_LENGTH = 100

/**
 * Reads all bodies of the range that a list is of, and compares.
 *
 * @returns the verdict; what the archive answered where it did not answer with that; undefined: nobody waits for it
 */
export async function compareList(part: ListPart, means: Means): Promise<RangeVerdict | Outcome | undefined> {
  const found = part.periods ? await listAll(part, part.periods, means) : await findRange(part, means)
  if (!('range' in found && 'operations' in found)) return found
  const { range, operations } = found
  const listed = operations.flatMap(({ id, slots }) => slots.map((slot) => ({ id, slot })))
  const read: ShownRange[] = []
  for (let { from } = range; from <= range.to; ) {
    if (!means.isWanted()) return undefined
    means.report(range, from)
    const outcome = await means.verify({ kind: 'range', address: part.address, from, to: range.to, listed })
    if (outcome.kind !== 'range') return outcome
    read.push(outcome.range)
    from = outcome.range.to + 1
  }
  return judgeRange(read, range, means.now())
}

interface Comparison {
  readonly range: CheckedRange
  readonly operations: readonly ListedOperation[]
}

/** The whole list of a range that the reader chose, whatever page of it he looks at. */
async function listAll(
  { address }: ListPart,
  periods: PeriodRange,
  { verify }: Means,
): Promise<Comparison | Outcome | RangeVerdict> {
  const operations: ListedOperation[] = []
  let cursor: string | undefined
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const outcome = await verify({ kind: 'list', address, cursor, periods, limit: PAGE_LENGTH })
    if (outcome.kind !== 'listed') return outcome
    operations.push(...outcome.operations)
    cursor = outcome.cursor
    if (cursor === undefined) return { range: { ...periods, chosenBy: 'reader' }, operations }
  }
  return unread(`More than ${MAX_PAGES} pages of operations: choose fewer periods`)
}

/** Periods at the ends of a list may go on in the pages beside it. */
async function findRange(
  { operations, cursor, nextCursor }: ListPart,
  { verify }: Means,
): Promise<Comparison | Outcome | RangeVerdict> {
  const periods = operations.flatMap(({ slots }) => slots.map(({ period }) => period))
  const outcome = await verify({ kind: 'overview' })
  if (outcome.kind !== 'overview') return outcome
  const { first, last } = outcome.overview
  const [isFirst, isLast] = [cursor === undefined, nextCursor === undefined]
  const from = isLast ? first : Math.min(...periods) + 1
  const to = isFirst ? last : Math.max(...periods) - 1
  if (from > to) return unread('The whole list is of one period: look at all of it first')
  return { range: { from, to, chosenBy: isFirst && isLast ? 'archive' : 'page' }, operations }
}

function unread(title: string): RangeVerdict {
  return { color: 'open', title, lines: [], missing: [], surplus: [] }
}
