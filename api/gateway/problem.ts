import type { FastifyReply } from 'fastify'
import { type ArchiveError, ERROR_CODES, type ErrorCode, isArchiveError } from '../../core/index.ts'

export const PROBLEM_TYPE = 'application/problem+json'

const STATUS_OF: Partial<Record<ErrorCode, number>> = {
  API_BUSY: 503,
  API_FETCH_OFF: 403,
  API_HISTORY_OFF: 409,
  API_HISTORY_UNKNOWN: 404,
  API_HOST_REFUSED: 403,
  API_PERIOD_AHEAD: 400,
  API_QUERY_INVALID: 400,
  API_RANGE_UNSATISFIABLE: 416,
  API_RATE_EXCEEDED: 429,
  CORE_BASE58_INVALID: 400,
  CORE_READING_NOT_HELD: 404,
  STORE_CHUNK_AWAY: 404,
  STORE_EXPORT_INCOMPLETE: 404,
  STORE_HISTORY_INCOMPLETE: 503,
}

/** What a route threw, as a problem; what is no ArchiveError is the server's to say. */
export function refuse(reply: FastifyReply, error: unknown): FastifyReply {
  if (!isArchiveError(error)) throw error
  const { retryAfterS } = error.context
  if (retryAfterS !== undefined) reply.header('retry-after', String(retryAfterS))
  return sendProblem(reply, STATUS_OF[error.code] ?? 500, error.code, error.message)
}

export function sendProblem(reply: FastifyReply, status: number, code: ErrorCode, detail: string): FastifyReply {
  return reply
    .code(status)
    .type(PROBLEM_TYPE)
    .send(describeProblem(status, code, detail))
}

/** The same as JSON, for who has begun an answer. */
export function describeRefusal({ code, message }: ArchiveError): object {
  return describeProblem(STATUS_OF[code] ?? 500, code, message)
}

/** A refusal as RFC 9457 has it: `type` names the code, `detail` says what is wrong here, `action` what to do. */
export function describeProblem(status: number, code: ErrorCode, detail: string): object {
  const { when: title, action } = ERROR_CODES[code]
  return { type: `urn:massa-storage:error:${code}`, title, status, detail, code, action }
}
