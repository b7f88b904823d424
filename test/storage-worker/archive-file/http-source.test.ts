import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type ErrorCode, isArchiveError, parsePeriodSection, TRAILER_BYTES, toHex } from '../../../core/index.ts'
import { readAhead } from '../../../storage-worker/archive-file/byte-source.ts'
import { openArchiveFile } from '../../../storage-worker/archive-file/file-reader.ts'
import { openSource } from '../../../storage-worker/archive-file/open-source.ts'
import { verifyArchiveFile } from '../../../storage-worker/archive-file/verify-file.ts'
import { TempFolders } from '../temp-store.ts'
import { fileOf, giveRange, periodsOf, quickCpu, serveFile } from './made-file.ts'

const FILE = fileOf(periodsOf(3, 6))
const NEVER = new AbortController().signal

type Answer = (request: IncomingMessage, response: ServerResponse) => boolean

/** Reads all of a file that is served so. */
async function verifyServed(answer?: Answer) {
  const server = await serveFile(FILE, answer)
  try {
    const source = await openSource(server.url, NEVER)
    return { ...(await verifyArchiveFile(source, quickCpu, () => undefined, NEVER)), ranges: server.ranges }
  } finally {
    await server.stop()
  }
}

/** Each range but that of the end is answered by `give`. */
function behindTheEnd(give: (request: IncomingMessage, response: ServerResponse) => void): Answer {
  const answer = always(give)
  return (request, response) => request.headers.range !== `bytes=-${TRAILER_BYTES}` && answer(request, response)
}

/** Every range is answered so. */
function always(give: (request: IncomingMessage, response: ServerResponse) => void): Answer {
  return (request, response) => {
    give(request, response)
    return true
  }
}

function send(status: number, headers: Record<string, string> = {}) {
  return (_request: IncomingMessage, response: ServerResponse): void => {
    response.writeHead(status, headers)
    response.end('no')
  }
}

