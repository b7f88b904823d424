import { ArchiveError, isArchiveError, TRAILER_BYTES } from '../../core/index.ts'
import { Patience } from '../../telemetry/patience.ts'
import type { ByteSource } from './byte-source.ts'

const MAX_REDIRECTS = 5
/** For one piece, which may be 100 MB over a slow line. */
const ANSWER_MS = 120_000

interface Answer {
  readonly bytes: Uint8Array
  /** Of the first byte. */
  readonly offset: number
  readonly sizeBytes: number
  /** ETag, or date of change; empty where the server tells neither. */
  readonly version: string
}

/**
 * An archive file on a server that gives ranges of it, as every server of static files does.
 *
 * Nothing is believed that is not exactly what was asked for: another range, more or fewer bytes, a file that changed.
 *
 * @throws ArchiveError STORE_FILE_UNREADABLE, STORE_FILE_UNREACHABLE, STORE_FILE_NO_RANGES, STORE_FILE_SERVER_WRONG
 */
export async function openHttpSource(url: string, signal: AbortSignal): Promise<ByteSource> {
  const fetcher = new RangeFetcher(url, signal)
  // Its end says how long it is, and is needed first.
  const tail = await fetcher.fetch({ last: TRAILER_BYTES })
  return {
    name: url,
    sizeBytes: tail.sizeBytes,
    read: async (offset, length) => {
      if (length === 0) return new Uint8Array()
      if (offset >= tail.offset) return tail.bytes.subarray(offset - tail.offset, offset - tail.offset + length)
      const answer = await fetcher.fetch({ offset, length })
      if (answer.sizeBytes === tail.sizeBytes && answer.version === tail.version) return answer.bytes
      throw new ArchiveError('STORE_FILE_SERVER_WRONG', `the file at ${url} changed while it was read`, { url })
    },
    close: async () => undefined,
  }
}

type Range = { readonly offset: number; readonly length: number } | { readonly last: number }

class RangeFetcher {
  private readonly url: string
  private readonly signal: AbortSignal
  /** Where redirects led to. */
  private target: string | undefined

  constructor(url: string, signal: AbortSignal) {
    this.url = url
    this.signal = signal
  }

  async fetch(range: Range): Promise<Answer> {
    const patience = new Patience(this.signal)
    const wanted = 'last' in range ? `bytes=-${range.last}` : `bytes=${range.offset}-${range.offset + range.length - 1}`
    return patience.wait(ANSWER_MS, async () => {
      const response = await this.follow(wanted, patience.signal)
      try {
        this.checkStatus(response.status)
        return await this.read(response, range, patience)
      } finally {
        await response.body?.cancel().catch(() => undefined)
      }
    })
  }

  private async follow(wanted: string, signal: AbortSignal): Promise<Response> {
    let at = this.target ?? this.url
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      const response = await this.send(at, wanted, signal)
      const location = response.headers.get('location')
      if (response.status < 300 || response.status >= 400 || location === null) {
        this.target = at
        return response
      }
      await response.body?.cancel().catch(() => undefined)
      at = this.resolve(at, location)
    }
    throw this.wrong(`leads to other addresses more than ${MAX_REDIRECTS} times`)
  }

  private async send(url: string, range: string, signal: AbortSignal): Promise<Response> {
    try {
      // A range of what was compressed is not the range that was asked for.
      return await fetch(url, { headers: { range, 'accept-encoding': 'identity' }, redirect: 'manual', signal })
    } catch (cause) {
      throw this.unreachable('does not answer', cause)
    }
  }

  private resolve(from: string, location: string): string {
    const to = URL.canParse(location, from) ? new URL(location, from) : undefined
    const isAllowed = to?.protocol === 'https:' || (to?.protocol === 'http:' && from.startsWith('http:'))
    if (to && isAllowed) return to.href
    throw this.wrong(`leads to ${location.slice(0, 200)}`)
  }

  private checkStatus(status: number): void {
    if (status === 206) return
    if (status === 200) {
      throw new ArchiveError('STORE_FILE_NO_RANGES', `${this.url} gives the file only as a whole`, { url: this.url })
    }
    if (status >= 500 || status === 429) throw this.unreachable(`answers ${status}`)
    if (status >= 400 && status !== 416) {
      throw new ArchiveError('STORE_FILE_UNREADABLE', `${this.url} answers ${status}`, { url: this.url })
    }
    throw this.wrong(`answers ${status}`)
  }

  private async read(response: Response, range: Range, patience: Patience): Promise<Answer> {
    const { headers } = response
    const [, first, last, size] =
      /^bytes (\d{1,16})-(\d{1,16})\/(\d{1,16})$/.exec(headers.get('content-range') ?? '') ?? []
    const [offset, end, sizeBytes] = [Number(first), Number(last) + 1, Number(size)]
    if (first === undefined || end <= offset || end > sizeBytes) throw this.wrong('does not say which bytes it gives')
    if ((headers.get('content-encoding') ?? 'identity') !== 'identity') throw this.wrong('compresses what it gives')
    const wanted = 'last' in range ? Math.max(0, sizeBytes - range.last) : range.offset
    const wantedEnd = 'last' in range ? sizeBytes : range.offset + range.length
    if (offset !== wanted || end !== wantedEnd) {
      throw this.wrong(`gives bytes ${offset} to ${end} for ${wanted} to ${wantedEnd}`)
    }
    const bytes = await this.readBody(patience.read(response), end - offset)
    return { bytes, offset, sizeBytes, version: headers.get('etag') ?? headers.get('last-modified') ?? '' }
  }

  private async readBody(body: AsyncGenerator<Uint8Array>, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length)
    let filled = 0
    try {
      for await (const piece of body) {
        if (filled + piece.length > length) throw this.wrong('gives more bytes than it says')
        bytes.set(piece, filled)
        filled += piece.length
      }
    } catch (cause) {
      if (isArchiveError(cause)) throw cause
      throw this.unreachable('breaks off', cause)
    }
    if (filled === length) return bytes
    throw this.wrong(`gives ${filled} bytes where it says ${length}`)
  }

  private unreachable(what: string, cause?: unknown): unknown {
    if (this.signal.aborted) return this.signal.reason
    return new ArchiveError('STORE_FILE_UNREACHABLE', `${this.url} ${what}`, { url: this.url }, cause)
  }

  private wrong(what: string): ArchiveError {
    return new ArchiveError('STORE_FILE_SERVER_WRONG', `the server of ${this.url} ${what}`, { url: this.url })
  }
}
