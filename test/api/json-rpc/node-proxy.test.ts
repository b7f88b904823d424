import assert from 'node:assert/strict'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Args, OperationStatus, SmartContract } from '@massalabs/massa-web3'
import type { FastifyInstance } from 'fastify'
import { createApi, listen, NodeProxy } from '../../../api/index.ts'
import { MAS } from '../../devnet/node/face.ts'
import { ALICE, BOB, COUNTER, openWeb3Face, type Web3Face } from '../../devnet/node/massa-web3/web3-face.ts'
import { archiveChain } from './chain-archive.ts'
import type { MadeArchive } from './made-archive.ts'
import { type Client, connect } from './web3-cases.ts'

const NEVER = new AbortController().signal
const ANSWER_LIMIT = 52_428_800

function openArchive({ network, history }: MadeArchive, node: NodeProxy, nowMs: () => number): FastifyInstance {
  return createApi({
    dataDirNames: new Set(),
    status: async () => ({ problems: [] }),
    query: {} as never,
    history: { history, identity: { network, version: 'massa-storage/test', nodeId: 'N1' }, nowMs, node },
  })
}

describe('massa-web3 at an archive that passes on to its node what is no history', function () {
  this.timeout(60_000)
  let face: Web3Face
  let archive: FastifyInstance
  let client: Client
  let counter: string
  let archived: string
  let recent: string

  before(async () => {
    face = await openWeb3Face({ endorsements: 1, deltaF0: 128, skipsEmptyBlocks: false })
    const contract = await face.deploy(COUNTER, new Args().addU64(0n), { coins: MAS })
    counter = contract.address
    archived = (await contract.call('increment', new Args().addU64(1n))).id
    face.execute()
    face.pass(4)
    await face.api.status()
    const made = await archiveChain(face.chain)
    recent = (await contract.call('increment', new Args().addU64(2n))).id
    face.execute()
    archive = openArchive(made, new NodeProxy({ url: face.url }), () => face.clock.nowMs())
    client = connect(await listen(archive, { host: '127.0.0.1', port: 0 }))
  })

  after(async () => {
    await archive.close()
    await face.close()
  })

  it('operations that are archived, that are not yet, and that nobody knows, in one answer', async () => {
    const unknown = 'O12fxbmaVz5rophPjVFta7Ckhc6sMJJV9BSe1FNNRfPbr6Z4SSN1'
    const found = await client.api.getOperations([recent, unknown, archived, recent])
    assert.deepEqual(
      found.map(({ id, is_operation_final: isFinal }) => [id, isFinal]),
      [
        [recent, false],
        [archived, true],
        [recent, false],
      ],
    )
    assert.equal(await client.api.getOperationStatus(recent), OperationStatus.SpeculativeSuccess)
  })

  it('blocks by id and by slot, graph and events go on where the archive ends', async () => {
    const newest = face.chain.bestParents[0] ?? assert.fail('no block')
    assert.equal((await client.api.getBlock(newest.id)).id, newest.id)
    assert.equal((await client.api.getBlockcliqueBlock(newest.slot))?.header.id, newest.id)
    const end = face.clock.nowMs()
    const start = end - 6 * 16_000
    const slotsOf = (blocks: { slot: { period: number; thread: number } }[]) =>
      blocks.map(({ slot }) => slot.period * 32 + slot.thread)
    const graph = slotsOf(await client.api.getGraphInterval(start, end))
    const ofNode = slotsOf(await face.api.getGraphInterval(start, end))
    assert.deepEqual(graph.toSorted(), ofNode.toSorted())
    const filter = { smartContractAddress: counter }
    assert.deepEqual(await client.provider.getEvents(filter), await face.provider.getEvents(filter))
    assert.equal((await client.provider.getEvents({ operationId: recent })).length, 1)
  })

  it('state is the business of the node: balances, reading contracts, stakers, its status', async () => {
    assert.deepEqual(await client.api.getAddressInfo(ALICE.address), await face.api.getAddressInfo(ALICE.address))
    assert.equal(new Args((await new SmartContract(client.provider, counter).read('count')).value).nextU64(), 3n)
    const page = { limit: 10, offset: 0 }
    assert.deepEqual(await client.api.getStakers(page), await face.api.getStakers(page))
    assert.deepEqual(await client.api.status(), await face.api.status())
  })

  it('the error of the node is that of the archive', async () => {
    await assert.rejects(
      client.api.getSlotTransfers({ period: 1, thread: 0 }),
      /feature execution-trace is not enabled/,
    )
  })

  it('error: nothing of the private port is passed on', async () => {
    const payload = { jsonrpc: '2.0', id: 1, method: 'stop_node', params: [] }
    const answer = await archive.inject({ method: 'POST', url: '/', payload })
    assert.match(answer.body, /"code":-32601,"message":"Method not found: this is an archive/)
  })

  it('an operation is sent, and followed until it is final, at the archive alone', async () => {
    const provider = Object.assign(Object.create(face.provider), { client: client.api }) as typeof face.provider
    const operation = await provider.transfer(BOB.address, MAS)
    assert.equal(await client.api.getOperationStatus(operation.id), OperationStatus.NotFound)
    face.finalize()
    assert.equal(await client.api.getOperationStatus(operation.id), OperationStatus.Success)
  })
})

describe('api/json-rpc/node-proxy: nodes that are none', () => {
  let server: Server
  let listener: RequestListener
  let url: string

  before(async () => {
    server = createServer((request, response) => listener(request, response))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })

  after(() => {
    server.closeAllConnections()
    server.close()
  })

  const ask = () => new NodeProxy({ url }).list('get_operations', [[]], NEVER)

  it('digits of numbers beyond 2^53 are kept', async () => {
    listener = (_request, response) => response.end('{"result":[18446744073709551615,{"a":1e400}],"id":1}')
    assert.deepEqual(await ask(), ['18446744073709551615', '{"a":1e400}'])
  })

  for (const [what, answer] of [
    ['no JSON', '<html>'],
    ['no object', '[1]'],
    ['no result', '{"jsonrpc":"2.0","id":1}'],
    ['no list', '{"jsonrpc":"2.0","id":1,"result":{}}'],
    ['no text', Buffer.from([0x22, 0xff, 0x22])],
  ] as const) {
    it(`error: ${what} is told as the node's failure`, async () => {
      listener = (_request, response) => response.end(answer)
      await assert.rejects(ask(), { code: -32001, message: /the node of this archive was asked/ })
    })
  }

  it('limit: answers of 50 MiB, and not a byte more is kept', async () => {
    listener = (_request, response) => {
      const chunk = Buffer.alloc(1_048_576, 'a')
      response.write('{"result":["')
      for (let i = 0; i * chunk.length <= ANSWER_LIMIT; i++) response.write(chunk)
      response.end('"]}')
    }
    await assert.rejects(ask(), { code: -32001, message: /its answer is too long/ })
  })

  it('error: a redirect is not followed', async () => {
    listener = (_request, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end()
    await assert.rejects(ask(), { code: -32001, message: /it does not answer/ })
  })

  it('limit: a node that never answers is waited for no longer than it may take', async () => {
    listener = () => {}
    const hasty = new NodeProxy({ url, timeoutMs: 1 })
    await assert.rejects(hasty.call('get_status', [], NEVER), { code: -32001, message: /it does not answer/ })
  })

  it('error: a node that is not there', async () => {
    const none = new NodeProxy({ url: 'http://127.0.0.1:1' })
    await assert.rejects(none.call('get_status', [], NEVER), { code: -32001, message: /it does not answer/ })
  })
})
