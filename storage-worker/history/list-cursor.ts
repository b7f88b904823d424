import { ArchiveError, type Period } from '../../core/index.ts'

/** Behind it a list goes on. */
export interface ListCursor {
  readonly period: Period
  readonly thread: number
  readonly index: number
}

export function comparePlaces(a: ListCursor, b: ListCursor): number {
  return a.period - b.period || a.thread - b.thread || a.index - b.index
}

export function formatCursor({ period, thread, index }: ListCursor): string {
  return `${period}-${thread}-${index}`
}

/** @throws ArchiveError API_QUERY_INVALID */
export function parseCursor(text: string): ListCursor {
  const [, period, thread, index] = /^(\d{1,15})-(\d{1,2})-(\d{1,7})$/.exec(text) ?? []
  if (period === undefined) throw new ArchiveError('API_QUERY_INVALID', `'${text.slice(0, 40)}' is no cursor of a list`)
  return { period: Number(period), thread: Number(thread), index: Number(index) }
}
