import { eventToJson, formatHash, formatMas, type Slot, slotOfIndex } from '../../../../core/index.ts'
import type { AddressChange, ContractEvent, ReadOnlyOutcome, StateChanges } from '../../../engine/index.ts'

interface Answer {
  readonly executedAt: Slot
  readonly result: object
  readonly events: readonly ContractEvent[]
  readonly gasCost: bigint
  readonly changes: StateChanges
  readonly executionTrailHash: Uint8Array | undefined
}

export function readOnlyToJson(outcome: ReadOnlyOutcome): unknown {
  const { success, executedAt, executionTrailHash, returned, events, gasCost, changes } = outcome
  if (!success) return answerToJson({ ...refuse(`readonly call failed: ${outcome.error}`), events, gasCost, changes })
  return answerToJson({ executedAt, result: { Ok: [...returned] }, events, gasCost, changes, executionTrailHash })
}

/** Of what a node does not even try. */
export function refusedReadOnlyToJson(error: string): unknown {
  return answerToJson(refuse(error))
}

function refuse(error: string): Answer {
  return {
    executedAt: slotOfIndex(0),
    result: { Error: error },
    events: [],
    gasCost: 0n,
    changes: new Map(),
    executionTrailHash: undefined,
  }
}

function answerToJson(answer: Answer): unknown {
  return {
    executed_at: answer.executedAt,
    result: answer.result,
    output_events: answer.events.map((event) => eventToJson(event, null, false)),
    gas_cost: Number(answer.gasCost),
    state_changes: {
      ledger_changes: Object.fromEntries(
        [...answer.changes].map(([address, change]) => [address, changeToJson(change)]),
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
      execution_trail_hash_change: answer.executionTrailHash ? { Set: formatHash(answer.executionTrailHash) } : 'Keep',
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
