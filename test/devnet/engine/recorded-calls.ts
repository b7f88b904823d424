import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

const FOLDER = new URL('../../fixtures/contract-calls/', import.meta.url)

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
  readonly response: {
    readonly result: readonly [
      {
        readonly executed_at: { readonly period: number; readonly thread: number }
        readonly result: { readonly Ok: readonly number[] } | { readonly Error: string }
        readonly output_events: readonly unknown[]
        readonly gas_cost: number
        readonly state_changes: {
          readonly ledger_changes: Readonly<Record<string, unknown>>
          readonly execution_trail_hash_change: { readonly Set: string } | 'Keep'
        }
      },
    ]
  }
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
