import assert from 'node:assert/strict'
import { Args } from '@massalabs/massa-web3'
import { ArchiveError, slotIndex, slotOfIndex } from '../../../core/index.ts'
import { DeferredCalls } from '../../../devnet/engine/deferred-calls.ts'
import { ExecutionContext } from '../../../devnet/engine/execution-context.ts'
import { ExecutionFault } from '../../../devnet/engine/faults.ts'
import { type ContractEngine, type ExecuteBody, Ledger, type OperationOutcome } from '../../../devnet/engine/index.ts'
import { Rolls } from '../../../devnet/engine/rolls.ts'
import { ALICE, call, dump, FEE, HOST_PROBE, MAS, makeEngine } from './engine-fixture.ts'
import { buildModule } from './wasm-builder.ts'

const NOTHING = new Uint8Array()
/** Does nothing, and is something to execute. */
const SILENT_MAIN = buildModule({ functions: [{ type: '>', export: 'main', code: [] }] })
/** massa-models, DEFERRED_CALL_MAX_FUTURE_SLOTS: seven days of 32 slots in 16 seconds. */
const WEEK_SLOTS = 1_209_600
/** massa-models, MAX_BYTECODE_LENGTH. */
const LONGEST_BYTECODE = 10_000_000

function execute(engine: ContractEngine, body: Partial<ExecuteBody> = {}): OperationOutcome {
  const standard = { bytecode: SILENT_MAIN, datastore: [], maxGas: 10_000_000n, maxCoinsNanoMas: 0n }
  return engine.executeOperation({
    sender: ALICE,
    feeNanoMas: FEE,
    body: { kind: 'execute-sc', ...standard, ...body },
  })
}

const isInvalid = (error: unknown) => error instanceof ArchiveError && error.code === 'DEVNET_ENGINE_REQUEST_INVALID'

describe('devnet/engine: limits of an ExecuteSC', () => {
  it('limit: with the gas of compiling it fits a block, with one unit more it is not included and costs nothing', () => {
    const engine = makeEngine()
    // 4,294,967,295 of a block, less 800,000 of any operation and 314,000,000 of compiling.
    const most = 3_980_167_295n
    const fitting = execute(engine, { maxGas: most })
    assert.deepEqual([fitting.included, fitting.error], [true, undefined])
    const before = dump(engine)
    const outcome = execute(engine, { maxGas: most + 1n })
    assert.deepEqual([outcome.included, outcome.success, outcome.gasUsed, outcome.events], [false, false, 0n, []])
    assert.match(outcome.error ?? '', /^Not enough gas in the block/)
    assert.deepEqual(dump(engine), before)
  })

  it('limit: bytecode of 10,000,000 bytes', () => {
    const engine = makeEngine()
    const bytecode = new Uint8Array(LONGEST_BYTECODE + 1)
    bytecode.set(SILENT_MAIN)
    // Included and paid for, though with zeros behind it this is no module.
    const longest = execute(engine, { bytecode: bytecode.subarray(0, LONGEST_BYTECODE) })
    assert.deepEqual([longest.included, longest.success], [true, false])
    assert.throws(() => execute(engine, { bytecode }), isInvalid)
    assert.throws(() => engine.executeReadOnlyBytecode({ address: ALICE, bytecode, maxGas: 1n }), isInvalid)
  })

  it('limit: datastore values of 500,000 bytes, keys of 255, 128 entries', () => {
    const engine = makeEngine()
    const [key, value] = [Uint8Array.of(1), new Uint8Array(500_001)]
    const entries = Array.from({ length: 129 }, (_, i) => ({ key: Uint8Array.of(i), value: NOTHING }))
    for (const [most, tooMuch] of [
      [[{ key, value: value.subarray(1) }], [{ key, value }]],
      [[{ key: new Uint8Array(255), value: NOTHING }], [{ key: new Uint8Array(256), value: NOTHING }]],
      [entries.slice(1), entries],
    ] as const) {
      assert.equal(execute(engine, { datastore: most }).error, undefined)
      assert.throws(() => execute(engine, { datastore: tooMuch }), isInvalid)
    }
  })
})

describe('devnet/engine: limits of a contract on the ledger', () => {
  // No contract's memory holds so much: 64 pages are 4 MiB. The rule is the node's all the same.
  const open = () => {
    const ledger = new Ledger()
    const modules = { chainId: 77n, ledger, deferredCalls: new DeferredCalls(0n), rolls: new Rolls() }
    const at = { slot: { period: 1, thread: 0 }, timestampMs: 0n, trailHash: new Uint8Array(32) }
    const context = new ExecutionContext(at, modules, { readOnly: false })
    ledger.setBalance(ALICE, 10_000n * MAS)
    context.begin([{ address: ALICE, coins: 0n, owned: [ALICE] }])
    return { context, ledger }
  }
  const longest = new Uint8Array(LONGEST_BYTECODE)
  const tooLong = new Uint8Array(LONGEST_BYTECODE + 1)

  const isTooLong = (error: unknown) =>
    error instanceof ExecutionFault && /bytecode size exceeds maximum allowed size$/.test(error.text)

  it('limit: it is created with 10,000,000 bytes of bytecode, and not with one more', () => {
    const { context, ledger } = open()
    assert.equal(ledger.bytecode(context.createContract(longest))?.length, LONGEST_BYTECODE)
    assert.throws(() => context.createContract(tooLong), isTooLong)
  })

  it('limit: it takes 10,000,000 bytes of bytecode, and not one more', () => {
    const { context, ledger } = open()
    const address = context.createContract(Uint8Array.of(1))
    context.setBytecode(address, longest)
    assert.throws(() => context.setBytecode(address, tooLong), isTooLong)
    assert.equal(ledger.bytecode(address), longest)
  })
})

describe('devnet/engine: limits of deferred calls', () => {
  const GAS = 900_000_000n
  const prepare = () => {
    const engine = makeEngine()
    const probe = engine.placeContract(HOST_PROBE, 1000n * MAS)
    const book = (slot = { period: 3, thread: 0 }, maxGas = GAS) => {
      const what = new Args().addString(probe).addString('noop').addU64(BigInt(slot.period)).addU32(BigInt(slot.thread))
      return call(engine, probe, 'defer', what.addU64(maxGas).addUint8Array(NOTHING).addU64(0n))
    }
    return { engine, book }
  }

  it('limit: one is booked seven days ahead, and no slot later', () => {
    const { engine, book } = prepare()
    const last = slotIndex(engine.slot) + WEEK_SLOTS
    for (const [index, isBooked] of [
      [last, true],
      [last + 1, false],
    ] as const) {
      const slot = slotOfIndex(index)
      assert.equal(engine.quoteDeferredCall(slot, 1000n, 0n).priceNanoMas !== undefined, isBooked)
      const { success, error } = book(slot, 1000n)
      assert.equal(success, isBooked, error)
      if (!isBooked) assert.match(error ?? '', /The Deferred call cannot be registered\. .* nor too far in the future/)
    }
    assert.deepEqual(
      engine.listDeferredCalls().map(({ slot }) => slotIndex(slot)),
      [last],
    )
  })

  it('limit: a slot takes 1,000,000,000 of gas together, 750,000 of each call included', () => {
    const { book } = prepare()
    assert.equal(book().error, undefined)
    const left = 1_000_000_000n - (GAS + 750_000n) - 750_000n
    assert.match(book(undefined, left + 1n).error ?? '', /The Deferred call cannot be registered/)
    assert.equal(book(undefined, left).error, undefined)
  })
})
