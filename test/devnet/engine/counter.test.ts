import assert from 'node:assert/strict'
import { Args } from '@massalabs/massa-web3'
import type { ContractEngine } from '../../../devnet/engine/index.ts'
import { ALICE, ALICE_MAS, BOB, COUNTER, call, deploy, dump, FEE, MAS, makeEngine } from './engine-fixture.ts'

/** Key `count`, eight bytes and four of overhead, at 0.0001 MAS. */
const COUNT_PRICE = BigInt(5 + 8 + 4) * 100_000n

describe('devnet/engine with a contract of somebody else', () => {
  it("is deployed by massa-web3's deployer, whose last event tells the address", () => {
    const engine = makeEngine()
    const outcome = deploy(engine, COUNTER, new Args().addU64(40n), { coins: COUNT_PRICE })
    assert.equal(outcome.error, undefined)
    const address = readAddress(outcome.events.at(-1)?.data)
    assert.deepEqual(engine.ledger.bytecode(address), Buffer.from(COUNTER))
    assert.equal(readCount(engine, address), 40n)
    assert.equal(engine.ledger.balance(address), 0n)
    const price = BigInt(COUNTER.length) * 100_000n + MAS / 1000n
    assert.equal(engine.ledger.balance(ALICE), ALICE_MAS * MAS - FEE - price - COUNT_PRICE)
    assert.ok(outcome.gasUsed > 745_000_000n, 'creating a contract costs what a node asks for it')
  })

  it('cannot be constructed twice', () => {
    const engine = makeEngine()
    const [address] = deployTwo(engine)
    const outcome = call(engine, address, 'constructor', new Args().addU64(1n))
    assert.match(outcome.error ?? '', /Depth error: Runtime error: error: NOT_DEPLOYING at assembly\/counter\.ts:/)
    assert.equal(readCount(engine, address), 0n)
  })

  it('counts, tells whom it counted for, and returns the count', () => {
    const engine = makeEngine()
    const [address] = deployTwo(engine)
    const outcome = call(engine, address, 'increment', new Args().addU64(3n), { sender: BOB })
    assert.equal(new Args(outcome.returned).nextU64(), 3n)
    assert.deepEqual(
      outcome.events.map(({ callStack, data, indexInSlot }) => ({ callStack, data, indexInSlot })),
      // The two deployments before it gave two events each.
      [{ callStack: [BOB, address], data: `COUNTED:${BOB},3`, indexInSlot: 4 }],
    )
  })

  it('calls another contract with coins, which sees it as its caller', () => {
    const engine = makeEngine()
    const [first, second] = deployTwo(engine)
    const outcome = call(engine, first, 'incrementBoth', both(second, 5n, 5n), { coins: MAS })
    assert.equal(outcome.error, undefined)
    assert.equal(outcome.events[0]?.data, `COUNTED:${first},5`)
    assert.deepEqual(outcome.events[0]?.callStack, [ALICE, first, second])
    assert.deepEqual([readCount(engine, first), readCount(engine, second)], [5n, 5n])
    assert.deepEqual([engine.ledger.balance(first), engine.ledger.balance(second)], [0n, MAS])
    assert.ok(outcome.gasUsed > 2n * 15_700n)
  })

  it('takes back everything but the fee when it fails after a nested call', () => {
    const engine = makeEngine()
    const [first, second] = deployTwo(engine)
    const balance = engine.ledger.balance(ALICE)
    const before = dump(engine)
    const outcome = call(engine, first, 'incrementBoth', both(second, 5n, 4n), { coins: MAS })
    assert.match(outcome.error ?? '', /VM Error in CallSC context: Depth error: Runtime error: error: TOO_FAR at /)
    assert.equal(engine.ledger.balance(ALICE), balance - FEE)
    engine.ledger.setBalance(ALICE, balance)
    assert.deepEqual(dump(engine), before)
    assert.deepEqual(
      outcome.events.map(({ isError, callStack }) => ({ isError, callStack })),
      [
        { isError: true, callStack: [ALICE, first, second] },
        { isError: true, callStack: [ALICE, first] },
      ],
    )
    const told = JSON.parse(outcome.events[1]?.data ?? '') as { massa_execution_error: string }
    const title = 'Runtime error: runtime error when executing operation O-3: '
    assert.equal(told.massa_execution_error, title + outcome.error)
    assert.equal(outcome.changes.size, 1)
    assert.equal(outcome.changes.get(ALICE)?.balanceNanoMas, balance - FEE)
  })

  it('fails in the callee: both are as they were, and the event shows where', () => {
    const engine = makeEngine()
    const [first, second] = deployTwo(engine)
    engine.ledger.deleteValue(second, Buffer.from('count'))
    const outcome = call(engine, first, 'incrementBoth', both(second, 1n, 9n))
    assert.match(outcome.error ?? '', /Depth error: Runtime error: data entry not found$/)
    assert.deepEqual(outcome.events.at(-1)?.callStack, [ALICE, first, second])
    assert.equal(readCount(engine, first), 0n)
  })

  it('aborts without a message as a node tells it', () => {
    const engine = makeEngine()
    const [address] = deployTwo(engine)
    const { error } = call(engine, address, 'silent')
    assert.match(error ?? '', /Depth error: Runtime error: aborting failed to load message or filename$/)
  })

  it('lists keys in order of bytes, those of a prefix only', () => {
    const engine = makeEngine()
    const [address] = deployTwo(engine)
    for (const key of [[2, 255], [2], [10], [2, 0], [200], [1]]) {
      const put = new Args().addUint8Array(Uint8Array.from(key)).addUint8Array(new Uint8Array())
      assert.equal(call(engine, address, 'put', put, { coins: MAS }).error, undefined)
    }
    assert.deepEqual(listKeys(engine, address, [2]), [[2], [2, 0], [2, 255]])
    assert.deepEqual(listKeys(engine, address, [3]), [])
    assert.deepEqual(listKeys(engine, address, []), [
      [1],
      [2],
      [2, 0],
      [2, 255],
      [10],
      [...Buffer.from('count')],
      [200],
    ])
  })

  it('limit: an ExecuteSC may cost its sender max_coins and no nanoMAS more', () => {
    const price = BigInt(COUNTER.length) * 100_000n + MAS / 1000n
    const deployWith = (maxCoins: bigint) => {
      const engine = makeEngine()
      return { outcome: deploy(engine, COUNTER, new Args().addU64(0n), { coins: COUNT_PRICE, maxCoins }), engine }
    }
    assert.equal(deployWith(price + COUNT_PRICE).outcome.error, undefined)
    const { outcome, engine } = deployWith(price + COUNT_PRICE - 1n)
    assert.match(
      outcome.error ?? '',
      /at the end of the execution of the operation, the sender AU12Kz\w+ was expected to have at least 999999\.049400001 coins according to the operation's max spending, but has only 999999\.0494\.$/,
    )
    assert.equal(engine.ledger.balance(ALICE), ALICE_MAS * MAS - FEE)
    assert.deepEqual([...engine.ledger.addresses()].sort(), [ALICE, BOB].sort())
  })
})

