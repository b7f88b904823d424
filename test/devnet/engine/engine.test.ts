import assert from 'node:assert/strict'
import { Args } from '@massalabs/massa-web3'
import fc from 'fast-check'
import { computeOperationId, encodeOperationContent, type Operation, parseAddress } from '../../../core/index.ts'
import * as room from '../../../devnet/engine/index.ts'
import {
  ALICE,
  ALICE_MAS,
  BOB,
  COUNTER,
  call,
  dump,
  FEE,
  HOST_PROBE,
  MAS,
  makeDeployment,
  makeEngine,
  NOBODY,
  PROBE,
} from './engine-fixture.ts'
import { buildModule, leb } from './wasm-builder.ts'

const { ContractEngine, Ledger, toEngineOperation } = room
const GENESIS_MS = 1_700_000_000_000n

describe('devnet/engine', () => {
  it('exports what its users need, and no more', () => {
    assert.deepEqual(Object.keys(room).sort(), [
      'ADDRESS_PRICE_NANO_MAS',
      'BYTE_PRICE_NANO_MAS',
      'ContractEngine',
      'Ledger',
      'MAX_BLOCK_GAS',
      'MAX_CALL_DEPTH',
      'MAX_EVENTS',
      'MAX_EVENT_BYTES',
      'MAX_INSTANCE_GAS',
      'ModuleCache',
      'OPERATION_BASE_GAS',
      'PERIODS_PER_CYCLE',
      'ROLL_PRICE_NANO_MAS',
      'TEMPORARY_COMPILATION_GAS',
      'computeBytecodePrice',
      'computeEntryPrice',
      'toEngineOperation',
    ])
  })

  it('tells contracts the time of the slot', () => {
    const engine = makeEngine({ genesisTimestampMs: GENESIS_MS, slot: { period: 10, thread: 3 } })
    const probe = engine.placeContract(PROBE, MAS)
    assert.equal(engine.timestampMs, GENESIS_MS + 161_500n)
    engine.setSlot({ period: 11, thread: 0 })
    const read = new Args(call(engine, probe, 'ctx', new Args(), { coins: 7n }).returned)
    assert.deepEqual([read.nextString(), read.nextString(), read.nextString()], [ALICE, probe, ALICE])
    assert.deepEqual([read.nextU64(), read.nextU64(), read.nextU32()], [7n, 11n, 0n])
    assert.deepEqual([read.nextU64(), read.nextU64(), read.nextU64()], [GENESIS_MS + 176_000n, 77n, MAS + 7n])
  })

  it('gives the same random numbers again for the same slots, others in each slot', () => {
    const draw = (...periods: number[]) => {
      const engine = makeEngine()
      const probe = engine.placeContract(PROBE)
      for (const period of periods) engine.setSlot({ period, thread: 0 })
      return [call(engine, probe, 'rand').returned, call(engine, probe, 'rand').returned].map((bytes) =>
        Buffer.from(bytes).toString('hex'),
      )
    }
    assert.deepEqual(draw(2), draw(2))
    assert.notDeepEqual(draw(2), draw(3))
    assert.equal(new Set(draw(2)).size, 2)
  })

  it('a call that failed used up no random number', () => {
    const imports = [{ module: 'massa', name: 'assembly_script_unsafe_random', type: '>I' }]
    // Keeps eight bytes at 1,024, with their length before them.
    const draw = [0x41, ...leb(1020), 0x41, 8, 0x36, 2, 0, 0x41, ...leb(1024), 0x10, 0, 0x37, 3, 0]
    const functions = [
      { type: '>i', export: 'draw', code: [...draw, 0x41, ...leb(1024)] },
      { type: '>', export: 'drawAndFail', code: [...draw, 0x00] },
    ]
    const play = (...names: string[]) => {
      const engine = makeEngine()
      const drawer = engine.placeContract(buildModule({ imports, functions }))
      const outcomes = names.map((name) => call(engine, drawer, name))
      for (const [i, { error }] of outcomes.entries()) {
        assert.match(error ?? '', names[i] === 'draw' ? /^$/ : /RuntimeError: unreachable/)
      }
      return outcomes.flatMap(({ success, returned }) => (success ? [Buffer.from(returned).toString('hex')] : []))
    }
    const numbers = play('draw', 'draw')
    assert.equal(new Set(numbers).size, 2)
    assert.equal(numbers[0]?.length, 16)
    assert.deepEqual(play('draw', 'drawAndFail', 'draw'), numbers)
    assert.deepEqual(play('drawAndFail', 'draw', 'draw'), numbers)
  })

  it('a read-only call runs in the next slot and leaves no trace', () => {
    const engine = makeEngine({ slot: { period: 4, thread: 31 } })
    const target = engine.placeContract(PROBE, MAS)
    const before = dump(engine)
    const parameter = new Args().addString('alpha').addString('one').serialize()
    const request = { caller: ALICE, target, functionName: 'setKey', parameter, maxGas: 500_000_000n }
    const outcome = engine.executeReadOnlyCall({ ...request, coinsNanoMas: MAS, feeNanoMas: FEE })
    assert.deepEqual(outcome.executedAt, { period: 5, thread: 0 })
    assert.deepEqual(outcome.changes.get(target)?.datastore, new Map([['alpha', Buffer.from('one')]]))
    assert.equal(outcome.changes.get(ALICE)?.balanceNanoMas, ALICE_MAS * MAS - MAS - FEE)
    assert.deepEqual(dump(engine), before)
    assert.deepEqual(engine.slot, { period: 4, thread: 31 })
  })

  it('limit: a read-only call may ask for the gas of a block', () => {
    const engine = makeEngine()
    const target = engine.placeContract(PROBE)
    const ask = (maxGas: bigint) =>
      engine.executeReadOnlyCall({ caller: ALICE, target, functionName: 'noop', parameter: new Uint8Array(), maxGas })
    assert.equal(ask(4_294_967_295n).success, true)
    assert.equal(
      ask(5_000_000_000n).error,
      'Given gas is above the threshold: execution gas for read-only call is 5000000000 which is above the maximum allowed 4294967295',
    )
  })

  it('simulates a deployment as massa-web3 does before it sends one', () => {
    const engine = makeEngine()
    const before = dump(engine)
    const { bytecode, datastore, maxGas } = makeDeployment(COUNTER, new Args().addU64(1n), { coins: MAS })
    const outcome = engine.executeReadOnlyBytecode({ address: ALICE, bytecode, datastore, maxGas })
    assert.equal(outcome.error, undefined)
    assert.ok(outcome.gasCost > 745_000_000n)
    assert.deepEqual(dump(engine), before)
    const body = { ...makeDeployment(COUNTER, new Args().addU64(1n), { coins: MAS }), maxGas: outcome.gasCost }
    assert.equal(engine.executeOperation({ sender: ALICE, feeNanoMas: FEE, body }).error, undefined)
  })

  it('creates a different address for each contract, also in a later slot', () => {
    const engine = makeEngine()
    const created = () => {
      const body = makeDeployment(COUNTER, new Args().addU64(1n), { coins: MAS })
      const outcome = engine.executeOperation({ sender: ALICE, feeNanoMas: FEE, body })
      return [...outcome.changes].filter(([, change]) => change.created).map(([address]) => address)
    }
    const addresses = [...created(), ...created()]
    engine.setSlot({ period: 2, thread: 0 })
    addresses.push(...created())
    assert.equal(new Set(addresses).size, 3)
  })

  it("takes core's operations", () => {
    const operation: Operation = {
      feeNanoMas: FEE,
      expirePeriod: 10n,
      body: { kind: 'transaction', recipient: parseAddress(BOB), amountNanoMas: MAS },
    }
    const id = computeOperationId(77n, new Uint8Array(33), encodeOperationContent(operation))
    const engine = makeEngine()
    assert.equal(engine.executeOperation(toEngineOperation(parseAddress(ALICE), operation, id)).success, true)
    assert.equal(engine.ledger.balance(BOB), 11n * MAS)
    const rolls: Operation = { ...operation, body: { kind: 'roll-buy', rollCount: 1n } }
    assert.equal(engine.executeOperation(toEngineOperation(parseAddress(ALICE), rolls, id)).success, true)
    assert.equal(engine.rolls.count(ALICE), 1n)
  })

  it('needs no options', () => assert.deepEqual(new ContractEngine().slot, { period: 1, thread: 0 }))
})

