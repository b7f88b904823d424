import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { parseHash, type Slot, slotIndex, slotOfIndex } from '../../../core/index.ts'
import { ContractEngine, ModuleCache, type ReadOnlyOutcome } from '../../../devnet/engine/index.ts'
import { type RecordedAnswer, type RecordedCall, toJsonChanges, toJsonEvent } from './recorded-calls.ts'

const FOLDER = new URL('../../fixtures/host-functions/', import.meta.url)
const PROBE = new Uint8Array(readFileSync(new URL('probe.wasm', FOLDER)))
const MAIN = new Uint8Array(readFileSync(new URL('main.wasm', FOLDER)))
const modules = new ModuleCache()

/** What was on the node's ledger: MAS by address, and the keys of the two contracts. */
interface Ledger {
  readonly genesisTimestampMs: string
  readonly balances: Readonly<Record<string, string>>
  readonly contracts: Readonly<Record<string, readonly string[]>>
}

interface Line {
  readonly label: string
  readonly request: RecordedCall['request'] | MainRequest
  readonly response: { readonly result: readonly [RecordedAnswer] }
}

/** Of `execute_read_only_bytecode`; `bytecode` is main.wasm unless it is written out. */
interface MainRequest {
  readonly max_gas: number
  readonly address: string
  readonly bytecode: 'main.wasm' | readonly number[]
  readonly entries: readonly (readonly [key: string, value: string])[]
}

/** Calls that fail on both with another text: README.md, "Contract engine", says why. */
const OTHER_TEXTS: readonly string[] = ['locExecRaw 0', 'raw new kind', 'raw I>', 'raw f>i']

describe('devnet/engine against the recorded host functions of a real node', () => {
  const [first = '{}', ...rest] = gunzipSync(readFileSync(new URL('answers.ndjson.gz', FOLDER)))
    .toString('utf8')
    .trim()
    .split('\n')
  const ledger = JSON.parse(first) as Ledger
  const lines = rest.map((line) => JSON.parse(line) as Line)
  // A failed call does not say when it was executed: the one before it does.
  let slot: Slot | undefined
  const slots = lines.map(({ response: { result } }) => {
    if ('Ok' in result[0].result) slot = result[0].executed_at
    return slot
  })
  const firstSlot = slots.find((known) => known !== undefined) ?? { period: 1, thread: 0 }

  it('has 426 calls to repeat', () => assert.equal(lines.length, 426))

  for (const [index, line] of lines.entries()) {
    const { label, response } = line
    const [expected] = response.result
    const run = () => repeat(ledger, line, slots[index] ?? firstSlot)
    if (OTHER_TEXTS.includes(label)) {
      it(`${index} ${label}: fails as on the node, with another text`, () => {
        const { error = '' } = run()
        assert('Error' in expected.result)
        assert.notEqual(error, '')
        assert.notEqual(`readonly call failed: ${error}`, expected.result.Error)
      })
      continue
    }
    it(`${index} ${label}: gives the same result, events, changes, error and gas`, () => {
      const outcome = run()
      const result = outcome.success
        ? { Ok: [...outcome.returned] }
        : { Error: `readonly call failed: ${outcome.error}` }
      const known = Object.keys(ledger.contracts)
      assert.deepEqual(withoutNewAddresses(result, known), withoutNewAddresses(expected.result, known))
      assert.equal(outcome.gasCost, BigInt(expected.gas_cost))
      assert.deepEqual(outcome.events.map(toJsonEvent), expected.output_events)
      assert.deepEqual(toJsonChanges(outcome), expected.state_changes.ledger_changes)
    })
  }
})

function repeat(ledger: Ledger, { request, response }: Line, slot: Slot): ReadOnlyOutcome {
  const trail = response.result[0].state_changes.execution_trail_hash_change
  const engine = openEngine(ledger, slot)
  const common = {
    maxGas: BigInt(request.max_gas),
    ...(trail === 'Keep' ? {} : { executionTrailHash: parseHash(trail.Set) }),
  }
  if ('entries' in request) {
    const { address, bytecode, entries } = request
    const datastore = entries.map(([key, value]) => ({ key: Buffer.from(key), value: Buffer.from(value) }))
    const bytes = bytecode === 'main.wasm' ? MAIN : Uint8Array.from(bytecode)
    return engine.executeReadOnlyBytecode({ ...common, address, bytecode: bytes, datastore })
  }
  return engine.executeReadOnlyCall({
    ...common,
    caller: request.caller_address,
    target: request.target_address,
    functionName: request.target_function,
    parameter: Uint8Array.from(request.parameter),
    coinsNanoMas: parseMas(request.coins),
  })
}

function openEngine({ genesisTimestampMs, balances, contracts }: Ledger, slot: Slot): ContractEngine {
  const engine = new ContractEngine({
    modules,
    nodeVersion: 'MAIN.3.0',
    genesisTimestampMs: BigInt(genesisTimestampMs),
    // The chain was minutes old.
    deferredGasPriceNanoMas: 0n,
    slot: slotOfIndex(slotIndex(slot) - 1),
    accounts: Object.entries(balances).map(([address, mas]) => [address, parseMas(mas)] as const),
  })
  for (const [address, keys] of Object.entries(contracts)) {
    engine.ledger.setBytecode(address, PROBE)
    for (const key of keys) engine.ledger.setValue(address, Buffer.from(key), Buffer.from(key === 'k' ? 'v' : ''))
  }
  return engine
}

/** The address of a contract created by a call that failed depends on the slot, which is not known. */
function withoutNewAddresses(result: object, known: readonly string[]): unknown {
  const address = /\bAS1[1-9A-HJ-NP-Za-km-z]{40,}(?=:f error)/g
  return 'Error' in result && typeof result.Error === 'string'
    ? result.Error.replace(address, (found) => (known.includes(found) ? found : 'a new address'))
    : result
}

function parseMas(text: string): bigint {
  const [whole = '', decimals = ''] = text.split('.')
  return BigInt(whole + decimals.padEnd(9, '0'))
}
