import { DATA_DIR_HEADER } from '../api/data-dir-header.ts'
import { ERROR_CODES, type ErrorCode } from '../core/error-codes.ts'
import { ArchiveError } from '../core/errors.ts'
import { nameDataDir } from '../storage-worker/data-dir-name.ts'

/** Where a sidecar is asked, and which archive is meant. */
export interface Sidecar {
  readonly url: string
  readonly dataDir: string
}

/**
 * Asks the sidecar that has `dataDir` open, and nobody else: who listens there may be the sidecar of another archive, or
 * another program, since the note that names the address outlives a sidecar that was killed. A sidecar of another archive
 * refuses the request, and no answer is believed that does not name this archive.
 *
 * @throws ArchiveError CLI_SIDECAR_UNREACHABLE, or the code that the sidecar refuses with
 */
export async function callSidecar(sidecar: Sidecar, path: string, init: RequestInit = {}): Promise<Response> {
  const { url, dataDir } = sidecar
  const name = await nameDataDir(dataDir)
  const headers = new Headers(init.headers)
  headers.set(DATA_DIR_HEADER, name)
  let answer: Response
  try {
    answer = await fetch(`${url}${path}`, { ...init, headers, redirect: 'manual' })
  } catch (cause) {
    if (init.signal?.aborted) throw cause
    throw unreachable(sidecar, `no massa-storage answers at ${url}`, cause)
  }
  if (answer.headers.get(DATA_DIR_HEADER) !== name) {
    await answer.body?.cancel().catch(() => undefined)
    throw unreachable(sidecar, `at ${url} no massa-storage answers that has ${dataDir} open`)
  }
  if (answer.ok || answer.status === 503) return answer
  throw (await readRefusal(answer)) ?? unreachable(sidecar, `${url}${path} answers ${answer.status}`)
}

/** What a sidecar says of its own failure; undefined when it is of another release. */
export function parseRefusal(error: { readonly code: string; readonly message: string }): ArchiveError | undefined {
  return Object.hasOwn(ERROR_CODES, error.code) ? new ArchiveError(error.code as ErrorCode, error.message) : undefined
}

function unreachable({ url, dataDir }: Sidecar, message: string, cause?: unknown): ArchiveError {
  return new ArchiveError('CLI_SIDECAR_UNREACHABLE', message, { url, dataDir }, cause)
}

async function readRefusal(answer: Response): Promise<ArchiveError | undefined> {
  try {
    const { error } = (await answer.json()) as { readonly error: { readonly code: string; readonly message: string } }
    return parseRefusal(error)
  } catch {
    // No sidecar of this release.
    return undefined
  }
}