describe('storage-worker/http-source', () => {
  it('verifies a file on a server by ranges, each byte once', async () => {
    const { damages, ranges } = await verifyServed()
    assert.deepEqual(damages, [])
    assert.equal(ranges[0], `bytes=-${TRAILER_BYTES}`)
    assert.equal(ranges.length, 3 + 4)
  })

  it('gives one period of a file by three requests', async () => {
    const server = await serveFile(FILE)
    try {
      const source = await openSource(server.url, NEVER)
      const { periods } = await openArchiveFile({
        ...source,
        // Which the index repeats.
        read: (offset, length) => (offset === 0 ? Promise.resolve(FILE.slice(0, length)) : source.read(offset, length)),
      })
      const place = periods.find(({ period }) => period === 5)
      assert.ok(place)
      const { chunks } = parsePeriodSection(await source.read(place.offset, place.length), place)
      assert.equal(toHex(chunks[0] ?? new Uint8Array()), toHex(periodsOf(5, 5)[0]?.chunks[0] ?? new Uint8Array()))
      assert.equal(server.ranges.length, 3)
    } finally {
      await server.stop()
    }
  })

  it('follows redirects, and asks where they led to from then on', async () => {
    const paths: string[] = []
    const { damages } = await verifyServed((request, response) => {
      paths.push(request.url ?? '')
      if (request.url !== '/file.mhs') return false
      send(302, { location: '/moved.mhs' })(request, response)
      return true
    })
    assert.deepEqual(damages, [])
    assert.deepEqual(new Set(paths.slice(1)), new Set(['/moved.mhs']))
  })

  const other = FILE.map((byte) => byte ^ 1)
  const cases: readonly (readonly [string, ErrorCode, Answer])[] = [
    ['no ranges', 'STORE_FILE_NO_RANGES', always(send(200))],
    ['no file', 'STORE_FILE_UNREADABLE', always(send(404))],
    ['a busy server', 'STORE_FILE_UNREACHABLE', always(send(503))],
    ['a connection that is cut', 'STORE_FILE_UNREACHABLE', behindTheEnd((request) => request.socket.destroy())],
    ['endless redirects', 'STORE_FILE_SERVER_WRONG', always(send(302, { location: '/' }))],
    [
      'a redirect to a file of the disk',
      'STORE_FILE_SERVER_WRONG',
      always(send(302, { location: 'file:///etc/passwd' })),
    ],
    ['no word which bytes', 'STORE_FILE_SERVER_WRONG', behindTheEnd(send(206))],
    [
      'a range that ends before it begins',
      'STORE_FILE_SERVER_WRONG',
      behindTheEnd(send(206, { 'content-range': 'bytes 9-3/100' })),
    ],
    [
      'another range',
      'STORE_FILE_SERVER_WRONG',
      behindTheEnd((_request, response) => {
        response.writeHead(206, { 'content-range': `bytes 0-9/${FILE.length}` })
        response.end(FILE.subarray(0, 10))
      }),
    ],
    [
      'fewer bytes than it says',
      'STORE_FILE_SERVER_WRONG',
      behindTheEnd((request, response) => giveRange(FILE, request, response, { body: (bytes) => bytes.subarray(1) })),
    ],
    [
      'more bytes than it says',
      'STORE_FILE_SERVER_WRONG',
      behindTheEnd((request, response) =>
        giveRange(FILE, request, response, { body: (bytes) => Buffer.concat([bytes, bytes]) }),
      ),
    ],
    [
      'compressed bytes',
      'STORE_FILE_SERVER_WRONG',
      behindTheEnd((request, response) =>
        giveRange(FILE, request, response, { headers: { 'content-encoding': 'br' } }),
      ),
    ],
    [
      'a file that changes',
      'STORE_FILE_SERVER_WRONG',
      behindTheEnd((request, response) => giveRange(FILE, request, response, { headers: { etag: '"two"' } })),
    ],
    [
      'a file that grows',
      'STORE_FILE_SERVER_WRONG',
      behindTheEnd((request, response) => giveRange(Buffer.concat([FILE, FILE]), request, response)),
    ],
  ]
  for (const [what, code, answer] of cases) {
    it(`error: ${what}: ${code}`, async () => {
      await assert.rejects(verifyServed(answer), (error) => isArchiveError(error, code))
    })
  }

  it('error: a server that gives other bytes gives a damaged file', async () => {
    const { damages } = await verifyServed(behindTheEnd((request, response) => giveRange(other, request, response)))
    assert.deepEqual(
      damages.map(({ code }) => code),
      ['CORE_ARCHIVE_FILE_INVALID'],
    )
  })

  it('error: nobody listens; no such file; a folder', async () => {
    const server = await serveFile(FILE)
    await server.stop()
    await assert.rejects(openSource(server.url, NEVER), (error) => isArchiveError(error, 'STORE_FILE_UNREACHABLE'))
    const folders = new TempFolders()
    const folder = await folders.make()
    for (const path of [folder, `${folder}/none.mhs`]) {
      await assert.rejects(openSource(path, NEVER), (error) => isArchiveError(error, 'STORE_FILE_UNREADABLE'))
    }
    await folders.clean()
  })

  it('ends at once when it is told to', async () => {
    const aborting = new AbortController()
    const server = await serveFile(FILE, () => {
      aborting.abort(new DOMException('SIGINT', 'AbortError'))
      return true
    })
    await assert.rejects(openSource(server.url, aborting.signal), { name: 'AbortError' })
    await server.stop()
  })

  it('reads ahead, in order, and leaves nothing under way', async () => {
    let most = 0
    let now = 0
    const source = {
      name: 'slow',
      sizeBytes: 100,
      read: async (offset: number, length: number) => {
        most = Math.max(most, ++now)
        await Promise.resolve()
        now--
        return new Uint8Array(length).fill(offset)
      },
      close: async () => undefined,
    }
    const places = Array.from({ length: 9 }, (_, offset) => ({ offset, length: 1 }))
    const seen: (number | undefined)[] = []
    for await (const { bytes } of readAhead(source, places)) if (seen.push(bytes[0]) === 7) break
    assert.deepEqual([seen, most > 1, now], [[0, 1, 2, 3, 4, 5, 6], true, 0])
  })
})