function deployTwo(engine: ContractEngine): [string, string] {
  const deployOne = () => {
    const outcome = deploy(engine, COUNTER, new Args().addU64(0n), { coins: COUNT_PRICE })
    assert.equal(outcome.error, undefined)
    return readAddress(outcome.events.at(-1)?.data)
  }
  return [deployOne(), deployOne()]
}

/** The deployer's event: base64 of Args with a list of addresses. */
function readAddress(data: string | undefined): string {
  const [address] = new Args(Buffer.from(data ?? '', 'base64')).nextArray<string>(0 as never)
  return address ?? ''
}

function readCount(engine: ContractEngine, address: string): bigint {
  const outcome = engine.executeReadOnlyCall({
    caller: ALICE,
    target: address,
    functionName: 'count',
    parameter: new Uint8Array(),
    maxGas: 10_000_000n,
  })
  assert.equal(outcome.error, undefined)
  return new Args(outcome.returned).nextU64()
}

function both(other: string, step: bigint, last: bigint): Args {
  return new Args().addString(other).addU64(step).addU64(last)
}

function listKeys(engine: ContractEngine, target: string, prefix: number[]): number[][] {
  const { returned, error } = call(engine, target, 'list', Uint8Array.from(prefix))
  assert.equal(error, undefined)
  const keys: number[][] = []
  const view = Buffer.from(returned)
  for (let at = 0; at < view.length; ) {
    const length = view.readUInt32LE(at)
    keys.push([...view.subarray(at + 4, at + 4 + length)])
    at += 4 + length
  }
  return keys
}
