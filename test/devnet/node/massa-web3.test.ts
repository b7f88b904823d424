import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { Account, Args, JsonRpcProvider, Mas, OperationStatus, PublicAPI, SmartContract } from '@massalabs/massa-web3'
import { type Face, GENESIS_MS, MAS, makeWallet, SteppedClock, startFace } from './face.ts'

const COUNTER: Uint8Array = readFileSync(new URL('../../fixtures/counter/counter.wasm', import.meta.url))
const ALICE = makeWallet('alice')
const BOB = makeWallet('bob')

describe('devnet/node through massa-web3', () => {
  let face: Face
  let clock: SteppedClock
  let provider: JsonRpcProvider

  beforeEach(async () => {
    clock = new SteppedClock()
    face = await startFace(clock, [ALICE])
    const api = new PublicAPI(face.url, { retry: { retries: 0, delay: 0 } })
    provider = new JsonRpcProvider(api, await Account.fromPrivateKey(ALICE.secret))
  })

  afterEach(() => face.close())

  const period = () => clock.advance(16_000)

  it('says which network it is and how late it is', async () => {
    const info = await provider.networkInfos()
    assert.equal(info.chainId, 77n)
    assert.equal(info.minimalFee, Mas.fromString('0.01'))
    const status = await provider.getNodeStatus()
    assert.equal(status.config.genesisTimestamp, GENESIS_MS)
    assert.deepEqual(status.lastSlot, { period: 1, thread: 8 })
    clock.advance(500)
    assert.deepEqual((await provider.getNodeStatus()).lastSlot, { period: 1, thread: 9 })
  })

  it('takes a transfer, executes it in the next slot of its thread and makes it final later', async () => {
    const operation = await provider.transfer(BOB.address, 5n * MAS)
    assert.equal(await operation.getStatus(), OperationStatus.NotFound)
    period()
    period()
    assert.equal(await operation.getStatus(), OperationStatus.SpeculativeSuccess)
    const [final] = await provider.balanceOf([BOB.address])
    const [candidate] = await provider.balanceOf([BOB.address], false)
    assert.equal(final?.balance, 0n)
    // Whoever makes an address exist pays for it, out of what is sent.
    assert.equal(candidate?.balance, 5n * MAS - 1_000_000n)
    for (let i = 0; i < 4; i++) period()
    assert.equal(await operation.getStatus(), OperationStatus.Success)
    assert.equal((await provider.balanceOf([BOB.address]))[0]?.balance, 5n * MAS - 1_000_000n)
  })

  it('a transfer of more than there is fails, keeps the fee and says why in an event', async () => {
    const before = await provider.balance(false)
    const operation = await provider.transfer(BOB.address, 200_000n * MAS)
    period()
    period()
    assert.equal(await operation.getStatus(), OperationStatus.SpeculativeError)
    assert.equal(await provider.balance(false), before - MAS / 100n)
    const [event] = await operation.getSpeculativeEvents()
    assert.match(event?.data ?? '', /massa_execution_error.*insufficient balance/)
    assert.equal(event?.context.is_error, true)
  })

  it('an operation that nobody included is forgotten when it has expired', async () => {
    const operation = await provider.transfer(BOB.address, 1n)
    const api = provider.client
    assert.equal((await api.getOperations([operation.id]))[0]?.in_pool, true)
    // Too poor for the fee: a producer leaves it out.
    face.chain.engine.ledger.setBalance(ALICE.address, 0n)
    for (let i = 0; i < 13; i++) period()
    assert.deepEqual(await api.getOperations([operation.id]), [])
  })

  it('error: says of an expired operation what a node says', async () => {
    await provider.client.status()
    const late = await provider.client.fetchPeriod()
    for (let i = 0; i < 12; i++) period()
    const { OperationManager, OperationType, Address } = await import('@massalabs/massa-web3')
    const manager = new OperationManager(provider.account.privateKey, provider.client)
    const details = { fee: MAS, expirePeriod: late + 2, type: OperationType.Transaction, amount: 1n }
    await assert.rejects(
      manager.send({ ...details, recipientAddress: Address.fromString(BOB.address) } as Parameters<
        typeof manager.send
      >[0]),
      /Inconsistency error: Operation expire_period is lower/,
    )
  })

  it('error: refuses a fee below the least', async () => {
    await assert.rejects(
      provider.transfer(BOB.address, 1n, { fee: 9_999_999n }),
      /Bad request: fee is too low provided: 0\.009999999 , minimal_fees required: 0\.01/,
    )
  })

  it('reads bytecode, keys and values of a contract, final and not', async () => {
    const address = face.chain.engine.placeContract(COUNTER, MAS)
    face.chain.engine.ledger.setValue(address, Buffer.from('key a'), Buffer.from('1'))
    face.chain.engine.ledger.setValue(address, Buffer.from('key b'), Buffer.from('2'))
    const api = provider.client
    assert.deepEqual(await api.getAddressesBytecode({ address, is_final: false }), Uint8Array.from(COUNTER))
    assert.equal((await api.getAddressesBytecode({ address, is_final: true })).length, 0)
    const keys = await provider.getStorageKeys(address, new TextEncoder().encode('key'), false)
    assert.deepEqual(
      keys.map((key) => Buffer.from(key).toString()),
      ['key a', 'key b'],
    )
    assert.deepEqual(await provider.readStorage(address, ['key b', 'key c'], false), [Uint8Array.of(50), null])
    assert.deepEqual(await provider.readStorage(address, ['key b']), [null])
  })

  it('error: a read-only call of what is not there says so in its answer', async () => {
    const address = face.chain.engine.placeContract(COUNTER, MAS)
    const contract = new SmartContract(provider, address)
    const answer = await contract.read('nothing')
    assert.match(answer.info.error ?? '', /^readonly call failed: .*Missing export nothing$/)
    assert.equal(answer.info.gasCost, 0)
  })
})

describe('devnet/node through massa-web3, waiting by its own clock', () => {
  it('deploys a contract, calls it, and finds its events when they are final', async () => {
    const clock = new SteppedClock()
    // massa-web3 looks twice a second for events that are not final yet: they stay so until the clock is set.
    const face = await startFace(clock, [ALICE], { deltaF0: 100 })
    const ticking = setInterval(() => clock.advance(4_000), 20)
    try {
      const provider = JsonRpcProvider.fromRPCUrl(
        face.url,
        await Account.fromPrivateKey(ALICE.secret),
      ) as JsonRpcProvider
      const contract = await SmartContract.deploy(provider, COUNTER, new Args().addU64(1n), { coins: MAS })
      assert.match(contract.address, /^AS/)
      const operation = await contract.call('increment', new Args().addU64(5n), { coins: MAS / 10n })
      assert.equal(await operation.waitSpeculativeExecution(), OperationStatus.SpeculativeSuccess)
      clock.advance(3_200_000)
      assert.equal(await operation.waitFinalExecution(), OperationStatus.Success)
      const events = await provider.getEvents({ smartContractAddress: contract.address, isFinal: true })
      assert(events.length > 0 && events.every(({ context }) => context.is_final === true))
    } finally {
      clearInterval(ticking)
      await face.close()
    }
  })
})
