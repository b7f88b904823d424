import { resolve } from 'node:path'
import { ArchiveError, computeHashSlot, fromHex, LEAF_SIZE_BYTES } from '../../core/index.ts'
import { FileInMaking, refuseExisting } from '../../storage-worker/archive-file/write-file.ts'
import { type ArchiveChoice, askForChunk } from '../ask-archive.ts'
import type { Context } from '../context.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { resolveChunk } from '../find-chunks.ts'
import { renderRecord } from '../render-record.ts'

export interface GetChunkOptions extends ArchiveChoice {
  /** Of a file that is not there yet. */
  readonly out?: string
}

/**
 * Gets the bytes of a chunk, which its id binds.
 *
 * @param beginning - of its id, of the own archive; or 64 lower-case hex digits
 * @returns 0
 * @throws ArchiveError CLI_NOT_FOUND, CLI_USAGE, STORE_FILE_EXISTS, STORE_FILE_NOT_WRITTEN; those of `askForChunk`
 */
export async function getChunk(
  context: Context,
  beginning: string,
  { out, ...archive }: GetChunkOptions,
  signal: AbortSignal,
): Promise<number> {
  const { output, cwd } = context
  const file = out === undefined ? undefined : resolve(cwd, out)
  if (file !== undefined) await refuseExisting(file)
  const id = await resolveChunk(context, beginning, signal)
  const chunk = await askForChunk(context, id, archive, signal)
  if (!chunk) throw new ArchiveError('CLI_NOT_FOUND', `chunk ${id} is not in that archive`)
  if (file !== undefined) await writeChunk(file, chunk)
  const leaves = Math.ceil(chunk.length / LEAF_SIZE_BYTES)
  const shown = { chunkId: id, bytes: chunk.length, leaves, hashSlot: computeHashSlot(fromHex(id)), file }
  const checks = [{ name: 'chunk-id', value: `${chunk.length} bytes hash to it, in ${leaves} leaves` }]
  output.value({ ...shown, verified: { checks } })
  for (const line of renderRecord(shown)) output.line(line)
  output.line('')
  for (const { name, value } of checks) output.markedLine('green', 'checked', ` ${name.padEnd(20)} ${value}`)
  const remaining = 'that a period of the chain consists of it: `massa-storage get period` shows of what a period does'
  output.markedLine('yellow', 'not checked', ` ${remaining}`)
  return EXIT_CODES.ok.code
}

async function writeChunk(path: string, chunk: Uint8Array): Promise<void> {
  const file = await FileInMaking.begin(`${path}.part`)
  try {
    await file.write([chunk])
    await file.finish(path)
  } catch (error) {
    await file.giveUp()
    throw error
  }
}
