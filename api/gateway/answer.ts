import type { FastifyReply } from 'fastify'
import * as z from 'zod'
import type { HistoryAnswer } from '../../storage-worker/index.ts'
import { sendProblem } from './problem.ts'

/** `Cache-Control` of bytes that the id in the path binds, all of them: chunks, and nothing else. */
export const IMMUTABLE = 'public, max-age=31536000, immutable'
/**
 * Of everything else: a number binds nothing, no id binds a signature, and what executing an operation did, who else carries an
 * endorsement or the root of an era may come later. Who has it asks whether it is still the same (`ETag`).
 */
export const CHANGING = 'no-cache'

/** In decimal digits and nothing else: an empty text is no 0. */
const digits = (text: unknown) => (typeof text === 'string' && /^\d{1,16}$/.test(text) ? Number(text) : text)
export const wholeNumber = (max: number, min = 0) => z.preprocess(digits, z.int().min(min).max(max))
export const periodNumber = wholeNumber(Number.MAX_SAFE_INTEGER)
export const periodParams = z.object({ period: periodNumber })
/** Any text: what it is not is said by who parses it. */
export const idParams = z.object({ id: z.string() })
const flag = z.enum(['true', 'false']).default('false')
/** Of what this disk does not hold (./history-port.ts). */
export const fetchQuery = z.strictObject({ fetch: flag })
export const proofQuery = fetchQuery.extend({ proof: flag })

/** Whether nobody waits for the answer any more. */
export const isGone = (reply: FastifyReply) => (): boolean => reply.raw.destroyed

/** @param name - what was asked for, in words, for who is told that it is not here */
export function sendFound(reply: FastifyReply, name: string, found: HistoryAnswer | undefined): FastifyReply {
  if (!found) return sendProblem(reply, 404, 'API_HISTORY_UNKNOWN', `${name} is not in this archive`)
  return reply.header('cache-control', CHANGING).send(found)
}
