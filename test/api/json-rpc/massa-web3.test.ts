import assert from 'node:assert/strict'
import { Args, OperationStatus } from '@massalabs/massa-web3'
import type { FastifyInstance } from 'fastify'
import { createApi, listen } from '../../../api/index.ts'
import { slotOfIndex, THREAD_COUNT } from '../../../core/index.ts'
import { listEndorsements } from '../../../devnet/node/json-rpc/forms/block-form.ts'
import { MAS } from '../../devnet/node/face.ts'
import { ALICE, BOB, COUNTER, openWeb3Face, type Web3Face } from '../../devnet/node/massa-web3/web3-face.ts'
import { archiveChain } from './chain-archive.ts'
import {
  CASES,
  type Case,
  type Client,
  connect,
  type Known,
  listSent,
  OF_OPERATIONS,
  SENT,
  type Sent,
} from './web3-cases.ts'

describe('massa-web3 at an archive and at the node that it is of', function () {
  this.timeout(60_000)
  let face: Web3Face
  let archive: FastifyInstance
  let known: Known
  let atNode: Client
  let atArchive: Client

  before(async () => {
    face = await openWeb3Face({ endorsements: 2, deltaF0: 192, skipsEmptyBlocks: false, missRate: 0.1 })
    const { operations, counter } = await send(face)
    face.pass(4)
    await face.api.status()
    const { network, periods, history } = await archiveChain(face.chain)
    archive = createApi({
      dataDirNames: new Set(),
      status: async () => ({ problems: [] }),
      query: {} as never,
      history: {
        history,
        identity: { network, version: 'massa-storage/test', nodeId: 'N1' },
        nowMs: () => face.clock.nowMs(),
      },
    })
    atNode = connect(face.url)
    atArchive = connect(await listen(archive, { host: '127.0.0.1', port: 0 }))
    known = { ...know(face, periods), operations, counter }
  })

  after(async () => {
    await archive.close()
    await face.close()
  })

  it('there are more than forty cases, each of its own name', () => {
    assert(CASES.length >= 40)
    assert.equal(new Set(CASES.map(([name]) => name)).size, CASES.length)
  })

  it('the operations are what they are meant to be, and archived', async () => {
    const { api } = atArchive
    for (const sent of SENT) {
      const status = await api.getOperationStatus(known.operations[sent])
      assert.equal(status, sent.startsWith('failed') ? OperationStatus.Error : OperationStatus.Success, sent)
    }
    const { start, end, counter } = known
    assert.equal((await api.getEvents({ start, end, smartContractAddress: counter })).length, 2)
    assert(known.blocks.length > 32 && known.endorsements.length >= 128)
  })

  for (const [name, ask] of CASES) {
    it(name, async () => {
      const [ofNode, ofArchive] = await Promise.all([outcome(ask, atNode), outcome(ask, atArchive)])
      assert.deepEqual(ofArchive, ofNode)
      assert.equal('error' in ofNode, name.startsWith('error'))
    })
  }

  it('error: what is no history is refused, with a sentence', async () => {
    await assert.rejects(atArchive.api.getAddressInfo(ALICE.address), /Method not found: this is an archive/)
    await assert.rejects(atArchive.api.getSlotTransfers(known.made), /this is an archive of final history/)
  })

  it('what the node has forgotten is answered as before', async () => {
    const before = await Promise.all(OF_OPERATIONS.map(([, ask]) => outcome(ask, atArchive)))
    face.pass(20)
    assert.deepEqual(await atNode.api.getOperations(listSent(known)), [])
    assert.deepEqual(await Promise.all(OF_OPERATIONS.map(([, ask]) => outcome(ask, atArchive))), before)
  })

  async function outcome(ask: Case[1], client: Client): Promise<{ value: unknown } | { error: string }> {
    try {
      return { value: await ask(client, known) }
    } catch (error) {
      return { error: String(error) }
    }
  }
})

/** One of each kind, in one period or two. */
async function send(face: Web3Face): Promise<{ operations: Record<Sent, string>; counter: string }> {
  const counter = await face.deploy(COUNTER, new Args().addU64(0n), { coins: MAS })
  const step = new Args().addU64(1n)
  // A node shows the keys sorted.
  const datastore = new Map([9, 3, 5].map((key) => [Uint8Array.of(key), Uint8Array.of(1)]))
  const operations = {
    transfer: (await face.provider.transfer(BOB.address, MAS)).id,
    call: (await counter.call('increment', step)).id,
    'failed call': (await counter.call('increment', new Args(), { maxGas: 50_000_000n })).id,
    'roll buy': (await face.provider.buyRolls(1n)).id,
    'failed roll sale': (await (await face.providerOf(BOB)).sellRolls(1n)).id,
    'failed bytecode': (await face.provider.executeSC({ byteCode: COUNTER, maxGas: 50_000_000n })).id,
    'failed bytecode with a datastore in disorder': (
      await face.provider.executeSC({ byteCode: COUNTER, maxGas: 50_000_000n, datastore })
    ).id,
  }
  face.execute()
  return { operations, counter: counter.address }
}

function know({ chain }: Web3Face, periods: readonly number[]): Omit<Known, 'operations' | 'counter'> {
  const [first, last] = [periods[0] ?? assert.fail('nothing archived'), periods.at(-1) ?? 0]
  const blocks = chain.listBlocks(first * THREAD_COUNT, (last + 1) * THREAD_COUNT)
  const made = new Set(blocks.map(({ slotIndex }) => slotIndex))
  const slots = Array.from({ length: periods.length * THREAD_COUNT }, (_, i) => first * THREAD_COUNT + i)
  return {
    blocks: blocks.map(({ id }) => id),
    endorsements: blocks.flatMap((block) => listEndorsements(block).map(({ id }) => id)),
    made: blocks[0]?.slot ?? assert.fail('no block'),
    missed: slotOfIndex(slots.find((index) => !made.has(index)) ?? assert.fail('no slot is missed')),
    start: { period: first, thread: 0 },
    end: { period: last + 1, thread: 0 },
  }
}
