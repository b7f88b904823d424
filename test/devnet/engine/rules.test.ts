import assert from 'node:assert/strict'
import { Args } from '@massalabs/massa-web3'
import { ArchiveError, formatMas } from '../../../core/index.ts'
import { type ContractEngine, MAX_EVENTS } from '../../../devnet/engine/index.ts'
import {
  ALICE,
  ALICE_MAS,
  BOB,
  call,
  dump,
  FEE,
  MAS,
  makeEngine,
  NO_CONTRACT,
  NOBODY,
  PROBE,
  transfer,
} from './engine-fixture.ts'
import { ALLOCATOR, buildModule, leb } from './wasm-builder.ts'

const BYTE = 100_000n

describe('devnet/engine: gas', () => {
  it('limit: a call passes with exactly the gas it uses, and runs out with one unit less', () => {
    const use = (maxGas: bigint) => {
      const { engine, probe } = placeProbe()
      return call(engine, probe, 'loop', new Args().addU64(100_000n), { maxGas })
    }
    const { gasUsed } = use(500_000_000n)
    assert.equal(use(gasUsed).error, undefined)
    const short = use(gasUsed - 1n)
    assert.equal(short.error, 'VM Error in CallSC context: VM execution error: Not enough gas, limit reached at: loop')
    assert.equal(short.gasUsed <= gasUsed - 1n, true)
  })

  it('limit: the gas that a read-only call reports is exactly what the operation needs', () => {
    const { engine, probe } = placeProbe()
    const parameter = nested(3).serialize()
    const request = { caller: ALICE, target: probe, functionName: 'nested', parameter, maxGas: 500_000_000n }
    const { gasCost } = engine.executeReadOnlyCall(request)
    assert.equal(call(engine, probe, 'nested', parameter, { maxGas: gasCost }).error, undefined)
    // The innermost contract may not even start with less than 2.1 million left.
    assert.match(
      call(engine, probe, 'nested', parameter, { maxGas: gasCost - 1n }).error ?? '',
      /Depth error: Runtime error: call to AS\w+:nested error: Interface generic error Load error: Provided gas 2099999 is lower than the base instance creation gas cost 2100000$/,
    )
  })

  it('limit: no call with less than 2,100,000', () => {
    const { engine, probe } = placeProbe()
    assert.equal(call(engine, probe, 'noop', new Args(), { maxGas: 2_100_000n }).error, undefined)
    assert.equal(
      call(engine, probe, 'noop', new Args(), { maxGas: 2_099_999n }).error,
      'Cache error: Load error: Provided gas 2099999 is lower than the base instance creation gas cost 2100000',
    )
  })

  it('limit: an operation that fits no block is not included and costs nothing', () => {
    const { engine, probe } = placeProbe()
    assert.equal(call(engine, probe, 'noop', new Args(), { maxGas: 4_294_167_295n }).included, true)
    const before = dump(engine)
    const outcome = call(engine, probe, 'noop', new Args(), { maxGas: 4_294_167_296n })
    assert.equal(outcome.included, false)
    assert.deepEqual(dump(engine), before)
  })

  it('is the same, whichever call came before', () => {
    const { engine, probe } = placeProbe()
    const first = call(engine, probe, 'ctx').gasUsed
    call(engine, probe, 'alloc', new Args().addU32(1_000_000n))
    assert.equal(call(engine, probe, 'ctx').gasUsed, first)
  })

  it("has MAIN.3.0's prices on demand: an event costs a fifth there", () => {
    const use = (nodeVersion: 'MAIN.3.0' | 'MAIN.5.0') => {
      const engine = makeEngine({ nodeVersion })
      return call(engine, engine.placeContract(PROBE), 'events', new Args().addU32(1n).addU32(5n)).gasUsed
    }
    assert.equal(use('MAIN.5.0') - use('MAIN.3.0'), 860n - 170n)
  })
})

