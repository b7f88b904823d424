import { ArchiveError, type PeriodRange } from '../core/index.ts'
import { queryArchive } from './archive-access.ts'
import type { Context } from './context.ts'

const ID_DIGITS = 64

/**
 * A chunk by its id, or by the beginning of one of the own archive.
 *
 * @param id - lower-case hex digits
 * @returns 64 hex digits
 * @throws ArchiveError CLI_USAGE where several begin so, CLI_NOT_FOUND
 */
export async function resolveChunk(context: Context, id: string, signal: AbortSignal): Promise<string> {
  if (id.length === ID_DIGITS) return id
  const [found, ...others] = await findChunks(context, { prefixHex: id }, signal)
  if (found === undefined) throw new ArchiveError('CLI_NOT_FOUND', `in this archive no chunk begins with ${id}`)
  if (others.length === 0) return found
  throw new ArchiveError('CLI_USAGE', `${others.length + 1} chunks of this archive begin with ${id}: give more digits`)
}

/** Ids of chunks of the own archive, as hex. */
export async function findChunks(
  context: Context,
  { prefixHex = '', from = 0, to = Number.MAX_SAFE_INTEGER }: { readonly prefixHex?: string } & Partial<PeriodRange>,
  signal: AbortSignal,
): Promise<string[]> {
  const request = { kind: 'list-chunks' as const, from, to, prefixHex }
  const found: string[] = []
  for await (const answer of queryArchive(context.load().config, request, signal)) {
    if ('row' in answer) found.push((answer.row as { chunkId: string }).chunkId)
  }
  return found
}
