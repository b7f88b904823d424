import { badRequest } from '../json-rpc-error.ts'

/** A node's `max_arguments`. */
const MAX_ARGUMENTS = 128

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
