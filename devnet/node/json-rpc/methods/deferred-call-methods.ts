import { formatMas } from '../../../../core/index.ts'
import {
  badRequest,
  checkCount,
  JsonRpcError,
  listMethod,
  slot,
  string,
  struct,
  u64,
} from '../../../../telemetry/json-rpc/index.ts'
import { findDeferredCallIdFault } from '../../deferred-call-id.ts'
import type { NodeMethod } from '../rpc-context.ts'

const quoteRequest = struct('DeferredCallsQuoteRequest', { target_slot: slot, max_gas_request: u64, params_size: u64 })

/** Calls that contracts booked for later slots. */
export const DEFERRED_CALL_METHODS: readonly NodeMethod[] = [
  listMethod('get_deferred_call_quote', ['arg', quoteRequest], ({ chain }, requests) => {
    checkCount(requests)
    return requests.map(({ target_slot, max_gas_request, params_size }) => {
      const { gas, priceNanoMas } = chain.engine.quoteDeferredCall(target_slot, max_gas_request, params_size)
      return {
        target_slot,
        max_gas_request: Number(gas),
        available: priceNanoMas !== undefined,
        price: formatMas(priceNanoMas ?? 0n),
      }
    })
  }),
  listMethod('get_deferred_call_info', ['arg', string], ({ chain }, ids) => {
    checkCount(ids)
    for (const id of ids) {
      const fault = findDeferredCallIdFault(id)
      if (fault !== undefined) throw badRequest(fault)
    }
    const calls = new Map(chain.engine.listDeferredCalls().map((call) => [call.id, call]))
    return ids.map((id) => {
      const call = calls.get(id)
      if (!call) throw new JsonRpcError(-32001, `Internal server error: Not found: Deferred call id ${id}`)
      return {
        call_id: id,
        call: {
          sender_address: call.sender,
          target_slot: call.slot,
          target_address: call.target,
          target_function: call.functionName,
          parameters: [...call.parameter],
          coins: formatMas(call.coins),
          max_gas: Number(call.maxGas),
          fee: formatMas(call.feeNanoMas),
          cancelled: call.isCancelled,
        },
      }
    })
  }),
  listMethod('get_deferred_call_ids_by_slot', ['arg', slot], ({ chain }, slots) => {
    checkCount(slots)
    const calls = chain.engine.listDeferredCalls()
    return slots.map((at) => ({
      slot: at,
      call_ids: calls.flatMap(({ id, slot: { period, thread } }) =>
        period === at.period && thread === at.thread ? id : [],
      ),
    }))
  }),
]
