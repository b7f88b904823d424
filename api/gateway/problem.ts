import type { FastifyReply } from 'fastify'
import { ERROR_CODES, type ErrorCode } from '../../core/index.ts'

/** A refusal as RFC 9457 has it: `type` names the code, `detail` says what is wrong here, `action` what to do. */
export function sendProblem(reply: FastifyReply, status: number, code: ErrorCode, detail: string): FastifyReply {
  const { when: title, action } = ERROR_CODES[code]
  const problem = { type: `urn:massa-storage:error:${code}`, title, status, detail, code, action }
  return reply.code(status).type('application/problem+json').send(problem)
}