describe('devnet/engine: events', () => {
  it('limit: 25 of an operation, and the 26th ends it', () => {
    const { engine, probe } = placeProbe()
    const emit = (count: number) => call(engine, probe, 'events', new Args().addU32(BigInt(count)).addU32(1n))
    assert.equal(emit(MAX_EVENTS).events.length, 25)
    const outcome = emit(MAX_EVENTS + 1)
    assert.match(outcome.error ?? '', /Too many event for this operation$/)
    assert.equal(outcome.events.length, 26)
    assert.ok(outcome.events.every(({ isError }) => isError))
  })

  it('counts the events of nested calls together', () => {
    const { engine, probe } = placeProbe()
    assert.equal(call(engine, probe, 'nested', nested(24)).events.length, 25)
    assert.match(call(engine, probe, 'nested', nested(25)).error ?? '', /Too many event/)
  })

  it('limit: 1,024 bytes each, and one more ends the call', () => {
    const { engine, probe } = placeProbe()
    const emit = (length: number) => call(engine, probe, 'events', new Args().addU32(1n).addU32(BigInt(length)))
    const prefix = 'E0:'.length
    assert.equal(emit(1024 - prefix).events[0]?.data.length, 1024)
    assert.match(emit(1025 - prefix).error ?? '', /Event data size is too large$/)
  })

  it('cuts the event of a failure to 1,024 bytes', () => {
    const { engine, probe } = placeProbe(MAS)
    const { events } = call(engine, probe, 'fail', new Args().addString('é'.repeat(2000)))
    assert.equal(Buffer.byteLength(events.at(-1)?.data ?? '') <= 1024, true)
    assert.equal(Buffer.byteLength(events.at(-1)?.data ?? '') > 1020, true)
  })
})

describe('devnet/engine: nested calls', () => {
  it('limit: 25 deep, and no deeper', () => {
    // Without events, which end at 25 too: main(parameter) calls its own address while the first byte counts down.
    const { engine } = placeProbe()
    const address = placeDiver(engine)
    const dive = (depth: number) => call(engine, address, 'dive', Uint8Array.of(depth)).error
    assert.equal(dive(25), undefined)
    assert.equal(dive(26), 'VM Error in CallSC context: Depth error: recursion depth limit reached')
  })

  it('refuses what is no contract, or does not exist', () => {
    const { engine } = placeProbe()
    assert.equal(
      call(engine, BOB, 'noop').error,
      `Runtime error: The called address ${BOB} is not a smart contract address`,
    )
    assert.equal(
      call(engine, NO_CONTRACT, 'noop').error,
      `Runtime error: The called smart contract address ${NO_CONTRACT} does not exist`,
    )
  })

  it('refuses an operation without a function, and a function that is not there', () => {
    const { engine, probe } = placeProbe()
    assert.equal(call(engine, probe, '').error, 'Runtime error: no function to call in the CallSC operation')
    assert.match(call(engine, probe, 'absent').error ?? '', /VM instance error: Missing export absent$/)
    assert.match(call(engine, probe, 'memory').error ?? '', /VM instance error: Incompatible Export Type$/)
  })
})

describe('devnet/engine: storage', () => {
  it('is charged to the contract, not to its caller, and given back to it', () => {
    const { engine, probe } = placeProbe(MAS)
    const paid = () => MAS - engine.ledger.balance(probe)
    call(engine, probe, 'setKey', new Args().addString('alpha').addString('one'))
    assert.equal(paid(), BYTE * BigInt(4 + 5 + 3))
    call(engine, probe, 'setKey', new Args().addString('alpha').addString(''))
    assert.equal(paid(), BYTE * BigInt(4 + 5))
    call(engine, probe, 'appendKey', new Args().addString('alpha').addString('more'))
    assert.equal(paid(), BYTE * BigInt(4 + 5 + 4))
    call(engine, probe, 'delKey', new Args().addString('alpha'))
    assert.equal(paid(), 0n)
    assert.equal(engine.ledger.balance(ALICE), ALICE_MAS * MAS - 4n * FEE)
  })

  it('cannot be used by a contract without coins', () => {
    const { engine, probe } = placeProbe()
    const { error } = call(engine, probe, 'setKey', new Args().addString('alpha').addString('one'))
    assert.match(
      error ?? '',
      /failed to charge storage costs for datastore entry change: Runtime error: failed to transfer 0\.0012 coins from spending address AS\w+ due to insufficient balance 0$/,
    )
  })

  it('limit: keys of 1 to 255 bytes', () => {
    const { engine, probe } = placeProbe(10n * MAS)
    const set = (keyBytes: number) => {
      return call(
        engine,
        probe,
        'setBytes',
        new Args().addUint8Array(Buffer.alloc(keyBytes, 7)).addUint8Array(new Uint8Array()),
      )
    }
    assert.equal(set(1).error, undefined)
    assert.equal(set(255).error, undefined)
    assert.match(set(0).error ?? '', /key length is 0, but it must be in \[0\.\.=255\]$/)
    assert.match(set(256).error ?? '', /key length is 256, but it must be in \[0\.\.=255\]$/)
  })

  it('stays as it was when a call fails after writing', () => {
    const { engine, probe } = placeProbe(MAS)
    const before = dump(engine)
    assert.equal(call(engine, probe, 'nestedFail').success, false)
    engine.ledger.setBalance(ALICE, ALICE_MAS * MAS)
    assert.deepEqual(dump(engine), before)
  })
})

