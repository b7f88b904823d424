import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { formatMas } from '../../../core/index.ts'
import type { AddressChange, ReadOnlyOutcome } from '../../../devnet/engine/index.ts'

const FOLDER = new URL('../../fixtures/contract-calls/', import.meta.url)

/** What a real node answers to a read-only call. */
export interface RecordedAnswer {
  readonly executed_at: { readonly period: number; readonly thread: number }
  readonly result: { readonly Ok: readonly number[] } | { readonly Error: string }
  readonly output_events: readonly unknown[]
  readonly gas_cost: number
  readonly state_changes: {
    readonly ledger_changes: Readonly<Record<string, unknown>>
    readonly execution_trail_hash_change: { readonly Set: string } | 'Keep'
  }
}

/** One `execute_read_only_call` of a real node, with its answer. */
export interface RecordedCall {
  readonly request: {
    readonly max_gas: number
    readonly target_address: string
    readonly target_function: string
    readonly parameter: readonly number[]
    readonly caller_address: string
    readonly coins: string
  }
  readonly response: { readonly result: readonly [RecordedAnswer] }
}

export function readRecordedCalls(): readonly RecordedCall[] {
  const lines = gunzipSync(readFileSync(new URL('read-only.ndjson.gz', FOLDER)))
    .toString('utf8')
    .trim()
    .split('\n')
  return lines.map((line) => JSON.parse(line) as RecordedCall)
}

/** The contract that was called: built with runtime stub, or with the incremental garbage collector. */
export function readProbe(runtime: 'stub' | 'incremental'): Uint8Array {
  return readFileSync(new URL(`probe-${runtime}.wasm`, FOLDER))
}

/** As a node's JSON-RPC prints it. */
export function toJsonEvent(event: ReadOnlyOutcome['events'][number]): unknown {
  return {
    context: {
      slot: event.slot,
      block: null,
      read_only: event.readOnly,
      index_in_slot: event.indexInSlot,
      call_stack: event.callStack,
      origin_operation_id: event.originOperationId ?? null,
      is_final: false,
      is_error: event.isError,
      deferred_call_id: event.deferredCallId ?? null,
      async_msg_id: null,
    },
    data: event.data,
  }
}

/** As a node's JSON-RPC prints them. */
export function toJsonChanges({ changes }: ReadOnlyOutcome): unknown {
  return Object.fromEntries([...changes].map(([address, change]) => [address, toJsonChange(change)]))
}

function toJsonChange({ created, balanceNanoMas, bytecode, datastore }: AddressChange): unknown {
  const sorted = [...datastore].sort(([a], [b]) => (a < b ? -1 : 1))
  const entries = sorted.map(([key, value]) => [
    [...Buffer.from(key, 'latin1')],
    value === undefined ? 'Delete' : { Set: [...value] },
  ])
  if (created)
    return { Set: { balance: formatMas(balanceNanoMas ?? 0n), bytecode: [...(bytecode ?? [])], datastore: entries } }
  return {
    Update: {
      balance: balanceNanoMas === undefined ? 'Keep' : { Set: formatMas(balanceNanoMas) },
      bytecode: bytecode === undefined ? 'Keep' : { Set: [...bytecode] },
      datastore: entries,
    },
  }
}
