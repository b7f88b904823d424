import { readFileSync } from 'node:fs'
import { ContractEngine, type OperationOutcome } from '../../devnet/engine/index.ts'
import type { BenchRow } from '../bench-row.ts'

/*
 * Question: how many calls of a contract does the engine execute in a second? Input: the contract of the recorded calls
 * (12 kB), functions that do nothing, write an entry, fail, and loop 100,000 times; each call is an operation with fee,
 * journal and changes. Baseline: the same export in a bare WebAssembly instance made anew for each call, unmetered, with
 * host functions that do nothing; for the loop one used again, so that it shows what metering costs. 10,000 sequences of up to 300 calls must be
 * playable in minutes; a ratio above 1 would say that the engine's pool of instances is of no use.
 */

const CALLS = 1500
const ROUNDS = 5
const LOOPS = 100_000
const LOOP_CALLS = 20
const SENDER = 'AU12KzqG6QUuAmndZWsfXUNaPvQqG6uXC7HLjKPWfkFEYk4qEJfNY'
const PROBE = readFileSync(new URL('../../test/fixtures/contract-calls/probe-stub.wasm', import.meta.url))

interface Bare {
  readonly exports: Readonly<Record<string, (...values: number[]) => number>>
}
interface BareApi {
  readonly Module: (new (
    bytes: Uint8Array,
  ) => object) & {
    imports(module: object): readonly { readonly module: string; readonly name: string }[]
  }
  readonly Instance: new (module: object, imports: object) => Bare
}
const { Module, Instance } = (globalThis as unknown as { readonly WebAssembly: BareApi }).WebAssembly

export async function run(): Promise<BenchRow[]> {
  const engine = new ContractEngine({ accounts: [[SENDER, 10n ** 18n]] })
  const target = engine.placeContract(PROBE, 10n ** 15n)
  const execute = (functionName: string, parameter: Uint8Array) => () => {
    const body = { kind: 'call-sc', target, functionName, parameter, coinsNanoMas: 0n, maxGas: 4_000_000_000n } as const
    return engine.executeOperation({ sender: SENDER, feeNanoMas: 0n, body })
  }
  const bare = makeBare()
  const entry = args('alpha', 'one')
  return [
    compare('does nothing', execute('noop', new Uint8Array()), bare, ['noop', new Uint8Array()]),
    compare('writes an entry', execute('setKey', entry), bare, ['setKey', entry]),
    compare('fails', execute('fail', args('x')), bare, ['noop', args('x')]),
    compareLoop(execute('loop', u64(LOOPS)), () => bare.again('loop', u64(LOOPS))),
  ]
}

function compare(
  what: string,
  engine: () => OperationOutcome,
  bare: ReturnType<typeof makeBare>,
  call: [name: string, parameter: Uint8Array],
): BenchRow {
  const [engineUs, bareUs] = measure(engine, () => bare.anew(...call), CALLS)
  const [againUs] = measure(
    () => bare.again(...call),
    () => undefined,
    CALLS,
  )
  const ratio = engineUs / bareUs
  return {
    question: `a call that ${what}`,
    measured: `${engineUs.toFixed(0)} µs, ${Math.round(1e6 / engineUs)} a second`,
    baseline: `bare WebAssembly, instance made anew: ${bareUs.toFixed(0)} µs (used again: ${againUs.toFixed(1)} µs)`,
    ratio,
    goal: '<= 1 and <= 300 µs',
    holds: ratio <= 1 && engineUs <= 300,
  }
}

function compareLoop(engine: () => OperationOutcome, bare: () => void): BenchRow {
  const [engineUs, bareUs] = measure(engine, bare, LOOP_CALLS)
  const ratio = engineUs / bareUs
  return {
    question: `a call that loops ${LOOPS} times, ${engine().gasUsed} gas`,
    measured: `${(engineUs / 1000).toFixed(2)} ms`,
    baseline: `the same code unmetered, instance used again: ${(bareUs / 1000).toFixed(2)} ms`,
    ratio,
    goal: '<= 3',
    holds: ratio <= 3,
  }
}

/** Medians in microseconds, in turns. */
function measure(first: () => unknown, second: () => unknown, calls: number): [number, number] {
  const times: [number[], number[]] = [[], []]
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [i, work] of [first, second].entries()) {
      const started = performance.now()
      for (let n = 0; n < calls; n++) work()
      // The first round warms up.
      if (round > 0) times[i]?.push(((performance.now() - started) * 1000) / calls)
    }
  }
  const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1] ?? 0
  return [median(times[0]), median(times[1])]
}

/** Host functions give zeros: enough for code that only passes on what they give. */
function makeBare() {
  const module = new Module(PROBE)
  const imports: Record<string, Record<string, () => number>> = {}
  for (const entry of Module.imports(module)) {
    imports[entry.module] ??= {}
    Object.assign(imports[entry.module] ?? {}, { [entry.name]: () => 0 })
  }
  let kept = new Instance(module, imports)
  let uses = 0
  const call = ({ exports }: Bare, name: string, parameter: Uint8Array) => {
    const pointer = exports.__new?.(parameter.length, 1) ?? 0
    const { buffer } = exports.memory as unknown as { buffer: ArrayBuffer }
    new Uint8Array(buffer).set(parameter, pointer)
    exports[name]?.(pointer)
  }
  return {
    anew: (name: string, parameter: Uint8Array) => call(new Instance(module, imports), name, parameter),
    // Nothing in it is freed, so a new one once in a while.
    again: (name: string, parameter: Uint8Array) => {
      if (uses++ % 1000 === 0) kept = new Instance(module, imports)
      call(kept, name, parameter)
    },
  }
}

function args(...texts: string[]): Uint8Array {
  return Buffer.concat(texts.flatMap((text) => [u32(text.length), Buffer.from(text)]))
}

function u32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

function u64(value: number): Uint8Array {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value))
  return bytes
}
