import { badRequest, JsonRpcError } from './json-rpc-error.ts'

/** A node's `max_arguments`. */
const MAX_ARGUMENTS = 128
/** A node's `max_response_body_size`. */
export const MAX_ANSWER_BYTES = 52_428_800

export function isTooLong(answerBytes: number): boolean {
  return answerBytes > MAX_ANSWER_BYTES
}

export function responseTooBig(): JsonRpcError {
  return new JsonRpcError(-32008, 'Response is too big', `Exceeded max limit of ${MAX_ANSWER_BYTES}`)
}

/** Of all answers to a batch together. */
export function batchResponseTooBig(): JsonRpcError {
  return new JsonRpcError(-32011, 'The batch response was too large', `Exceeded max limit of ${MAX_ANSWER_BYTES}`)
}

/** @throws JsonRpcError */
export function checkCount(items: readonly unknown[]): void {
  if (items.length > MAX_ARGUMENTS) throw badRequest('too many arguments')
}

/** Said in other words by some methods. @throws JsonRpcError */
export function checkCountOf(items: readonly unknown[], most = MAX_ARGUMENTS): void {
  if (items.length > most) {
    throw badRequest(`too many arguments received. Only a maximum of ${most} arguments are accepted per request`)
  }
}
