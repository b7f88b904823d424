import assert from 'node:assert/strict'
import { Account, Mas, OperationStatus } from '@massalabs/massa-web3'
import { MAS, type Wallet } from '../face.ts'
import { ALICE, BOB, NOBODY, openWeb3Face, type Web3Face } from './web3-face.ts'

const FEE = Mas.fromString('0.01')
/** Whoever makes an address exist pays for it, out of what is sent. */
const ADDRESS_PRICE = Mas.fromString('0.001')

describe('massa-web3 on the devnet node: accounts and coins', () => {
  let face: Web3Face

  beforeEach(async () => {
    face = await openWeb3Face()
  })

  afterEach(() => face.close())

  const balances = async ({ address }: Wallet) => {
    const [final] = await face.provider.balanceOf([address])
    const [candidate] = await face.provider.balanceOf([address], false)
    return { final: final?.balance, candidate: candidate?.balance }
  }

  it('an account has a balance, and one that never got anything has none', async () => {
    assert.equal(await face.provider.balance(), Mas.fromString('100000'))
    assert.equal((await balances(NOBODY)).final, 0n)
  })

  it('balances of several addresses come in the order asked for', async () => {
    const asked = [BOB.address, NOBODY.address, ALICE.address]
    const answered = await face.provider.balanceOf(asked)
    assert.deepEqual(
      answered.map(({ address }) => address),
      asked,
    )
    assert.deepEqual(
      answered.map(({ balance }) => balance),
      [100_000n * MAS, 0n, 100_000n * MAS],
    )
  })

  it('a transfer shows in the candidate balances first and in the final ones later', async () => {
    await face.provider.transfer(BOB.address, Mas.fromString('5'))
    face.execute()
    assert.deepEqual(await balances(BOB), { final: 100_000n * MAS, candidate: 100_005n * MAS })
    face.finalize()
    assert.deepEqual(await balances(BOB), { final: 100_005n * MAS, candidate: 100_005n * MAS })
  })

  it('the sender pays the least fee of the node when he names none', async () => {
    await face.provider.transfer(BOB.address, Mas.fromString('5'))
    face.finalize()
    assert.equal(await face.provider.balance(), 99_995n * MAS - FEE)
  })

  it('the sender pays the fee that he names', async () => {
    await face.provider.transfer(BOB.address, 1n, { fee: Mas.fromString('0.5') })
    face.finalize()
    assert.equal(await face.provider.balance(), 100_000n * MAS - MAS / 2n - 1n)
  })

  it('a transfer to a new address pays for it', async () => {
    await face.provider.transfer(NOBODY.address, Mas.fromString('5'))
    face.finalize()
    assert.equal((await balances(NOBODY)).final, 5n * MAS - ADDRESS_PRICE)
  })

  it('a new account spends what it was sent', async () => {
    const account = await Account.generate()
    await face.provider.transfer(account.address, Mas.fromString('5'))
    face.execute()
    const secret = account.privateKey.toString()
    const provider = await face.providerOf({ secret, seed: new Uint8Array(), address: account.address.toString() })
    await provider.transfer(BOB.address, Mas.fromString('1'))
    face.execute()
    assert.equal(await provider.balance(false), 4n * MAS - ADDRESS_PRICE - FEE)
  })

  it('transfers of one account in one block are all executed', async () => {
    for (const amount of [1n, 2n, 3n]) await face.provider.transfer(BOB.address, amount * MAS)
    face.execute()
    assert.equal((await balances(BOB)).candidate, 100_006n * MAS)
  })

  it('accounts of different threads pay each other in the same period', async () => {
    const bob = await face.providerOf(BOB)
    await face.provider.transfer(BOB.address, 3n * MAS)
    await bob.transfer(ALICE.address, 1n * MAS)
    face.execute()
    assert.equal((await balances(ALICE)).candidate, 99_998n * MAS - FEE)
    assert.equal((await balances(BOB)).candidate, 100_002n * MAS - FEE)
  })

  it('the same operation sent twice is one operation', async () => {
    const first = await face.provider.transfer(BOB.address, 7n)
    const second = await face.provider.transfer(BOB.address, 7n)
    assert.equal(second.id, first.id)
    face.execute()
    assert.equal((await balances(BOB)).candidate, 100_000n * MAS + 7n)
  })

  it('of two transfers of 60 % each the second is in no block, and costs nothing', async () => {
    const first = await face.provider.transfer(BOB.address, 60_000n * MAS)
    const second = await face.provider.transfer(BOB.address, 60_000n * MAS + 1n)
    face.finalize()
    assert.deepEqual(
      [await first.getStatus(), await second.getStatus()],
      [OperationStatus.Success, OperationStatus.NotFound],
    )
    assert.equal(await face.provider.balance(), 40_000n * MAS - FEE)
  })

  it('error: a fee below the least is refused with the words of the node', async () => {
    await assert.rejects(
      face.provider.transfer(BOB.address, 1n, { fee: 9_999_999n }),
      /Bad request: fee is too low provided: 0\.009999999 , minimal_fees required: 0\.01/,
    )
    assert.equal(await face.provider.balance(false), 100_000n * MAS)
  })

  it('error: an amount that is not positive is refused before anything is sent', async () => {
    await assert.rejects(face.provider.transfer(BOB.address, 0n), /positive/)
    assert.equal(face.chain.poolSize, 0)
  })

  it('error: an address that is none is refused with the words of the node', async () => {
    await assert.rejects(face.provider.balanceOf(['AU1']), /Invalid params/)
  })

  it('an account without coins can send nothing that is ever executed', async () => {
    const nobody = await face.providerOf(NOBODY)
    const operation = await nobody.transfer(BOB.address, 1n)
    face.finalize()
    assert.equal(await operation.getStatus(), OperationStatus.NotFound)
    assert.equal((await balances(BOB)).candidate, 100_000n * MAS)
  })
})
