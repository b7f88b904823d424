import {
  type OperationsFilter,
  SearchOperationsRequest,
  SearchOperationsResponse,
} from '../../../telemetry/grpc/messages.ts'
import { checkFilterCount, joinNamed } from '../../../telemetry/grpc/request-checks.ts'
import { invalidArgument } from '../../../telemetry/grpc/rpc-error.ts'
import type { DevnetChain } from '../chain/devnet-chain.ts'

const MAX_OPERATION_TYPES = 6

export function searchOperations(request: Uint8Array, chain: DevnetChain): Uint8Array {
  const { ids, creators } = readOperationFilters(SearchOperationsRequest.read(request).filters)
  if (!ids && !creators) throw invalidArgument('no filter provided')
  const listed = ids ? [...ids].flatMap((id) => chain.operations.get(id) ?? []) : [...chain.operations.values()]
  return SearchOperationsResponse.encode({
    operationInfos: listed
      .filter(({ creator }) => creators?.has(creator) ?? true)
      .map(({ id, inBlocks, thread }) => ({ id, blockIds: inBlocks, thread })),
  })
}

/** What filters of operations ask for; absent is anything. @throws RpcError */
export function readOperationFilters(filters: readonly OperationsFilter[]) {
  checkFilterCount(filters)
  const of = (kind: OperationsFilter['filter']) => filters.filter(({ filter }) => filter === kind)
  const types = of('operationTypes').map(({ operationTypes }) => operationTypes?.opTypes ?? [])
  if (types.some(({ length }) => length > MAX_OPERATION_TYPES)) {
    throw invalidArgument(
      'too many operation types received. Only a maximum of 6 operation types are accepted per request',
    )
  }
  return {
    ids: joinNamed(
      'operation',
      of('operationIds').map(({ operationIds }) => operationIds?.operationIds ?? []),
    ),
    creators: joinNamed(
      'address',
      of('addresses').map(({ addresses }) => addresses?.addresses ?? []),
    ),
    types: types.length === 0 ? undefined : new Set(types.flat()),
  }
}
