import { status } from '@grpc/grpc-js'
import { type Operation, parseOperationContent } from '../../../core/index.ts'
import { SendOperationsRequest, SendOperationsResponse } from '../../../telemetry/grpc/messages.ts'
import type { Conversation } from '../../../telemetry/grpc/public-service.ts'
import { RpcError } from '../../../telemetry/grpc/rpc-error.ts'
import { JsonRpcError } from '../../../telemetry/json-rpc/index.ts'
import { MAX_BLOCK_GAS, OPERATION_BASE_GAS, TEMPORARY_COMPILATION_GAS } from '../../engine/index.ts'
import type { DevnetChain } from '../chain/devnet-chain.ts'
import type { CheckedOperation } from '../chain/operation-pool.ts'
import type { NodeModules } from './node-modules.ts'

const MAX_OPERATIONS = 1024
const SIGNATURE_BYTES = 65
const PUBLIC_KEY_BYTES = 33

/** Every message of the client gets one answer: the ids, or why none of its operations was taken. */
export function receiveOperations(conversation: Conversation, modules: NodeModules): void {
  conversation.onRequest(async (request) => {
    try {
      await modules.chain.advanceTo(modules.clock.nowMs())
      const operationIds = await takeOperations(request, modules.chain)
      await conversation.send(SendOperationsResponse.encode({ operationIds: { operationIds } }))
    } catch (error) {
      if (error instanceof RpcError) return conversation.end(error)
      if (!(error instanceof Refusal)) throw error
      const refusal = { code: status.INVALID_ARGUMENT, message: error.message }
      await conversation.send(SendOperationsResponse.encode({ error: refusal }))
    }
  })
  conversation.onRequestsEnd(() => conversation.end())
}

/** Said in an answer; the conversation goes on. */
class Refusal extends Error {}

async function takeOperations(request: Uint8Array, chain: DevnetChain): Promise<string[]> {
  const { operations } = SendOperationsRequest.read(request)
  if (operations.length === 0) throw new Refusal('the request payload is empty')
  if (operations.length > MAX_OPERATIONS) throw new Refusal('too many operations per message')
  const checked = operations.map((bytes) => checkOperation(bytes, chain))
  const ids = checked.map((operation) => chain.accept(operation))
  await chain.written()
  return [...new Set(ids)]
}

/** In the node's order, which is not that of its JSON-RPC. */
function checkOperation(bytes: Uint8Array, chain: DevnetChain): CheckedOperation {
  const headBytes = SIGNATURE_BYTES + PUBLIC_KEY_BYTES
  if (bytes.length < headBytes) throw internalRefusal('failed to deserialize operation: unexpected end of data')
  const content = bytes.subarray(headBytes)
  const operation = parse(content)
  const gasFault = findGasFault(operation)
  if (gasFault !== undefined) throw argumentRefusal(gasFault)
  if (operation.expirePeriod < BigInt(chain.lastSlot.period)) {
    throw argumentRefusal(
      'Operation expire_period is lower than the current period of this node. Your operation will never be included in a block.',
    )
  }
  if (operation.feeNanoMas < chain.minimalFeeNanoMas) {
    throw argumentRefusal(
      'Operation fee is lower than the minimal fee. Your operation will never be included in a block.',
    )
  }
  try {
    return chain.check({
      signature: bytes.subarray(0, SIGNATURE_BYTES),
      publicKey: bytes.subarray(SIGNATURE_BYTES, headBytes),
      content,
    })
  } catch (error) {
    // What is left is the signature: said alike on both faces.
    if (error instanceof JsonRpcError) throw new Refusal(`invalid operation(s): ${error.message}`)
    throw error
  }
}

function parse(content: Uint8Array): Operation {
  try {
    return parseOperationContent(content)
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause)
    throw internalRefusal(
      /trailing/.test(text)
        ? 'there is data left after operation deserialization'
        : `failed to deserialize operation: ${text}`,
    )
  }
}

function findGasFault({ body }: Operation): string | undefined {
  if (body.kind !== 'call-sc' && body.kind !== 'execute-sc') return undefined
  const isCall = body.kind === 'call-sc'
  const limit = MAX_BLOCK_GAS - OPERATION_BASE_GAS - (isCall ? 0 : TEMPORARY_COMPILATION_GAS)
  if (body.maxGas <= BigInt(limit)) return undefined
  return `Upper gas limit for ${isCall ? 'CallSC' : 'ExecuteSC'} operation is ${limit}. Your operation will never be included in a block.`
}

function argumentRefusal(text: string): Refusal {
  return new Refusal(`invalid operation(s): Invalid argument error: ${text}`)
}

function internalRefusal(text: string): Refusal {
  return new Refusal(`invalid operation(s): Internal server error: ${text}`)
}
