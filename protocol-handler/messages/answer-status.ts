import type { ByteReader } from '../../core/index.ts'

/** What an answer begins with: peers are told a number, never a text. */
export const ANSWER_STATUS = {
  ok: 0,
  /** Not here; another may have it. */
  notHeld: 1,
  /** Asked too much or at a bad moment: again later. */
  busy: 2,
  /** The request breaks a rule of docs/PROTOCOL.md. */
  refused: 3,
} as const

export type AnswerStatus = keyof typeof ANSWER_STATUS
/** Why there is nothing in an answer. */
export type Refusal = Exclude<AnswerStatus, 'ok'>

const BY_NUMBER = new Map(Object.entries(ANSWER_STATUS).map(([name, number]) => [number, name as AnswerStatus]))

export function readAnswerStatus(reader: ByteReader): AnswerStatus {
  const number = reader.u8()
  const status = BY_NUMBER.get(number as (typeof ANSWER_STATUS)[AnswerStatus])
  if (status === undefined) throw reader.error(`answer status ${number} is not known`)
  return status
}
