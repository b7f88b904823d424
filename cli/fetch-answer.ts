import { ArchiveError, isArchiveError } from '../core/errors.ts'
import { Patience } from './patience.ts'

/** A proof may be as long as a period; the answer beside it is small. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024
const ANSWER_MS = 60_000

/**
 * Asks any archive for something of history; what it answers is to be verified.
 *
 * @param from - address of its gateway, as `parseGatewayUrl` gives it
 * @param path - begins with a slash
 * @returns undefined where it says that it has nothing of the kind
 * @throws ArchiveError CLI_GATEWAY_FAILED: it does not answer, refuses, or answers something else
 */
export async function fetchAnswer(
  from: string,
  path: string,
  signal: AbortSignal,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const patience = new Patience(signal)
  try {
    return await patience.wait(ANSWER_MS, async () => {
      const answer = await fetch(`${from}${path}`, { signal: patience.signal, redirect: 'error' })
      const text = await readBounded(answer, from)
      const json: unknown = JSON.parse(text)
      if (typeof json !== 'object' || json === null || Array.isArray(json))
        throw failed(from, 'it answers no JSON object')
      if (answer.status === 404) return undefined
      if (!answer.ok)
        throw failed(from, `it answers ${answer.status}: ${String((json as { detail?: unknown }).detail)}`)
      return json as Readonly<Record<string, unknown>>
    })
  } catch (cause) {
    signal.throwIfAborted()
    if (isArchiveError(cause)) throw cause
    throw failed(from, patience.isOver ? 'it says nothing' : 'it does not answer, or not as it should', cause)
  }
}

async function readBounded({ body }: Response, from: string): Promise<string> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of body ?? []) {
    bytes += part.length
    if (bytes > MAX_ANSWER_BYTES) throw failed(from, 'its answer is longer than any honest one')
    parts.push(part)
  }
  return Buffer.concat(parts).toString()
}

function failed(url: string, why: string, cause?: unknown): ArchiveError {
  return new ArchiveError('CLI_GATEWAY_FAILED', `asked ${url}: ${why}`, {}, cause)
}
