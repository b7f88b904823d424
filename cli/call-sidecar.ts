import { ERROR_CODES, type ErrorCode } from '../core/error-codes.ts'
import { ArchiveError } from '../core/errors.ts'

/** @throws ArchiveError CLI_SIDECAR_UNREACHABLE, or the code that the sidecar refuses with */
export async function callSidecar(url: string, init: RequestInit = {}): Promise<Response> {
  let answer: Response
  try {
    answer = await fetch(url, init)
  } catch (cause) {
    if (init.signal?.aborted) throw cause
    throw new ArchiveError(
      'CLI_SIDECAR_UNREACHABLE',
      `no massa-storage answers at ${url.replace(/\/v1\/.*$/, '')}`,
      { url },
      cause,
    )
  }
  if (answer.ok || answer.status === 503) return answer
  throw (
    (await readRefusal(answer)) ??
    new ArchiveError('CLI_SIDECAR_UNREACHABLE', `${url} answers ${answer.status}`, { url })
  )
}

/** What a sidecar says of its own failure; undefined when it is of another release. */
export function parseRefusal(error: { readonly code: string; readonly message: string }): ArchiveError | undefined {
  return error.code in ERROR_CODES ? new ArchiveError(error.code as ErrorCode, error.message) : undefined
}

async function readRefusal(answer: Response): Promise<ArchiveError | undefined> {
  try {
    const { error } = (await answer.json()) as { readonly error: { readonly code: string; readonly message: string } }
    return parseRefusal(error)
  } catch {
    // No sidecar of ours.
    return undefined
  }
}
