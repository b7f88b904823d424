import { ArchiveError } from '../core/errors.ts'

/** @throws ArchiveError CLI_SIDECAR_UNREACHABLE */
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
  throw new ArchiveError('CLI_SIDECAR_UNREACHABLE', `${url} answers ${answer.status}`, { url })
}
