import {
  bytes,
  checkCount,
  listMethod,
  operationId,
  publicKey,
  signature,
  struct,
} from '../../../../telemetry/json-rpc/index.ts'
import { knownOperationToJson } from '../forms/operation-form.ts'
import type { NodeMethod } from '../rpc-context.ts'

const operationInput = struct('OperationInput', {
  creator_public_key: publicKey,
  signature,
  serialized_content: bytes,
})

export const OPERATION_METHODS: readonly NodeMethod[] = [
  listMethod('get_operations', ['arg', operationId], ({ chain }, ids) => {
    checkCount(ids)
    return ids.flatMap((id) => {
      const known = chain.operations.get(id)
      return known ? [knownOperationToJson(chain, known)] : []
    })
  }),
  listMethod('send_operations', ['arg', operationInput], ({ chain }, inputs) => {
    checkCount(inputs)
    // One that is refused keeps the others out, too.
    const checked = inputs.map((input) =>
      chain.check({
        publicKey: input.creator_public_key,
        signature: input.signature,
        content: input.serialized_content,
      }),
    )
    return checked.map((operation) => chain.accept(operation))
  }),
]
