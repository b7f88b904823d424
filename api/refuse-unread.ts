import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyServerOptions } from 'fastify'
import { describeProblem, PROBLEM_TYPE, sendProblem } from './gateway/problem.ts'

/** What the parser of HTTP gives up on; anything else that it finds is 400. */
const FAULTS: Readonly<Record<string, readonly [status: number, detail: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'the request did not come whole in time'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'the extensions of chunks are too long'],
  HPE_HEADER_OVERFLOW: [431, 'the head of the request is longer than 16 KiB'],
}

/** Refuses by a problem what never gets to a hook or a route. */
export const REFUSE_UNREAD = {
  /** A part of a path that is too long, or cannot be decoded. */
  frameworkErrors: (error, _request, reply) => {
    sendProblem(reply, error.statusCode ?? 400, 'API_QUERY_INVALID', error.message)
  },
  /** No request: there is nothing but the connection to answer to. */
  clientErrorHandler: (error: NodeJS.ErrnoException, socket: Socket) => {
    if (error.code === 'ECONNRESET' || socket.destroyed) return
    const [status, detail] = FAULTS[error.code ?? ''] ?? [400, `this is no request of HTTP/1.1: ${error.code}`]
    const body = JSON.stringify(describeProblem(status, 'API_REQUEST_REFUSED', detail))
    const head = [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      `content-type: ${PROBLEM_TYPE}`,
      `content-length: ${Buffer.byteLength(body)}`,
      'connection: close',
    ]
    if (socket.writable) socket.write(`${head.join('\r\n')}\r\n\r\n${body}`)
    socket.destroy()
  },
} satisfies FastifyServerOptions