describe('devnet/engine: coins', () => {
  it('a transfer to a new user address pays for the address', () => {
    const engine = makeEngine()
    const outcome = transfer(engine, NOBODY, MAS)
    assert.equal(engine.ledger.balance(NOBODY), MAS - MAS / 1000n)
    assert.equal(outcome.changes.get(NOBODY)?.created, true)
    assert.equal(engine.ledger.balance(ALICE), ALICE_MAS * MAS - MAS - FEE)
  })

  it('limit: 0.001 MAS creates an address that has nothing, less is refused', () => {
    const engine = makeEngine()
    assert.equal(
      transfer(engine, NOBODY, MAS / 1000n - 1n).error,
      `\`Transaction\` error: transfer of 0.000999999 coins from ${ALICE} to ${NOBODY} failed: Runtime error: insufficient amount 0.000999999 to create credited address ${NOBODY}`,
    )
    assert.equal(engine.ledger.has(NOBODY), false)
    assert.equal(transfer(engine, NOBODY, MAS / 1000n).success, true)
    assert.equal(engine.ledger.has(NOBODY), true)
  })

  it('a transfer to a contract that does not exist fails', () => {
    assert.match(
      transfer(makeEngine(), NO_CONTRACT, MAS).error ?? '',
      /cannot transfer coins to non-existing smart contract address AS12um/,
    )
  })

  it('a contract pays from its own balance only', () => {
    const { engine, probe } = placeProbe(2n * MAS)
    assert.equal(call(engine, probe, 'pay', new Args().addString(BOB).addU64(MAS)).error, undefined)
    assert.equal(engine.ledger.balance(BOB), 11n * MAS)
    assert.match(
      call(engine, probe, 'pay', new Args().addString(BOB).addU64(MAS + 1n)).error ?? '',
      /failed to transfer 1\.000000001 coins from spending address AS\w+ due to insufficient balance 1$/,
    )
  })

  it('an amount below zero is refused: what a contract sees as 2^63 and more', () => {
    const { engine, probe } = placeProbe(2n * MAS)
    const pay = new Args().addString(BOB).addU64(2n ** 63n)
    assert.match(call(engine, probe, 'pay', pay).error ?? '', /Depth error: Runtime error: Negative raw amount\.$/)
    const coins = new Args().addU32(1n).addU64(2n ** 64n - 1n)
    assert.match(call(engine, probe, 'nested', coins).error ?? '', /negative amount of coins in Call$/)
  })

  it('an address that is none is refused', () => {
    const { engine, probe } = placeProbe(2n * MAS)
    const { error } = call(engine, probe, 'pay', new Args().addString('AU1nonsense').addU64(1n))
    assert.match(
      error ?? '',
      /address parsing error: in UserAddress .*: invalid checksum, calculated checksum: '\[58, /,
    )
  })

  it('limit: a text of 1,024 digits that is no address is refused with its checksum, a longer one unread', () => {
    const { engine, probe } = placeProbe(2n * MAS)
    const pay = (digits: number) => {
      const to = new Args().addString(`AU${'2'.repeat(digits)}`).addU64(1n)
      return call(engine, probe, 'pay', to, { maxGas: 4_000_000_000n }).error ?? ''
    }
    assert.match(pay(1024), /invalid checksum, calculated checksum: /)
    assert.match(pay(1025), /invalid checksum$/)
    assert.match(pay(500_000), /invalid checksum$/)
  })

  it('an operation whose fee cannot be paid is not included', () => {
    const engine = makeEngine()
    const before = dump(engine)
    const outcome = engine.executeOperation({
      sender: BOB,
      feeNanoMas: 11n * MAS,
      body: { kind: 'transaction', recipient: ALICE, amountNanoMas: 0n },
    })
    assert.equal(outcome.included, false)
    assert.match(outcome.error ?? '', /could not spend fees: Runtime error: failed to transfer 11 coins/)
    assert.deepEqual(dump(engine), before)
  })

  it('more coins than the sender has: the fee is kept', () => {
    const { engine, probe } = placeProbe()
    const { error } = call(engine, probe, 'noop', new Args(), { sender: BOB, coins: 10n * MAS })
    assert.match(
      error ?? '',
      /^Runtime error: failed to transfer 10 operation coins from AU1VnP\w+ to AS\w+: Runtime error: failed/,
    )
    assert.equal(engine.ledger.balance(BOB), 10n * MAS - FEE)
  })

  it('amounts read as a node prints them', () => {
    const printed = [0n, 1n, 1_000_000n, 500_000_000n, 99_999_500_000_000n, 1_498_800_000n, 2n ** 64n - 1n].map(
      formatMas,
    )
    assert.deepEqual(printed, ['0', '0.000000001', '0.001', '0.50', '99999.50', '1.4988', '18446744073.709551615'])
  })
})

