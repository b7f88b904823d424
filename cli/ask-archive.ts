import { ArchiveError, CHUNK_SIZE_BYTES, computeChunkId, equalBytes, fromHex, isArchiveError } from '../core/index.ts'
import { callSidecar, readSidecarBytes, type Sidecar } from './call-sidecar.ts'
import type { Context } from './context.ts'
import { fetchAnswer, fetchBytes } from './fetch-answer.ts'
import { findSidecar } from './find-sidecar.ts'

/** What it does not hold it may fetch from others. */
const LIMITS = { answerMs: 60_000, silenceMs: 30_000 }

/** Which archive is asked. */
export interface ArchiveChoice {
  /** Address of its gateway; absent: the running sidecar is asked. */
  readonly from?: string | undefined
  /** Has the running sidecar fetch what it does not hold from other sidecars. */
  readonly fetch?: boolean | undefined
}

/**
 * Asks the running sidecar for something of history, or any archive.
 *
 * @param path - as the gateway has it: api/gateway
 * @returns undefined where it says that it has nothing of the kind
 * @throws ArchiveError CLI_GATEWAY_FAILED, CLI_SIDECAR_UNREACHABLE, STORE_CHUNK_AWAY; what the sidecar refuses with
 */
export async function askArchive(
  context: Context,
  path: string,
  archive: ArchiveChoice,
  signal: AbortSignal,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const { from } = archive
  if (from !== undefined) return fetchAnswer(from, path, signal)
  return askOwn(context, signal, async (sidecar) => {
    const answer = await callSidecar(sidecar, withFetch(path, archive), { signal }, LIMITS)
    return answer as Readonly<Record<string, unknown>>
  })
}

/**
 * Asks for a chunk in the same way, and takes nothing but what hashes to its id.
 *
 * @param id - 64 lower-case hex digits
 * @throws ArchiveError CORE_READING_CHUNK_INVALID, CORE_READING_TOO_LARGE; those of `askArchive`
 */
export async function askForChunk(
  context: Context,
  id: string,
  archive: ArchiveChoice,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  const { from } = archive
  const path = `/chunk/${id}`
  const maxBytes = CHUNK_SIZE_BYTES
  const chunk =
    from === undefined
      ? await askOwn(context, signal, (sidecar) =>
          readSidecarBytes(sidecar, withFetch(path, archive), { signal, maxBytes }, LIMITS),
        )
      : await fetchBytes(from, path, { maxBytes, signal })
  if (!chunk) return undefined
  if (chunk.length > 0 && equalBytes(computeChunkId(chunk), fromHex(id))) return chunk
  throw new ArchiveError('CORE_READING_CHUNK_INVALID', `what was answered does not hash to ${id}`)
}

async function askOwn<T>(
  context: Context,
  signal: AbortSignal,
  ask: (sidecar: Sidecar) => Promise<T>,
): Promise<T | undefined> {
  try {
    return await ask(await findSidecar(context.load().config, signal))
  } catch (error) {
    if (isArchiveError(error, 'API_HISTORY_UNKNOWN')) return undefined
    throw error
  }
}

function withFetch(path: string, { fetch }: ArchiveChoice): string {
  return fetch ? `${path}${path.includes('?') ? '&' : '?'}fetch=true` : path
}
