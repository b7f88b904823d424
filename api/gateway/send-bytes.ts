import type { FastifyReply, FastifyRequest } from 'fastify'
import { CHANGING } from './answer.ts'
import { readByteRange } from './byte-range.ts'
import { sendProblem } from './problem.ts'

export const BYTES = 'application/octet-stream'

/** Bytes that have a name. */
export interface NamedBytes {
  readonly bytes: Uint8Array
  /** Names these bytes and no others, without quotes. */
  readonly tag: string
  readonly type: string
  /** `Cache-Control` */
  readonly caching: string
  /** Under which a browser keeps it; absent: it shows it. */
  readonly fileName?: string
}

/** Whole, in part (`Range`), or not at all to who has them already (`If-None-Match`); RFC 9110, 13 and 14. */
export function sendBytes(
  { headers }: Pick<FastifyRequest, 'headers'>,
  reply: FastifyReply,
  { bytes, tag, type, caching, fileName }: NamedBytes,
): FastifyReply {
  const etag = `"${tag}"`
  reply.headers({ etag, 'cache-control': caching, 'accept-ranges': 'bytes' })
  if (hasTag(headers['if-none-match'], etag)) return reply.code(304).send()
  const ifRange = headers['if-range']
  // A part of other bytes would be put to what the asker has.
  const range = ifRange === undefined || ifRange === etag ? readByteRange(headers.range, bytes.length) : undefined
  if (range === 'unsatisfiable') {
    reply.headers({ 'cache-control': CHANGING, 'content-range': `bytes */${bytes.length}` })
    return sendProblem(reply, 416, 'API_RANGE_UNSATISFIABLE', `there are ${bytes.length} bytes`)
  }
  reply.type(type)
  if (fileName !== undefined) reply.header('content-disposition', `attachment; filename="${fileName}"`)
  const { start, end } = range ?? { start: 0, end: bytes.length }
  if (range) reply.code(206).header('content-range', `bytes ${start}-${end - 1}/${bytes.length}`)
  return reply.send(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start))
}

/** Whether `If-None-Match` has it. */
export function hasTag(header: string | undefined, etag: string): boolean {
  const asked = (header ?? '').split(',').map((one) => one.trim().replace(/^W\//, ''))
  return asked.includes(etag) || asked.includes('*')
}
