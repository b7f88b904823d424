import assert from 'node:assert/strict'
import { parseHash, type Slot, slotIndex, slotOfIndex } from '../../../core/index.ts'
import { ContractEngine, ModuleCache, type ReadOnlyOutcome } from '../../../devnet/engine/index.ts'
import { type RecordedCall, readProbe, readRecordedCalls, toJsonChanges, toJsonEvent } from './recorded-calls.ts'

const MAS = 1_000_000_000n
const SANDBOX_GENESIS_MS = 1_795_246_964_000n
const modules = new ModuleCache()

describe('devnet/engine against the recorded calls of a real node', () => {
  const calls = readRecordedCalls()

  it('has 92 calls to repeat', () => assert.equal(calls.length, 92))

  for (const [index, call] of calls.entries()) {
    const { target_function: name, parameter } = call.request
    it(`call ${index}: ${name} with ${parameter.length} bytes gives the same result, events, changes, error and gas`, () => {
      const [expected] = call.response.result
      const outcome = repeat(calls, call)
      const result = outcome.success
        ? { Ok: [...outcome.returned] }
        : { Error: `readonly call failed: ${outcome.error}` }
      assert.deepEqual(result, expected.result)
      assert.equal(outcome.gasCost, BigInt(expected.gas_cost))
      assert.deepEqual(outcome.events.map(toJsonEvent), expected.output_events)
      assert.deepEqual(toJsonChanges(outcome), expected.state_changes.ledger_changes)
    })
  }
})

function repeat(calls: readonly RecordedCall[], call: RecordedCall): ReadOnlyOutcome {
  const { request } = call
  const [answer] = call.response.result
  // A failed call does not say when it was executed: the one before it does.
  const slot = findSlot(calls, call)
  const engine = new ContractEngine({
    modules,
    nodeVersion: 'MAIN.3.0',
    genesisTimestampMs: SANDBOX_GENESIS_MS,
    // The chain was minutes old.
    deferredGasPriceNanoMas: 0n,
    slot: slotOfIndex(slotIndex(slot) - 1),
    accounts: [
      [request.caller_address, 100_000n * MAS],
      ['AU1VnPpmZ98ySyQLWew9FUMCGJxM9QMoBoZsypvpKYCciXyC2X9u', 100_000n * MAS],
    ],
  })
  const isStub = request.target_address === calls[0]?.request.target_address
  engine.ledger.setBytecode(request.target_address, readProbe(isStub ? 'stub' : 'incremental'))
  engine.ledger.setValue(request.target_address, Buffer.from('created'), Buffer.from('2'))
  engine.ledger.setBalance(request.target_address, 998_800_000n)
  const trail = answer.state_changes.execution_trail_hash_change
  return engine.executeReadOnlyCall({
    caller: request.caller_address,
    target: request.target_address,
    functionName: request.target_function,
    parameter: Uint8Array.from(request.parameter),
    maxGas: BigInt(request.max_gas),
    coinsNanoMas: BigInt(Math.round(Number(request.coins) * 1e9)),
    ...(trail === 'Keep' ? {} : { executionTrailHash: parseHash(trail.Set) }),
  })
}

function findSlot(calls: readonly RecordedCall[], call: RecordedCall): Slot {
  const known = calls.slice(0, calls.indexOf(call) + 1).findLast(({ response: { result } }) => 'Ok' in result[0].result)
  return known?.response.result[0].executed_at ?? { period: 2, thread: 25 }
}
