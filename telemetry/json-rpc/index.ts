/*
 * JSON-RPC as a massa-node speaks it, for who stands in for one: requests and answers, limits, parameters by their type,
 * the node's words for what does not fit. Imported by its path: most commands start without a web server.
 */

export { answerBody, type RpcCall, type RunCall, refuseRequest, type Translate } from './envelope.ts'
export {
  type EventFilter,
  eventFilter,
  firstSlotIndex,
  isNarrow,
  MAX_FINAL_EVENTS,
  matchEvents,
} from './event-filter.ts'
export { acceptJsonRpc, answerPost, MAX_BODY_BYTES } from './http.ts'
export { badRequest, invalidParams, JsonRpcError } from './json-rpc-error.ts'
export { JsonList, JsonText } from './json-text.ts'
export { checkCount, checkCountOf, MAX_ANSWER_BYTES } from './limits.ts'
export { ListAnswer } from './list-answer.ts'
export {
  address,
  amount,
  blockId,
  endorsementId,
  nodeId,
  operationId,
  publicKey,
  signature,
  slot,
  timeInterval,
} from './massa-shapes.ts'
export { describeMethods, listMethod, method, plainMethod, type RpcMethod, refuseHere } from './rpc-method.ts'
export { boolean, bytes, optional, string, struct, u32, u64, usize } from './shapes.ts'
export { type Shape, TypedJson } from './typed-json.ts'
