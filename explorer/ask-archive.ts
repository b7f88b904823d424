/** More than any honest answer: a proof may be as long as a period, a range as its bodies. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024

export interface ArchiveAnswer {
  readonly json: Readonly<Record<string, unknown>>
  readonly bytes: number
}

/** The archive refused, or does not answer. `isAbsent`: it has nothing of the kind, or not here. */
export class RefusedByArchive extends Error {
  readonly code: string
  readonly isAbsent: boolean

  constructor(code: string, message: string, isAbsent = false) {
    super(message)
    this.code = code
    this.isAbsent = isAbsent
  }
}

/**
 * Asks the archive that this page comes from (docs/API.md).
 *
 * @param path - without a slash before it: the page may stand below others
 * @throws RefusedByArchive
 */
export async function askArchive(path: string): Promise<ArchiveAnswer> {
  // This file is part of explorer/verify-worker.js.
  const url = new URL(`../${path}`, self.location.href)
  let text: string
  let response: Response
  try {
    response = await fetch(url, { redirect: 'error', headers: { accept: 'application/json' } })
    text = await readBounded(response)
  } catch (cause) {
    throw new RefusedByArchive('no answer', `The archive does not answer (${String(cause)}).`)
  }
  const json = parseObject(text)
  if (!json) throw new RefusedByArchive('no answer', `The archive answers ${response.status}, and no JSON object.`)
  if (response.ok) return { json, bytes: text.length }
  const { code, detail } = json
  throw new RefusedByArchive(
    typeof code === 'string' ? code : `HTTP ${response.status}`,
    typeof detail === 'string' ? detail : 'The archive refuses, and does not say why.',
    response.status === 404,
  )
}

async function readBounded({ body }: Response): Promise<string> {
  const reader = body?.getReader()
  const decoder = new TextDecoder()
  let [text, bytes] = ['', 0]
  for (;;) {
    const part = await reader?.read()
    if (!part || part.done) return text + decoder.decode()
    bytes += part.value.length
    if (bytes > MAX_ANSWER_BYTES) {
      await reader?.cancel()
      throw new Error('its answer is longer than any honest one')
    }
    text += decoder.decode(part.value, { stream: true })
  }
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const json: unknown = JSON.parse(text)
    return typeof json === 'object' && json !== null && !Array.isArray(json)
      ? (json as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}
