import * as z from 'zod'
import { ArchiveError, type PeriodRange, type Slot } from '../core/index.ts'
import { type ArchiveChoice, askArchive } from './ask-archive.ts'
import type { Context } from './context.ts'

/** As many as a gateway gives at once. */
const PAGE = 100

const place = z.object({ slot: z.object({ period: z.number(), thread: z.number() }) })
const listPage = z.object({
  operations: z.array(
    z.object({
      operationId: z.string(),
      inclusions: z.tuple([place]),
      execution: z.object({ outcome: z.enum(['success', 'failed', 'unknown']) }),
    }),
  ),
  cursor: z.string().max(40).nullable(),
})

/** An operation as the list of an archive names it, and what the archive says became of it. */
export interface ListedOperation {
  readonly id: string
  readonly slot: Slot
  readonly outcome: 'success' | 'failed' | 'unknown'
}

/**
 * The list that an archive gives of what an address did; nothing of it is verified.
 *
 * @param most - ends behind so many: a list that does not end is none
 * @throws ArchiveError CORE_READING_MALFORMED; those of `askArchive`
 */
export async function fetchListed(
  context: Context,
  address: string,
  { from, to, most, archive }: PeriodRange & { readonly most: number; readonly archive: ArchiveChoice },
  signal: AbortSignal,
): Promise<ListedOperation[]> {
  const listed: ListedOperation[] = []
  let cursor: string | null = ''
  while (cursor !== null && listed.length <= most) {
    const next: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`
    const path = `/v1/addresses/${address}/operations?from=${from}&to=${to}&limit=${PAGE}${next}`
    const { data: page } = listPage.safeParse(await askArchive(context, path, archive, signal))
    if (!page || (page.operations.length === 0 && page.cursor !== null)) {
      throw new ArchiveError('CORE_READING_MALFORMED', `what was answered for periods ${from} to ${to} is no list`)
    }
    for (const { operationId, inclusions, execution } of page.operations) {
      listed.push({ id: operationId, slot: inclusions[0].slot, outcome: execution.outcome })
    }
    cursor = page.cursor
  }
  return listed
}
