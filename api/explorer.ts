import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

/** Nothing but these: no part of an address is ever a path. */
const FILES = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/explorer/app.js': ['app.js', 'text/javascript; charset=utf-8'],
  '/explorer/verify-worker.js': ['verify-worker.js', 'text/javascript; charset=utf-8'],
  '/explorer/style.css': ['style.css', 'text/css; charset=utf-8'],
  '/explorer/icon.svg': ['icon.svg', 'image/svg+xml'],
} as const

const HEADERS = {
  // The page asks this archive alone, and nobody may put it into another page.
  'content-security-policy': "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cache-control': 'no-cache',
  vary: 'accept-encoding',
}

interface ServedFile {
  readonly bytes: Buffer
  readonly gzipped: Buffer
  readonly etag: string
}

/**
 * The explorer: a page that reads history by the gateway and verifies it in the browser (explorer/).
 *
 * - `GET /`, and what that page loads from `/explorer/`
 *
 * @param folder - what `npm run build` made of explorer/; read when it is first asked for
 */
export function addExplorerPage(server: FastifyInstance, folder: string): void {
  const read = new Map<string, Promise<ServedFile>>()
  for (const [path, [name, type]] of Object.entries(FILES)) {
    // Who follows a link to the page brings what others put behind it.
    server.get(path, { config: { ignoresQuery: true } }, async (request, reply) => {
      const file = read.get(name) ?? readServed(join(folder, name))
      read.set(name, file)
      try {
        return send(request, reply.type(type), await file)
      } catch {
        read.delete(name)
        return reply.code(404).type('text/plain').send('The explorer is not there: npm run build makes it.\n')
      }
    })
  }
}

async function readServed(path: string): Promise<ServedFile> {
  const bytes = await readFile(path)
  const etag = createHash('sha256').update(bytes).digest('hex').slice(0, 32)
  return { bytes, gzipped: await promisify(gzip)(bytes, { level: 9 }), etag }
}

function send({ headers }: FastifyRequest, reply: FastifyReply, file: ServedFile): FastifyReply {
  const isGzipped = /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?(?:,|$))/.test(String(headers['accept-encoding'] ?? ''))
  const etag = isGzipped ? `"${file.etag}-gzip"` : `"${file.etag}"`
  reply.headers({ ...HEADERS, etag })
  if (headers['if-none-match'] === etag) return reply.code(304).send()
  return isGzipped ? reply.header('content-encoding', 'gzip').send(file.gzipped) : reply.send(file.bytes)
}
