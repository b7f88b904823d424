/** More than any honest answer: a proof may be as long as a period, a range as its bodies. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024

/** An archive that others keep busy is asked again, so often and after so long at most. */
const MAX_TRIES = 4
const MAX_WAIT_S = 10

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

/** An archive that answers HTTP (docs/API.md). Paths have no slash before them: it may stand below others. */
export interface Archive {
  /** @throws RefusedByArchive */
  ask(path: string): Promise<ArchiveAnswer>
  /** Bytes as they are. @throws RefusedByArchive */
  askForBytes(path: string): Promise<Uint8Array>
}

/** @param base - ends with a slash; nothing else is ever asked */
export function openArchive(base: URL): Archive {
  return {
    ask: async (path) => {
      const { response, bytes } = await get(new URL(path, base))
      const json = parseObject(bytes)
      if (response.ok && json) return { json, bytes: bytes.length }
      throw refusal(response, json)
    },
    askForBytes: async (path) => {
      const { response, bytes } = await get(new URL(path, base))
      if (response.ok) return bytes
      throw refusal(response, parseObject(bytes))
    },
  }
}

async function get(url: URL): Promise<{ response: Response; bytes: Uint8Array }> {
  try {
    for (let tries = 1; ; tries++) {
      const response = await fetch(url, { redirect: 'error' })
      const waitS = tries < MAX_TRIES ? readWait(response) : undefined
      if (waitS === undefined) return { response, bytes: await readBounded(response) }
      await response.body?.cancel()
      await new Promise((resolve) => setTimeout(resolve, waitS * 1000))
    }
  } catch (cause) {
    throw new RefusedByArchive('no answer', `The archive does not answer (${String(cause)}).`)
  }
}

/** @returns how long to wait for an archive that is asked too much; undefined: it answered */
function readWait({ status, headers }: Response): number | undefined {
  const waitS = Number(headers.get('retry-after') ?? Number.NaN)
  return (status === 429 || status === 503) && waitS >= 0 && waitS <= MAX_WAIT_S ? waitS : undefined
}

function refusal(response: Response, json: Readonly<Record<string, unknown>> | undefined): RefusedByArchive {
  if (!json) return new RefusedByArchive('no answer', `The archive answers ${response.status}, and no JSON object.`)
  const { code, detail } = json
  return new RefusedByArchive(
    typeof code === 'string' ? code : `HTTP ${response.status}`,
    typeof detail === 'string' ? detail : 'The archive refuses, and does not say why.',
    response.status === 404,
  )
}

async function readBounded({ body }: Response): Promise<Uint8Array> {
  const reader = body?.getReader()
  const parts: Uint8Array<ArrayBuffer>[] = []
  let length = 0
  for (;;) {
    const part = await reader?.read()
    if (!part || part.done) return new Uint8Array(await new Blob(parts).arrayBuffer())
    length += part.value.length
    if (length > MAX_ANSWER_BYTES) {
      await reader?.cancel()
      throw new Error('its answer is longer than any honest one')
    }
    parts.push(part.value)
  }
}

function parseObject(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const json: unknown = JSON.parse(new TextDecoder().decode(bytes))
    return typeof json === 'object' && json !== null && !Array.isArray(json)
      ? (json as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}
