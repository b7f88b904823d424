import assert from 'node:assert/strict'
import {
  Account,
  Address,
  JsonRpcProvider,
  OperationManager,
  OperationStatus,
  OperationType,
} from '@massalabs/massa-web3'
import { MAS, makeRequestClock, startFace } from '../face.ts'
import { ALICE, BOB, openWeb3Face, type Web3Face } from './web3-face.ts'

/** massa-web3 looks every 500 ms for a minute, unless told otherwise. */
const POLL_MS = 500
const DEFAULT_POLLS = 60_000 / POLL_MS

describe('massa-web3 on the devnet node: operations', () => {
  let face: Web3Face

  beforeEach(async () => {
    face = await openWeb3Face()
  })

  afterEach(() => face.close())

  it('an operation goes from the pool through speculative to final', async () => {
    const operation = await face.provider.transfer(BOB.address, MAS)
    // massa-web3 says this of an operation that nobody executed yet.
    assert.equal(await operation.getStatus(), OperationStatus.NotFound)
    assert.equal((await face.api.getOperation(operation.id)).in_pool, true)
    face.execute()
    assert.equal(await operation.getStatus(), OperationStatus.SpeculativeSuccess)
    face.finalize()
    assert.equal(await operation.getStatus(), OperationStatus.Success)
  })

  it('an operation comes back with what was sent, its signature and its block', async () => {
    const operation = await face.provider.transfer(BOB.address, 5n * MAS)
    face.execute()
    const found = await face.api.getOperation(operation.id)
    assert.equal(found.id, operation.id)
    assert.equal(found.operation.content_creator_address, ALICE.address)
    assert.deepEqual(found.operation.content.op, { Transaction: { recipient_address: BOB.address, amount: '5' } })
    const block = await face.api.getBlock(found.in_blocks[0] ?? '')
    assert(block.content?.block.operations.includes(operation.id))
    assert.equal(block.content?.block.header.content.slot.thread, found.thread)
  })

  it('waiting for speculative execution ends when it is executed', async () => {
    const operation = await face.provider.transfer(BOB.address, MAS)
    const status = await face.whilePassing(() => operation.waitSpeculativeExecution(undefined, 5))
    assert(status >= OperationStatus.SpeculativeSuccess)
  })

  it('waiting for final execution ends for a failure, too', async () => {
    // She has none.
    const operation = await face.provider.sellRolls(1n)
    const status = await face.whilePassing(() => operation.waitFinalExecution(undefined, 5))
    assert.equal(status, OperationStatus.Error)
  })

  it('waiting for a transfer of more than there is ends with NotFound: no block has it', async () => {
    const operation = await face.provider.transfer(BOB.address, 200_000n * MAS)
    face.execute()
    const { in_pool: inPool, in_blocks: inBlocks, op_exec_status: status } = await face.api.getOperation(operation.id)
    assert.deepEqual([inPool, inBlocks, status], [false, [], null])
    face.pass(5)
    assert.equal(await operation.waitFinalExecution(20, 5), OperationStatus.NotFound)
  })

  it('waiting ends with NotFound when time is up', async () => {
    const operation = await face.provider.transfer(BOB.address, MAS)
    assert.equal(await operation.waitFinalExecution(20, 5), OperationStatus.NotFound)
  })

  it('an operation that is not known is NotFound', async () => {
    const id = 'O12fxbmaVz5rophPjVFta7Ckhc6sMJJV9BSe1FNNRfPbr6Z4SSN1'
    assert.equal(await face.provider.getOperationStatus(id), OperationStatus.NotFound)
    assert.equal(await face.api.getOperation(id), undefined)
  })

  it('error: an id that is none is refused', async () => {
    await assert.rejects(face.provider.getOperationStatus('O1'), /Invalid params/)
  })

  it('an operation that nobody included is forgotten when it has expired', async () => {
    const operation = await face.provider.transfer(BOB.address, MAS, { periodToLive: 1 })
    // Too poor for the fee: a producer leaves it out.
    face.chain.engine.ledger.setBalance(ALICE.address, 0n)
    face.pass(5)
    assert.deepEqual(await face.api.getOperations([operation.id]), [])
  })

  it('error: of an operation that has expired the node says that no block will have it', async () => {
    const manager = new OperationManager(face.provider.account.privateKey, face.api)
    const details = { fee: MAS, expirePeriod: 0, type: OperationType.Transaction, amount: 1n }
    const recipientAddress = Address.fromString(BOB.address)
    await assert.rejects(
      manager.send({ ...details, recipientAddress } as Parameters<typeof manager.send>[0]),
      /Inconsistency error: Operation expire_period is lower/,
    )
  })

  it('error: several operations are taken together or not at all', async () => {
    await assert.rejects(
      face.api.sendMultipleOperations([
        { serialized_content: [1], creator_public_key: 'P1', signature: '1' },
        { serialized_content: [2], creator_public_key: 'P1', signature: '1' },
      ]),
      /Invalid params/,
    )
    assert.equal(face.chain.poolSize, 0)
  })
})

describe('massa-web3 on the devnet node: how long it waits', () => {
  /** A node whose time passes `speed` times 500 ms with every look, with the finality of a network that has all its stake. */
  async function countPolls(speed: number, polls: number): Promise<OperationStatus> {
    const clock = makeRequestClock(POLL_MS * speed)
    const face = await startFace(clock, [ALICE], { deltaF0: 64, skipsEmptyBlocks: false })
    try {
      const account = await Account.fromPrivateKey(ALICE.secret)
      const provider = JsonRpcProvider.fromRPCUrl(face.url, account) as JsonRpcProvider
      const operation = await provider.transfer(BOB.address, MAS)
      return await operation.waitFinalExecution(polls, 1)
    } finally {
      await face.close()
    }
  }

  it('waitFinalExecution ends within the looks of its default time-out at speed 4', async () => {
    assert.equal(await countPolls(4, DEFAULT_POLLS), OperationStatus.Success)
  })

  it('waitFinalExecution ends within the looks of 180 s at normal speed', async () => {
    assert.equal(await countPolls(1, 3 * DEFAULT_POLLS), OperationStatus.Success)
  })
})
