import { ArchiveError, isArchiveError } from '../core/errors.ts'
import { Patience } from '../telemetry/patience.ts'
import { readBounded } from './read-bounded.ts'

/** A proof may be as long as a period; the answer beside it is small. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024
/** Of a refusal. */
const MAX_PROBLEM_BYTES = 16 * 1024
const ANSWER_MS = 60_000

/**
 * Asks any archive for something of history; what it answers is to be verified.
 *
 * @param from - address of its gateway, as `parseGatewayUrl` gives it
 * @param path - begins with a slash
 * @returns undefined where it says that it has nothing of the kind
 * @throws ArchiveError CLI_GATEWAY_FAILED: it does not answer, refuses, or answers something else; CORE_READING_TOO_LARGE;
 *   STORE_CHUNK_AWAY, as it says
 */
export async function fetchAnswer(
  from: string,
  path: string,
  signal: AbortSignal,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const text = await fetchBytes(from, path, { maxBytes: MAX_ANSWER_BYTES, signal })
  if (!text) return undefined
  const json = parseObject(text)
  if (!json) throw failed(from, 'it answers no JSON object')
  return json
}

/** The same of any bytes; of an answer of more than `maxBytes` no more are read. */
export async function fetchBytes(
  from: string,
  path: string,
  { maxBytes, signal }: { readonly maxBytes: number; readonly signal: AbortSignal },
): Promise<Uint8Array | undefined> {
  const patience = new Patience(signal)
  try {
    return await patience.wait(ANSWER_MS, async () => {
      const answer = await fetch(`${from}${path}`, { signal: patience.signal, redirect: 'error' })
      const bytes = await readBounded(answer, answer.ok ? maxBytes : MAX_PROBLEM_BYTES, patience)
      if (answer.ok) return bytes
      const { code, detail } = parseObject(bytes) ?? {}
      const said = `it answers ${answer.status}${detail === undefined ? '' : `: ${String(detail)}`}`
      if (code === 'STORE_CHUNK_AWAY') throw new ArchiveError(code, `asked ${from}: ${said}`)
      if (answer.status === 404) return undefined
      throw failed(from, said)
    })
  } catch (cause) {
    signal.throwIfAborted()
    if (isArchiveError(cause)) throw cause
    throw failed(from, patience.isOver ? 'it says nothing' : 'it does not answer, or not as it should', cause)
  }
}

function parseObject(text: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const json: unknown = JSON.parse(Buffer.from(text).toString())
    return typeof json === 'object' && json !== null && !Array.isArray(json)
      ? (json as Readonly<Record<string, unknown>>)
      : undefined
  } catch {
    return undefined
  }
}

function failed(url: string, why: string, cause?: unknown): ArchiveError {
  return new ArchiveError('CLI_GATEWAY_FAILED', `asked ${url}: ${why}`, {}, cause)
}
