import { ByteReader, formatOperationId, readBlockHead } from '../core/index.ts'

/** Texts of the distinct operation ids of a spooled block record. */
export function readOperationIds(record: Uint8Array): string[] {
  return [...new Set(readBlockHead(new ByteReader(record)).operationIds.map(formatOperationId))]
}
