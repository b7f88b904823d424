import type { FastifyRequest } from 'fastify'
import { ArchiveError } from '../core/errors.ts'

/**
 * Header of a request that only whoever has this data directory open may answer, and of the answer that says so.
 *
 * Its value is a name of storage-worker/data-dir-name.ts.
 */
export const DATA_DIR_HEADER = 'massa-storage-data-dir'

/**
 * Hook of a GET that takes work: any page in a browser on this machine can send one that carries no header, by an image,
 * though it never sees the answer. The name itself is checked for every request that has one.
 *
 * @throws ArchiveError API_DATA_DIR_UNNAMED
 */
export async function needDataDir({ headers }: FastifyRequest): Promise<void> {
  if (headers[DATA_DIR_HEADER] !== undefined) return
  throw new ArchiveError('API_DATA_DIR_UNNAMED', `this needs the name of the data directory as ${DATA_DIR_HEADER}`)
}
