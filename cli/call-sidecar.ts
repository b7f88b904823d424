import * as z from 'zod'
import { DATA_DIR_HEADER } from '../api/data-dir-header.ts'
import { ERROR_CODES, type ErrorCode } from '../core/error-codes.ts'
import { ArchiveError } from '../core/errors.ts'
import { nameDataDir } from '../storage-worker/data-dir-name.ts'
import { Patience, type StartTimer } from '../telemetry/patience.ts'
import { readBounded } from './read-bounded.ts'

/** Where a sidecar is asked, and which archive is meant. */
export interface Sidecar {
  readonly url: string
  readonly dataDir: string
}

export interface SidecarRequest {
  /** Sent as JSON, by POST; without it the request is a GET. */
  readonly body?: object | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly signal?: AbortSignal | undefined
}

export interface AnswerLimits {
  /** To the head of an answer, or to all of one that is not streamed. */
  readonly answerMs: number
  /** Between two pieces of a streamed one. */
  readonly silenceMs: number
  readonly startTimer?: StartTimer
}

/** Of the sidecar's own routes, and of those for applications (RFC 9457). */
const refusal = z.union([
  z.object({ error: z.object({ code: z.string(), message: z.string() }) }),
  z
    .object({ code: z.string(), detail: z.string() })
    .transform(({ code, detail }) => ({ error: { code, message: detail } })),
])

/** A sidecar answers in some ms, and while it works on a query it says so every other second. */
const LIMITS: AnswerLimits = { answerMs: 10_000, silenceMs: 30_000 }

/**
 * Asks the sidecar that has `dataDir` open, and nobody else: who listens there may be the sidecar of another archive, or
 * another program, since the note that names the address outlives a sidecar that was killed. A sidecar of another archive
 * refuses the request, and no answer is believed that does not name this archive.
 *
 * @returns the JSON of its answer
 * @throws ArchiveError CLI_SIDECAR_UNREACHABLE, also when it takes too long, or the code that the sidecar refuses with
 */
export async function callSidecar(
  sidecar: Sidecar,
  path: string,
  request: SidecarRequest = {},
  limits = LIMITS,
): Promise<unknown> {
  const patience = new Patience(request.signal, limits.startTimer)
  return patience.wait(limits.answerMs, async () => {
    const answer = await fetchAnswer(sidecar, path, request, patience)
    return reading(sidecar, request, patience, () => readJson(answer, patience))
  })
}

/** The same for bytes, `maxBytes` at most. */
export async function readSidecarBytes(
  sidecar: Sidecar,
  path: string,
  { maxBytes, ...request }: SidecarRequest & { readonly maxBytes: number },
  limits = LIMITS,
): Promise<Uint8Array> {
  const patience = new Patience(request.signal, limits.startTimer)
  return patience.wait(limits.answerMs, async () => {
    const answer = await fetchAnswer(sidecar, path, request, patience)
    return reading(sidecar, request, patience, () => readBounded(answer, maxBytes, patience))
  })
}

/** The same for an answer that comes row by row, each of them JSON. */
export async function* streamSidecar(
  sidecar: Sidecar,
  path: string,
  request: SidecarRequest = {},
  limits = LIMITS,
): AsyncGenerator<unknown> {
  const patience = new Patience(request.signal, limits.startTimer)
  const answer = await patience.wait(limits.answerMs, () => fetchAnswer(sidecar, path, request, patience))
  const pieces = patience.read(answer)
  const read = () => patience.wait(limits.silenceMs, () => pieces.next())
  const decoder = new TextDecoder()
  try {
    let rest = ''
    for (;;) {
      const { value, done = false } = await reading(sidecar, request, patience, read)
      const lines = (rest + decoder.decode(value ?? undefined, { stream: !done })).split('\n')
      // What is whole has a line end.
      if (!done) rest = lines.pop() ?? ''
      else if (lines.at(-1) === '') lines.pop()
      for (const line of lines) yield await reading(sidecar, request, patience, async () => JSON.parse(line) as unknown)
      if (done) return
    }
  } finally {
    await pieces.return()
  }
}

async function fetchAnswer(
  sidecar: Sidecar,
  path: string,
  request: SidecarRequest,
  patience: Patience,
): Promise<Response> {
  const { url, dataDir } = sidecar
  const name = await nameDataDir(dataDir)
  const json = request.body && {
    method: 'POST',
    body: JSON.stringify(request.body),
    headers: { 'content-type': 'application/json' },
  }
  const headers = { ...json?.headers, ...request.headers, [DATA_DIR_HEADER]: name }
  const answer = await reading(sidecar, request, patience, () =>
    fetch(`${url}${path}`, { ...json, headers, signal: patience.signal, redirect: 'manual' }),
  )
  if (answer.headers.get(DATA_DIR_HEADER) !== name) {
    await answer.body?.cancel().catch(() => undefined)
    throw unreachable(sidecar, `at ${url} no massa-storage answers that has ${dataDir} open`)
  }
  if (answer.ok || answer.status === 503) return answer
  throw (await readRefusal(answer, patience)) ?? unreachable(sidecar, `${url}${path} answers ${answer.status}`)
}

/** Whatever goes wrong there is said as what it is: the user's end of it, or a sidecar that does not answer as it should. */
async function reading<T>(
  sidecar: Sidecar,
  { signal }: SidecarRequest,
  patience: Patience,
  act: () => Promise<T>,
): Promise<T> {
  try {
    return await act()
  } catch (cause) {
    signal?.throwIfAborted()
    const how = patience.isOver ? 'listens and says nothing' : 'does not answer, or not as it should'
    throw unreachable(sidecar, `the massa-storage at ${sidecar.url} ${how}`, cause)
  }
}

/**
 * What was asked for, of the expected shape.
 *
 * @throws ArchiveError CLI_SIDECAR_UNREACHABLE: whoever answers speaks another language, as another release may
 */
export function parseAnswer<T>(schema: z.ZodType<T>, answer: unknown): T {
  const { data, success, error } = schema.safeParse(answer)
  if (success) return data
  const message = 'who answers is no massa-storage of this release: the answer is not of the expected shape'
  throw new ArchiveError('CLI_SIDECAR_UNREACHABLE', message, {}, error)
}

/** What a sidecar says of its own failure; undefined when it is of another release. */
export function parseRefusal(error: { readonly code: string; readonly message: string }): ArchiveError | undefined {
  return Object.hasOwn(ERROR_CODES, error.code) ? new ArchiveError(error.code as ErrorCode, error.message) : undefined
}

function unreachable({ url, dataDir }: Sidecar, message: string, cause?: unknown): ArchiveError {
  return new ArchiveError('CLI_SIDECAR_UNREACHABLE', message, { url, dataDir }, cause)
}

async function readRefusal(answer: Response, patience: Patience): Promise<ArchiveError | undefined> {
  try {
    return parseRefusal(refusal.parse(await readJson(answer, patience)).error)
  } catch {
    // No sidecar of this release.
    return undefined
  }
}

async function readJson(answer: Response, patience: Patience): Promise<unknown> {
  return JSON.parse(Buffer.from(await readBounded(answer, Number.POSITIVE_INFINITY, patience)).toString())
}
