import { operationToJson } from '../forms/operation-form.ts'
import { checkCount } from '../limits.ts'
import { operationId, publicKey, signature } from '../massa-shapes.ts'
import { listMethod, type RpcMethod } from '../rpc-method.ts'
import { bytes, struct } from '../shapes.ts'

const operationInput = struct('OperationInput', {
  creator_public_key: publicKey,
  signature,
  serialized_content: bytes,
})

export const OPERATION_METHODS: readonly RpcMethod[] = [
  listMethod('get_operations', ['arg', operationId], ({ chain }, ids) => {
    checkCount(ids)
    return ids.flatMap((id) => {
      const known = chain.operations.get(id)
      return known ? [operationToJson(chain, known)] : []
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
