import { ArchiveError } from '../core/errors.ts'

/**
 * The bytes of an answer; of one of more than `maxBytes` no more are read.
 *
 * @throws ArchiveError CORE_READING_TOO_LARGE
 */
export async function readBounded({ body, url }: Response, maxBytes: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of body ?? []) {
    bytes += part.length
    if (bytes > maxBytes) {
      throw new ArchiveError('CORE_READING_TOO_LARGE', `${url} answers with more than ${maxBytes} bytes`, { maxBytes })
    }
    parts.push(part)
  }
  return Buffer.concat(parts)
}
