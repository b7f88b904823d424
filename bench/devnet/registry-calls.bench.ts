import type { OperationOutcome } from '../../devnet/engine/index.ts'
import { NO_ARGS } from '../../test/reference/args-writer.ts'
import { BareRegistry } from '../../test/sc/bare-registry.ts'
import { issue, passAudit, prepare, prove, submitArgs } from '../../test/sc/challenge-steps.ts'
import { deployRegistry, FEE, goTo, MAX_GAS, NODE, type World } from '../../test/sc/registry-world.ts'
import type { BenchRow } from '../bench-row.ts'

/*
 * Question: how many calls of the registry does the engine execute in a second? Input: the shipped wasm with one node;
 * a proof of two leaves of a full chunk, and a claim; each call is an operation with fee, journal and changes, taken back
 * after it. Baseline: the same export of the same wasm, unmetered, in V8 alone: an instance made anew for each call as on
 * a chain, host functions that are a map and the same SHA-256 and Ed25519. A fuzzer of 10,000 sequences of up to 300
 * calls needs thousands a second; a ratio far above 1 would say that the engine's own work is what costs.
 */

const CALLS = 400
const ROUNDS = 7

export async function run(): Promise<BenchRow[]> {
  const world = deployRegistry()
  prepare(world)
  passAudit(world, 'first')
  goTo(world, 40)
  const asked = issue(world, 'second')
  const proof = submitArgs('second', prove(world, asked))
  return [
    compare(world, 'submitProof', 'a proof of 2 leaves of a chunk of 1 MiB', proof),
    compare(world, 'claimRewards', 'a claim', NO_ARGS),
  ]
}

function compare(world: World, functionName: string, what: string, parameter: Uint8Array): BenchRow {
  const { engine, contract } = world
  const snapshot = engine.snapshot()
  const execute = (): OperationOutcome => {
    const body = {
      kind: 'call-sc',
      target: contract,
      functionName,
      parameter,
      coinsNanoMas: 0n,
      maxGas: MAX_GAS,
    } as const
    const outcome = engine.executeOperation({ sender: NODE.address, feeNanoMas: FEE, body })
    engine.restore(snapshot)
    return outcome
  }
  const { success, error, gasUsed } = execute()
  if (!success) throw new Error(error)
  const bare = BareRegistry.copyOf(world, NODE.address)
  const entries = [...bare.entries]
  const takeBack = () => {
    for (const [key, value] of entries) bare.entries.set(key, value)
    bare.events.length = 0
  }
  const [engineUs, bareUs, againUs] = measure([
    execute,
    () => {
      bare.call(functionName, parameter)
      takeBack()
    },
    () => {
      bare.callAgain(functionName, parameter)
      takeBack()
    },
  ])
  const ratio = engineUs / bareUs
  return {
    question: `registry ${functionName}: ${what}, ${gasUsed} gas`,
    measured: `${engineUs.toFixed(0)} µs, ${Math.round(1e6 / engineUs)} a second`,
    baseline: `bare WebAssembly, instance made anew: ${bareUs.toFixed(0)} µs, ${Math.round(1e6 / bareUs)} a second (used again: ${againUs.toFixed(0)} µs)`,
    ratio,
    goal: '<= 1.5',
    holds: ratio <= 1.5,
  }
}

/** Medians in microseconds, in turns. */
function measure(works: readonly [() => unknown, () => unknown, () => unknown]): [number, number, number] {
  const medians = works.map((): number[] => [])
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [i, work] of works.entries()) {
      const started = performance.now()
      for (let n = 0; n < CALLS; n++) work()
      // The first round warms up.
      if (round > 0) medians[i]?.push(((performance.now() - started) * 1000) / CALLS)
    }
  }
  const [a = 0, b = 0, c = 0] = medians.map((values) => values.sort((x, y) => x - y)[values.length >> 1] ?? 0)
  return [a, b, c]
}