describe('devnet/engine: requests', () => {
  for (const [what, request] of Object.entries<(engine: ContractEngine) => unknown>({
    'an address that is none': (engine) => transfer(engine, 'AU1nonsense', 1n),
    'an amount below zero': (engine) => transfer(engine, BOB, -1n),
    'an amount beyond a u64': (engine) => transfer(engine, BOB, 2n ** 64n),
    'a function name of 256 bytes': (engine) => call(engine, NO_CONTRACT, 'x'.repeat(256)),
    'a slot that has passed': (engine) => engine.setSlot(engine.slot),
    'a thread that does not exist': (engine) => engine.setSlot({ period: 9, thread: 32 }),
  })) {
    it(`error: refuses ${what}`, () => {
      const engine = makeEngine()
      const before = dump(engine)
      assert.throws(
        () => request(engine),
        (error) => error instanceof ArchiveError && error.code === 'DEVNET_ENGINE_REQUEST_INVALID',
      )
      assert.deepEqual(dump(engine), before)
    })
  }
})

function placeProbe(balance = 0n): { engine: ContractEngine; probe: string } {
  const engine = makeEngine()
  return { engine, probe: engine.placeContract(PROBE, balance) }
}

/** A contract whose `dive` calls itself with a byte one smaller, until that is zero. */
function placeDiver(engine: ContractEngine): string {
  const address = engine.placeContract(Uint8Array.of(0))
  const strings = [address, 'dive'].map((text) => Buffer.from(text, 'utf16le'))
  const bytes = buildModule({
    imports: [{ module: 'massa', name: 'assembly_script_call', type: 'iiiI>i' }],
    functions: [
      ...ALLOCATOR,
      {
        type: 'i>',
        export: 'dive',
        code: [
          // if (byte == 0) return; byte -= 1
          ...[0x20, 0, 0x2d, 0, 0, 0x45, 0x04, 0x40, 0x0f, 0x0b],
          ...[0x20, 0, 0x20, 0, 0x2d, 0, 0, 0x41, 1, 0x6b, 0x3a, 0, 0],
          // call(address, 'dive', parameter, 0)
          ...[0x41, ...leb(16), 0x41, ...leb(256), 0x20, 0, 0x42, 0, 0x10, 0, 0x1a],
        ],
      },
    ],
    data: [
      { at: 12, bytes: [strings[0]?.length ?? 0] },
      { at: 16, bytes: [...(strings[0] ?? [])] },
      { at: 252, bytes: [strings[1]?.length ?? 0] },
      { at: 256, bytes: [...(strings[1] ?? [])] },
    ],
  })
  engine.ledger.setBytecode(address, bytes)
  return address
}

function nested(depth: number): Args {
  return new Args().addU32(BigInt(depth)).addU64(0n)
}
