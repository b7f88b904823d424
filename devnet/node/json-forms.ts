import { formatAddress, formatHash, type Operation, slotIndex, slotOfIndex } from '../../core/index.ts'
import { type AddressChange, type ContractEvent, formatMas, type ReadOnlyOutcome } from '../engine/index.ts'
import type { DevnetChain } from './chain/devnet-chain.ts'
import type { KnownOperation } from './chain/known-operation.ts'
import type { ChainEvent } from './chain/slot-executor.ts'

/* JSON of a massa-node, field by field in its order. */

/** Gas as a number, coins as decimal texts. */
export function operationToJson(chain: DevnetChain, known: KnownOperation): unknown {
  const { inclusion } = known
  return {
    id: known.id,
    in_pool: known.isPooled,
    in_blocks: known.inBlocks,
    is_operation_final: inclusion ? chain.isFinal(inclusion.slotIndex) : null,
    thread: known.thread,
    operation: {
      content: {
        fee: formatMas(known.operation.feeNanoMas),
        expire_period: Number(known.operation.expirePeriod),
        op: bodyToJson(known.operation),
      },
      signature: known.signature,
      content_creator_pub_key: known.publicKey,
      content_creator_address: known.creator,
      id: known.id,
    },
    op_exec_status: inclusion ? inclusion.success : null,
  }
}

function bodyToJson({ body }: Operation): unknown {
  switch (body.kind) {
    case 'transaction':
      return {
        Transaction: { recipient_address: formatAddress(body.recipient), amount: formatMas(body.amountNanoMas) },
      }
    case 'roll-buy':
      return { RollBuy: { roll_count: Number(body.rollCount) } }
    case 'roll-sell':
      return { RollSell: { roll_count: Number(body.rollCount) } }
    case 'execute-sc':
      return {
        ExecuteSC: {
          data: [...body.bytecode],
          max_gas: Number(body.maxGas),
          max_coins: formatMas(body.maxCoinsNanoMas),
          datastore: body.datastore.map(({ key, value }) => [[...key], [...value]]),
        },
      }
    case 'call-sc':
      return {
        CallSC: {
          target_addr: formatAddress(body.target),
          target_func: body.functionName,
          param: [...body.parameter],
          max_gas: Number(body.maxGas),
          coins: formatMas(body.coinsNanoMas),
        },
      }
  }
}

export function eventToJson(chain: DevnetChain, { event, block }: ChainEvent): unknown {
  return contractEventToJson(event, block ?? null, chain.isFinal(slotIndex(event.slot)))
}

function contractEventToJson(event: ContractEvent, block: string | null, isFinal: boolean): unknown {
  return {
    context: {
      slot: event.slot,
      block,
      read_only: event.readOnly,
      index_in_slot: event.indexInSlot,
      call_stack: event.callStack,
      origin_operation_id: event.originOperationId ?? null,
      is_final: isFinal,
      is_error: event.isError,
      deferred_call_id: event.deferredCallId ?? null,
      async_msg_id: null,
    },
    data: event.data,
  }
}

export function readOnlyToJson(outcome: ReadOnlyOutcome): unknown {
  const { success, error } = outcome
  return {
    executed_at: success ? outcome.executedAt : slotOfIndex(0),
    result: success ? { Ok: [...outcome.returned] } : { Error: `readonly call failed: ${error}` },
    output_events: outcome.events.map((event) => contractEventToJson(event, null, false)),
    gas_cost: Number(outcome.gasCost),
    state_changes: {
      ledger_changes: Object.fromEntries(
        [...outcome.changes].map(([address, change]) => [address, changeToJson(change)]),
      ),
      async_pool_changes: [],
      deferred_call_changes: { slots_change: [], effective_total_gas: 'Keep', exec_stats: [0, 0, 0] },
      pos_changes: {
        seed_bits: { order: 'bitvec::order::Lsb0', head: { width: 8, index: 0 }, bits: 0, data: [] },
        roll_changes: {},
        production_stats: {},
        deferred_credits: { credits: {} },
      },
      executed_ops_changes: {},
      executed_denunciations_changes: [],
      execution_trail_hash_change: success ? { Set: formatHash(outcome.executionTrailHash) } : 'Keep',
    },
  }
}

function changeToJson({ created, balanceNanoMas, bytecode, datastore }: AddressChange): unknown {
  const entries = [...datastore].map(([key, value]) => ({ key: [...Buffer.from(key, 'latin1')], value }))
  if (created) {
    return {
      Set: {
        balance: formatMas(balanceNanoMas ?? 0n),
        bytecode: [...(bytecode ?? [])],
        datastore: entries.flatMap(({ key, value }) => (value === undefined ? [] : [[key, [...value]]])),
      },
    }
  }
  return {
    Update: {
      balance: balanceNanoMas === undefined ? 'Keep' : { Set: formatMas(balanceNanoMas) },
      bytecode: bytecode === undefined ? 'Keep' : { Set: [...bytecode] },
      datastore: entries.map(({ key, value }) => [key, value === undefined ? 'Delete' : { Set: [...value] }]),
    },
  }
}
