import assert from 'node:assert/strict'
import { Args, bytesToStr, Mas, OperationStatus, PublicAPI, SmartContract, strToBytes } from '@massalabs/massa-web3'
import { MAS } from '../face.ts'
import { ALICE, BOB, COUNTER, NOBODY, openWeb3Face, PROBE, type Web3Face } from './web3-face.ts'

const u64 = (value: bigint) => new Args().addU64(value)
const STEP = u64(5n)

describe('massa-web3 on the devnet node: contracts', () => {
  let face: Web3Face
  let counter: SmartContract

  before(async () => {
    face = await openWeb3Face()
    counter = await face.deploy(COUNTER, u64(1n), { coins: 2n * MAS })
  })

  after(() => face.close())

  const count = async () => new Args((await counter.read('count')).value).nextU64()

  it('a deployed contract has an address, the coins sent along and what its constructor wrote', async () => {
    assert.match(counter.address, /^AS/)
    assert(((await counter.balance(false)) ?? 0n) > 0n)
    assert.equal(await count(), 1n)
  })

  it('a contract deployed and waited for is final', async () => {
    const contract = await face.deploy(COUNTER, u64(1n), { coins: MAS, waitFinalExecution: true })
    assert.deepEqual(await face.api.getAddressesBytecode({ address: contract.address, is_final: true }), COUNTER)
  })

  it('error: a constructor that throws fails the deployment with its words', async () => {
    await assert.rejects(face.deploy(COUNTER, new Args(), { coins: MAS }), /NO_START/)
  })

  it('error: who cannot pay for a deployment does not send it', async () => {
    const nobody = await face.providerOf(NOBODY)
    await assert.rejects(SmartContract.deploy(nobody, COUNTER, u64(1n), { coins: MAS }), /[Ii]nsufficient balance/)
  })

  it('a call changes the contract and says so in an event', async () => {
    const before = await count()
    const operation = await counter.call('increment', STEP)
    face.execute()
    assert.equal(await operation.getStatus(), OperationStatus.SpeculativeSuccess)
    assert.equal(await count(), before + 5n)
    const [event] = await operation.getSpeculativeEvents()
    assert.equal(event?.data, `COUNTED:${ALICE.address},${before + 5n}`)
  })

  it('coins of a call go to the contract', async () => {
    const before = await counter.balance(false)
    await counter.call('increment', STEP, { coins: Mas.fromString('0.25') })
    face.execute()
    assert.equal(await counter.balance(false), before + MAS / 4n)
  })

  it('a contract knows who called it', async () => {
    const bob = new SmartContract(await face.providerOf(BOB), counter.address)
    const operation = await bob.call('increment', STEP)
    face.execute()
    const [event] = await face.provider.getEvents({ operationId: operation.id })
    assert.match(event?.data ?? '', new RegExp(`^COUNTED:${BOB.address},`))
  })

  it('a contract that calls another counts both, and passes its coins on', async () => {
    const other = await face.deploy(COUNTER, u64(100n), { coins: MAS })
    const before = await other.balance(false)
    const args = new Args().addString(other.address).addU64(7n).addU64(1_000n)
    await counter.call('incrementBoth', args, { coins: MAS / 10n })
    face.execute()
    assert.equal(new Args((await other.read('count')).value).nextU64(), 107n)
    assert.equal(await other.balance(false), before + MAS / 10n)
  })

  it('a read-only call returns a value, its gas and events, and changes nothing', async () => {
    const before = await count()
    const { value, info } = await counter.read('increment', STEP, { caller: ALICE.address })
    assert.equal(new Args(value).nextU64(), before + 5n)
    assert(info.gasCost >= 2_100_000)
    assert.equal(info.events.length, 1)
    assert.equal(info.error, undefined)
    assert.equal(await count(), before)
  })

  it('error: a read-only call that fails says why in its answer', async () => {
    assert.match((await counter.read('increment')).info.error ?? '', /NO_STEP/)
    assert.match((await counter.read('nowhere')).info.error ?? '', /Missing export nowhere/)
    const nothing = new SmartContract(face.provider, BOB.address)
    assert.match((await nothing.read('count')).info.error ?? '', /is not a smart contract address/)
  })

  it('error: a call that would throw is not sent', async () => {
    await assert.rejects(counter.call('increment'), /NO_STEP/)
    await assert.rejects(counter.call('nowhere'), /Missing export nowhere/)
    assert.equal(face.chain.poolSize, 0)
  })

  it('error: a call that throws in its block fails, and what it wrote is undone', async () => {
    const before = await count()
    const operation = await counter.call('increment', new Args(), { maxGas: 50_000_000n })
    face.execute()
    assert.equal(await operation.getStatus(), OperationStatus.SpeculativeError)
    const [event] = await operation.getSpeculativeEvents()
    assert.match(event?.data ?? '', /massa_execution_error.*NO_STEP/)
    assert.equal(await count(), before)
  })

  it('error: gas below the least or above a block is refused', async () => {
    await assert.rejects(counter.call('increment', STEP, { maxGas: 1_000n }), /below the minimum/)
    await assert.rejects(counter.call('increment', STEP, { maxGas: 5_000_000_000n }), /higher than the maximum/)
  })

  it('estimated gas is what the call needs and a fifth more', async () => {
    const { info } = await counter.read('increment', STEP, { caller: ALICE.address })
    const params = { target: counter.address, func: 'increment', parameter: STEP, caller: ALICE.address }
    assert.equal(await face.provider.getGasEstimation(params), (BigInt(info.gasCost) * 120n) / 100n)
  })

  it('several read-only calls are answered in order', async () => {
    const params = { target: counter.address, parameter: new Uint8Array(), caller: ALICE.address }
    const answers = await face.api.executeMultipleReadOnlyCall([
      { ...params, func: 'count' },
      { ...params, func: 'nowhere' },
    ])
    assert.equal(answers.length, 2)
    assert.equal(answers[0]?.info.error, undefined)
    assert.match(answers[1]?.info.error ?? '', /nowhere/)
  })

  it('error: bytecode that has no main fails in its block', async () => {
    const operation = await face.provider.executeSC({ byteCode: COUNTER, maxGas: 50_000_000n, fee: MAS / 10n })
    face.execute()
    assert.equal(await operation.getStatus(), OperationStatus.SpeculativeError)
    const [event] = await face.provider.getEvents({ operationId: operation.id })
    assert.match(event?.data ?? '', /Missing export main/)
  })

  it('error: bytecode tried read-only says what fails', async () => {
    await assert.rejects(
      face.provider.executeSCReadOnly({ byteCode: COUNTER, caller: ALICE.address }),
      /Missing export main/,
    )
  })

  it('bytecode of an address that is no contract is empty', async () => {
    const found = await face.api.executeMultipleGetAddressesBytecode([
      { address: counter.address, is_final: false },
      { address: BOB.address, is_final: false },
    ])
    assert.deepEqual(found, [COUNTER, new Uint8Array()])
  })

  it('error: a read-only call with a fee below the least is not tried', async () => {
    const params = { target: counter.address, func: 'count', parameter: new Uint8Array(), caller: ALICE.address }
    const { info } = await face.api.executeReadOnlyCall({ ...params, fee: 1n })
    assert.equal(info.error, 'fee is too low provided: 0.000000001 , minimal_fees required: 0.01')
  })

  it('a public provider without an account reads contracts', async () => {
    const { JsonRpcProvider } = await import('@massalabs/massa-web3')
    const contract = new SmartContract(JsonRpcProvider.fromRPCUrl(face.url), counter.address)
    assert.equal(new Args((await contract.read('count')).value).nextU64(), await count())
  })

  it('a call booked for a later slot is quoted, found by id and by slot, and runs there', async () => {
    const probe = await face.deploy(PROBE, new Args(), { coins: 10n * MAS })
    const period = (await face.api.fetchPeriod()) + 20
    const target_slot = { period, thread: 5 }
    const request = { target_slot, max_gas_request: 20_000_000, params_size: 0 }
    const [quote] = await new PublicAPI(face.url).deferredCallQuote([request])
    assert.equal(quote?.available, true)
    const operation = await probe.call(
      'defer',
      new Args().addString('hello').addU64(BigInt(period)).addU64(20_000_000n),
      {
        coins: 5n * MAS,
      },
    )
    face.execute()
    const [booked] = await operation.getSpeculativeEvents()
    const id = booked?.data.replace('DEFER:', '') ?? ''
    const [info] = (await face.api.deferredCallsInfo([id])) as unknown as [{ call: Record<string, unknown> }]
    assert.equal(info.call.target_function, 'hello')
    assert.equal(info.call.fee, quote?.price)
    assert.deepEqual(await face.api.deferredCallsBySlot([target_slot]), [{ slot: target_slot, call_ids: [id] }])
    face.pass(22)
    const events = await face.provider.getEvents({ smartContractAddress: probe.address })
    assert(events.some(({ data }) => data === `HELLO ${probe.address}`))
    await assert.rejects(face.api.deferredCallsInfo([id]), /Not found: Deferred call id/)
  })

  it('a slot that has passed cannot be booked', async () => {
    const request = { target_slot: { period: 1, thread: 0 }, max_gas_request: 1, params_size: 0 }
    const [quote] = await face.api.deferredCallQuote([request])
    assert.deepEqual([quote?.available, quote?.price], [false, '0'])
  })
})