describe('devnet/engine: snapshots', () => {
  it('brings back ledger, slot, random numbers and deferred calls, as often as asked', () => {
    const engine = makeEngine({ deferredGasPriceNanoMas: 0n })
    const probe = engine.placeContract(PROBE, 5n * MAS)
    const before = dump(engine)
    const snapshot = engine.snapshot()
    const play = () => {
      const random = call(engine, probe, 'rand').returned
      call(engine, probe, 'setKey', new Args().addString('alpha').addString('one'))
      const deferred = call(engine, probe, 'defer', new Args().addString('hello').addU64(3n).addU64(20_000_000n))
      assert.equal(deferred.error, undefined)
      const outcomes = engine.setSlot({ period: 9, thread: 0 })
      assert.equal(outcomes.length, 1)
      return [random, outcomes[0]?.events, engine.slot, dump(engine)]
    }
    const first = play()
    engine.restore(snapshot)
    assert.deepEqual(dump(engine), before)
    assert.deepEqual(engine.slot, { period: 1, thread: 0 })
    assert.deepEqual(play(), first)
    engine.restore(snapshot)
    engine.release(snapshot)
    assert.deepEqual(dump(engine), before)
    assert.throws(() => engine.restore(snapshot), /void or released/)
  })

  it('restoring an outer one makes the inner ones void', () => {
    const engine = makeEngine()
    const outer = engine.snapshot()
    engine.ledger.setBalance(NOBODY, 1n)
    const inner = engine.snapshot()
    engine.ledger.setBalance(NOBODY, 2n)
    engine.restore(inner)
    assert.equal(engine.ledger.balance(NOBODY), 1n)
    engine.restore(outer)
    assert.equal(engine.ledger.has(NOBODY), false)
    assert.throws(() => engine.restore(inner), /void or released/)
  })
})

