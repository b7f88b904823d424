import { ArchiveError } from '../core/errors.ts'
import type { Patience } from '../telemetry/patience.ts'

/**
 * The bytes of an answer; of one of more than `maxBytes` no more are read.
 *
 * @throws ArchiveError CORE_READING_TOO_LARGE; those of `Patience.read`
 */
export async function readBounded(answer: Response, maxBytes: number, patience: Patience): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of patience.read(answer)) {
    bytes += part.length
    if (bytes > maxBytes) {
      const message = `${answer.url} answers with more than ${maxBytes} bytes`
      throw new ArchiveError('CORE_READING_TOO_LARGE', message, { maxBytes })
    }
    parts.push(part)
  }
  return Buffer.concat(parts)
}
