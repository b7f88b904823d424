import { isArchiveError } from '../core/index.ts'
import { callSidecar } from './call-sidecar.ts'
import type { Context } from './context.ts'
import { fetchAnswer } from './fetch-answer.ts'
import { findSidecar } from './find-sidecar.ts'

/** What it does not hold it may fetch from others. */
const LIMITS = { answerMs: 60_000, silenceMs: 30_000 }

/**
 * Asks the running sidecar for something of history, or any archive.
 *
 * @param path - as the gateway has it: api/gateway
 * @param from - address of the archive; undefined: the running sidecar
 * @returns undefined where it says that it has nothing of the kind
 * @throws ArchiveError CLI_GATEWAY_FAILED, CLI_SIDECAR_UNREACHABLE; what the sidecar refuses with
 */
export async function askArchive(
  context: Context,
  path: string,
  from: string | undefined,
  signal: AbortSignal,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  if (from !== undefined) return fetchAnswer(from, path, signal)
  try {
    const sidecar = await findSidecar(context.load().config, signal)
    return (await callSidecar(sidecar, path, { signal }, LIMITS)) as Readonly<Record<string, unknown>>
  } catch (error) {
    if (isArchiveError(error, 'API_HISTORY_UNKNOWN')) return undefined
    throw error
  }
}