describe('massa-web3 on the devnet node: what contracts store', () => {
  let face: Web3Face
  let contract: string

  before(async () => {
    face = await openWeb3Face()
    contract = face.chain.engine.placeContract(COUNTER, MAS)
    const { ledger } = face.chain.engine
    for (const key of ['key a', 'key b', 'other']) ledger.setValue(contract, Buffer.from(key), Buffer.from(`of ${key}`))
    ledger.setValue(contract, Buffer.from('empty'), new Uint8Array())
    for (let i = 0; i < 1_100; i++) ledger.setValue(contract, Buffer.from(`many ${i}`), Uint8Array.of(1))
  })

  after(() => face.close())

  const texts = (keys: readonly Uint8Array[]) => keys.map((key) => bytesToStr(key))

  it('values are read by key, in the order asked for; an absent one is null', async () => {
    const values = await face.provider.readStorage(contract, ['key b', 'none', 'key a'], false)
    assert.deepEqual(
      values.map((value) => value && bytesToStr(value)),
      ['of key b', null, 'of key a'],
    )
  })

  it('a value that is empty is not absent', async () => {
    assert.deepEqual(await face.provider.readStorage(contract, ['empty'], false), [new Uint8Array()])
  })

  it('what is not final is in candidate state alone', async () => {
    assert.deepEqual(await face.provider.readStorage(contract, ['key a']), [null])
    await assert.rejects(
      face.provider.getStorageKeys(contract, 'key'),
      new RegExp(`execution error: Not found: Account ${contract}`),
    )
  })

  it('keys are found by prefix, sorted', async () => {
    assert.deepEqual(texts(await face.provider.getStorageKeys(contract, 'key', false)), ['key a', 'key b'])
  })

  it('more keys than one answer holds are all found', async () => {
    assert.equal((await face.provider.getStorageKeys(contract, 'many', false)).length, 1_100)
  })

  it('keys are found between bounds, with and without them, and no more than asked for', async () => {
    const query = { address: contract, final: false, startKey: 'key a', endKey: 'other' }
    const keysOf = async (more: object) =>
      texts((await face.api.getAddressesDatastoreKeys([{ ...query, ...more }]))[0]?.keys ?? [])
    assert.deepEqual(await keysOf({ maxCount: 2 }), ['key a', 'key b'])
    assert.deepEqual(await keysOf({ inclusiveStartKey: false, maxCount: 1 }), ['key b'])
    assert.deepEqual(await keysOf({ startKey: 'key b', inclusiveStartKey: false, endKey: 'many 0' }), ['many 0'])
    assert.deepEqual(
      await keysOf({ startKey: 'key b', inclusiveStartKey: false, endKey: 'many 0', inclusiveEndKey: false }),
      [],
    )
  })

  it('error: more keys than a node answers at once are refused', async () => {
    await assert.rejects(
      face.api.getAddressesDatastoreKeys([{ address: contract, maxCount: 501 }]),
      /max item count in datastore key query is 500 but 501 items were queried/,
    )
  })

  it('one entry, and entries of several contracts', async () => {
    assert.deepEqual(await face.api.getDatastoreEntry('key a', contract, false), strToBytes('of key a'))
    const entries = [
      { address: contract, key: 'other' },
      { address: BOB.address, key: 'other' },
    ]
    assert.deepEqual(await face.api.getDatastoreEntries(entries, false), [strToBytes('of other'), null])
  })
})
