import { operationToJson } from '../../../../core/index.ts'
import type { DevnetChain } from '../../chain/devnet-chain.ts'
import type { KnownOperation } from '../../chain/known-operation.ts'

export function knownOperationToJson(chain: DevnetChain, known: KnownOperation): unknown {
  const { inclusion } = known
  return operationToJson({
    ...known,
    execution: inclusion && { isFinal: chain.isFinal(inclusion.slotIndex), success: inclusion.success },
  })
}