describe('devnet/engine: deferred calls', () => {
  const prepare = () => {
    const engine = makeEngine()
    const probe = engine.placeContract(PROBE, 5n * MAS)
    const book = (functionName: string, period: bigint) =>
      call(engine, probe, 'defer', new Args().addString(functionName).addU64(period).addU64(20_000_000n))
    return { engine, probe, book }
  }
  const STORAGE = BigInt(111 + 255) * 100_000n
  const FEE_PAID = 10n * 20_750_000n + STORAGE

  it('run in their slot, as the contract itself, and give the price of storage back', () => {
    const { engine, probe, book } = prepare()
    assert.equal(book('hello', 3n).error, undefined)
    assert.equal(engine.ledger.balance(probe), 5n * MAS - FEE_PAID)
    assert.deepEqual(engine.setSlot({ period: 3, thread: 4 }), [])
    const [outcome] = engine.setSlot({ period: 7, thread: 0 })
    assert.equal(outcome?.error, undefined)
    assert.deepEqual(outcome?.events[0]?.slot, { period: 3, thread: 5 })
    assert.equal(outcome?.events[0]?.data, `HELLO ${probe}`)
    const kept = BigInt(4 + 'hello'.length + 1) * 100_000n
    assert.equal(engine.ledger.balance(probe), 5n * MAS - FEE_PAID + STORAGE - kept)
    assert.deepEqual(engine.setSlot({ period: 8, thread: 0 }), [])
  })

  it('that fail keep nothing of what they did', () => {
    const { engine, probe, book } = prepare()
    book('nestedFail', 3n)
    const [outcome] = engine.setSlot({ period: 7, thread: 0 })
    assert.match(outcome?.error ?? '', /^VM Error in Deferred Call context: Depth error:/)
    assert.equal(outcome?.events.at(-1)?.isError, true)
    assert.deepEqual(engine.ledger.keys(probe), [])
    assert.equal(engine.ledger.balance(probe), 5n * MAS - FEE_PAID + STORAGE)
  })

  it('that fail give their coins back', () => {
    const spent = ([0n, MAS] as const).map((coins) => {
      const engine = makeEngine()
      const probe = engine.placeContract(HOST_PROBE, 5n * MAS)
      const what = new Args().addString(probe).addString('unreach').addU64(3n).addU32(0n).addU64(20_000_000n)
      assert.equal(call(engine, probe, 'defer', what.addUint8Array(new Uint8Array()).addU64(coins)).error, undefined)
      const booked = engine.ledger.balance(probe)
      const [outcome] = engine.setSlot({ period: 3, thread: 0 })
      assert.match(outcome?.error ?? '', /RuntimeError: unreachable/)
      return { booked, after: engine.ledger.balance(probe) }
    })
    assert.equal((spent[0]?.booked ?? 0n) - (spent[1]?.booked ?? 0n), MAS)
    assert.equal(spent[0]?.after, spent[1]?.after)
  })

  it('cannot be booked for a slot that is not ahead', () => {
    const { book } = prepare()
    assert.match(book('hello', 0n).error ?? '', /The Deferred call cannot be registered/)
    assert.match(book('hello', 10_000_000n).error ?? '', /The Deferred call cannot be registered/)
  })

  /** Registers a call for (3, 0) and cancels it. */
  const cancel = (engine: room.ContractEngine, probe: string) => {
    const what = new Args().addString(probe).addString('noop').addU64(3n).addU32(0n).addU64(900_000_000n)
    const outcome = call(engine, probe, 'deferCancel', what.addUint8Array(new Uint8Array()).addU64(MAS))
    assert.equal(outcome.error, undefined)
  }

  it('that are cancelled keep the gas of their slot until it is over', () => {
    // As recorded of a real node: `deferCancel` leaves effective_slot_gas and effective_total_gas as booked.
    const engine = makeEngine()
    const quote = () => engine.quoteDeferredCall({ period: 3, thread: 0 }, 900_000_000n, 0n).priceNanoMas
    assert.notEqual(quote(), undefined)
    cancel(engine, engine.placeContract(HOST_PROBE, 100n * MAS))
    assert.equal(quote(), undefined)
    assert.deepEqual(
      engine.listDeferredCalls().map(({ isCancelled }) => isCancelled),
      [true],
    )
    engine.setSlot({ period: 3, thread: 0 })
    assert.deepEqual(engine.listDeferredCalls(), [])
  })

  it('that are cancelled do not run, and what follows in their slot is not theirs', () => {
    const engine = makeEngine()
    const probe = engine.placeContract(HOST_PROBE, 100n * MAS)
    cancel(engine, probe)
    const before = engine.ledger.balance(probe)
    const [outcome] = engine.setSlot({ period: 3, thread: 0 })
    assert.deepEqual([outcome?.success, outcome?.events], [true, []])
    // The coins came back at once; now the price of storage does, and that of the booking never.
    assert.equal(engine.ledger.balance(probe) - before, STORAGE)
    const { events } = call(engine, probe, 'ev', new Args().addString('later'))
    assert.deepEqual(
      events.map(({ data, deferredCallId }) => [data, deferredCallId]),
      [['later', undefined]],
    )
  })
})

