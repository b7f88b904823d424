import type { FastifyReply } from 'fastify'
import { isArchiveError } from '../core/index.ts'
import { withHeartbeat } from './heartbeat.ts'

const WORKING = '{"working":true}\n'

/**
 * Answers with NDJSON: each row as it comes, and `{"working":true}` every other second while there is none. An ArchiveError
 * in the middle becomes the last line, since the status line is long gone.
 */
export function sendRows(reply: FastifyReply, rows: AsyncIterable<object>, heartbeatMs?: number): FastifyReply {
  return reply.type('application/x-ndjson').send(encode(withHeartbeat(toLines(rows), WORKING, heartbeatMs)))
}

async function* toLines(rows: AsyncIterable<object>): AsyncGenerator<string> {
  try {
    for await (const row of rows) yield `${JSON.stringify(row)}\n`
  } catch (error) {
    if (!isArchiveError(error)) throw error
    yield `${JSON.stringify({ error: { code: error.code, message: error.message } })}\n`
  }
}

function encode(lines: AsyncIterable<string>): ReadableStream {
  return ReadableStream.from(lines).pipeThrough(new TextEncoderStream() as never) as ReadableStream
}
