import type { FastifyReply } from 'fastify'
import { ERROR_CODES, type ErrorCode, isArchiveError } from '../../core/index.ts'

const STATUS_OF: Partial<Record<ErrorCode, number>> = {
  API_HISTORY_OFF: 409,
  API_QUERY_INVALID: 400,
  CORE_BASE58_INVALID: 400,
  CORE_READING_NOT_HELD: 404,
  STORE_CHUNK_AWAY: 404,
}

/** What a route threw, as a problem; what is no ArchiveError is the server's to say. */
export function refuse(reply: FastifyReply, error: unknown): FastifyReply {
  if (!isArchiveError(error)) throw error
  return sendProblem(reply, STATUS_OF[error.code] ?? 500, error.code, error.message)
}

/** A refusal as RFC 9457 has it: `type` names the code, `detail` says what is wrong here, `action` what to do. */
export function sendProblem(reply: FastifyReply, status: number, code: ErrorCode, detail: string): FastifyReply {
  const { when: title, action } = ERROR_CODES[code]
  const problem = { type: `urn:massa-storage:error:${code}`, title, status, detail, code, action }
  return reply.code(status).type('application/problem+json').send(problem)
}