interface Step {
  readonly what: string
  readonly address: string
  readonly key: Uint8Array
  readonly amount: bigint
}

describe('devnet/engine/ledger', () => {
  it('goes back to any mark, whatever was done since (property)', () => {
    const step = fc.record({
      what: fc.constantFrom('balance', 'bytecode', 'set', 'delete'),
      address: fc.constantFrom('A', 'B', 'C'),
      key: fc.uint8Array({ maxLength: 2 }),
      amount: fc.bigInt({ min: 0n, max: 9n }),
    })
    const apply = (ledger: InstanceType<typeof Ledger>, { what, address, key, amount }: Step) => {
      if (what === 'balance') ledger.setBalance(address, amount)
      else if (what === 'bytecode') ledger.setBytecode(address, key)
      else if (what === 'set') ledger.setValue(address, key, Uint8Array.of(Number(amount)))
      else ledger.deleteValue(address, key)
    }
    const read = (ledger: InstanceType<typeof Ledger>) =>
      [...ledger.addresses()]
        .sort()
        .map((address) => [
          address,
          ledger.balance(address),
          ledger.bytecode(address),
          ledger.keys(address).map((key) => [Buffer.from(key).toString('hex'), ledger.value(address, key)]),
        ])
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), fc.array(step, { maxLength: 30 }), (first, second) => {
        const ledger = new Ledger()
        for (const one of first) apply(ledger, one)
        const before = read(ledger)
        const mark = ledger.mark()
        for (const one of second) apply(ledger, one)
        ledger.rollback(mark)
        assert.deepEqual(read(ledger), before)
        for (const [address, , , entries] of before) {
          const keys = (entries as [string][]).map(([key]) => key)
          assert.deepEqual(keys, [...keys].sort(), `keys of ${address} are in order`)
        }
      }),
      { numRuns: 300 },
    )
  })
})
