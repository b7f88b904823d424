import { badRequest, describeMethods, listMethod, plainMethod, slot } from '../../../telemetry/json-rpc/index.ts'
import { ADDRESS_METHODS } from './methods/address-methods.ts'
import { BLOCK_METHODS } from './methods/block-methods.ts'
import { DEFERRED_CALL_METHODS } from './methods/deferred-call-methods.ts'
import { EVENT_METHODS } from './methods/event-methods.ts'
import { OPERATION_METHODS } from './methods/operation-methods.ts'
import { PRIVATE_METHODS } from './methods/private-methods.ts'
import { READ_ONLY_METHODS } from './methods/read-only-methods.ts'
import { STATUS_METHODS } from './methods/status-methods.ts'
import type { NodeMethod } from './rpc-context.ts'

const METHODS: readonly NodeMethod[] = [
  ...STATUS_METHODS,
  ...BLOCK_METHODS,
  ...OPERATION_METHODS,
  ...ADDRESS_METHODS,
  ...READ_ONLY_METHODS,
  ...EVENT_METHODS,
  ...DEFERRED_CALL_METHODS,
  ...PRIVATE_METHODS,
  listMethod('get_slots_transfers', ['arg', slot], () => {
    throw badRequest('feature execution-trace is not enabled')
  }),
  plainMethod('rpc.discover', () => describeMethods(METHODS, { title: 'Massa devnet node', version: '0.1.0' })),
]

/** By name: all that a massa-node has on its public port. */
export const RPC_METHODS: ReadonlyMap<string, NodeMethod> = new Map(METHODS.map((one) => [one.name, one]))
