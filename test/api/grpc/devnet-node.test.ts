import assert from 'node:assert/strict'
import type { ServiceError } from '@grpc/grpc-js'
import { NodeClient } from '../../../archiver/index.ts'
import {
  fromU64,
  GetStatusResponseCodec,
  NewSlotExecutionOutputsRequestCodec,
  slotOfIndex,
  THREAD_COUNT,
} from '../../../core/index.ts'
import type { ChainBlock } from '../../../devnet/node/index.ts'
import { readWireFields } from '../../../telemetry/grpc/wire.ts'
import { ALICE, BOB, makeSender, pass, send, transfer } from '../../devnet/node/chain/made-chain.ts'
import { clockOf, type GrpcNode, openGrpcNode } from '../../devnet/node/grpc/grpc-node.ts'
import { archiveChain } from '../json-rpc/chain-archive.ts'
import { decode, encode, type GrpcArchive, openGrpcArchive, rangeOf, readStream } from './grpc-archive.ts'

const STAKER = makeSender('another staker')
const NEWS = ['NewBlocksServer', 'NewFilledBlocksServer', 'NewSlotExecutionOutputsServer'] as const
type News = (typeof NEWS)[number]
const FINAL = NewSlotExecutionOutputsRequestCodec.encode({ filters: [{ status: 2 }] })
/** With a datastore that a node shows in another order than it was sent. */
const FAILING = {
  kind: 'execute-sc',
  maxGas: 10_000_000n,
  maxCoinsNanoMas: 0n,
  bytecode: Uint8Array.of(0),
  datastore: [3, 1, 2].map((key) => ({ key: Uint8Array.of(key), value: Uint8Array.of(9) })),
} as const

describe('api/grpc: an archive and the node that it is of, asked at the same moment', function () {
  this.timeout(60_000)
  let node: GrpcNode
  let client: NodeClient
  let archive: GrpcArchive
  let first: number
  let end: number
  let blocks: ChainBlock[]
  let operationIds: string[]
  const heard = new Map<News, Buffer[]>(NEWS.map((rpc) => [rpc, []]))

  before(async () => {
    const stakers = [ALICE, STAKER].map(({ key }) => ({ key, rolls: 100n }))
    node = await openGrpcNode({ stakers, endorsements: 2, deltaF0: 192, missRate: 0.1 }, { enableBroadcast: true })
    client = new NodeClient({ url: node.server.url, timeoutMs: 10_000 })
    const { chain, caller } = node
    for (const rpc of NEWS) {
      const stream = caller.open(rpc, rpc.includes('Outputs') ? FINAL : undefined)
      stream.on('error', () => {})
      stream.on('data', (message: Buffer) => heard.get(rpc)?.push(message))
    }
    await caller.settle(countHeard)
    await follow(4)
    operationIds = [1n, 2n, 3n].map((amount) => send(chain, ALICE, transfer(amount)))
    operationIds.push(send(chain, BOB, { kind: 'roll-buy', rollCount: 1n }), send(chain, ALICE, FAILING))
    await follow(6)
    const { network, periods, history } = await archiveChain(chain)
    archive = await openGrpcArchive({ history, network, nowMs: clockOf(chain).nowMs() })
    first = (periods[0] ?? assert.fail('nothing is archived')) * THREAD_COUNT
    end = first + periods.length * THREAD_COUNT
    blocks = chain.listBlocks(first, end).filter((block) => chain.blockStatus(block) === 2)
  })

  after(async () => {
    client.close()
    await archive.close()
    await node.close()
  })

  /** Lets so many periods pass, no faster than the streams are read. */
  async function follow(periods: number): Promise<void> {
    for (let i = 0; i < periods; i++) {
      await pass(node.chain, THREAD_COUNT)
      await node.caller.settle(countHeard)
    }
  }

  const countHeard = () => [...heard.values()].reduce((sum, { length }) => sum + length, 0)

  /** Of the archive, and of the node: bytes in base64, or a refusal. */
  async function both(rpc: string, type: string, message: object): Promise<[string | object, string | object]> {
    const ask = ({ caller }: Pick<GrpcNode, 'caller'>) =>
      caller.call(rpc, encode(type, message)).then(
        (answer) => answer.toString('base64'),
        ({ code, details }: ServiceError) => ({ code, details }),
      )
    return [await ask(archive), await ask(node)]
  }

  it('blocks and operations by id: the same bytes, unknown ones left out, in the order of the request', async () => {
    const unknown = 'B127Z9Bqpvw9spCv1t8HJs9ZVhdx5zM5rEymcxXkqdCRM1C6ySQW'
    const blockIds = [blocks[5]?.id, unknown, ...blocks.slice(0, 40).map(({ id }) => id), blocks[5]?.id]
    const ofBlocks = await both('GetBlocks', 'GetBlocksRequest', { blockIds })
    assert.deepEqual(ofBlocks[0], ofBlocks[1])
    assert(String(ofBlocks[0]).length > 10_000)
    const ofOperations = await both('GetOperations', 'GetOperationsRequest', {
      operationIds: [...operationIds].reverse(),
    })
    assert.deepEqual(ofOperations[0], ofOperations[1])
    assert(String(ofOperations[0]).length > 1_000)
  })

  it('searching blocks: by slots, ids and creators, and all of them at once', async () => {
    const slot = (index: number): [number, number] => {
      const { period, thread } = slotOfIndex(index)
      return [period, thread]
    }
    const byRange = rangeOf([first / THREAD_COUNT, 0], slot(end - 40))
    const byCreator = { addresses: { addresses: [STAKER.address] } }
    const byId = { blockIds: { blockIds: blocks.slice(0, 9).map(({ id }) => id) } }
    for (const filters of [[byRange], [byRange, byCreator], [byId], [byId, byCreator, byRange], []]) {
      const [ofArchive, ofNode] = await both('SearchBlocks', 'SearchBlocksRequest', { filters })
      assert.deepEqual(ofArchive, ofNode)
      assert((filters.length === 0) === (typeof ofNode !== 'string'))
    }
  })

  it("status: the node's network, constants and time; the last archived slot for the final one", async () => {
    const [ofArchive, ofNode] = await both('GetStatus', 'GetStatusRequest', {})
    const read = (answer: string | object) =>
      decode('GetStatusResponse', Buffer.from(String(answer), 'base64')).status as Record<string, unknown>
    const OWN = ['nodeId', 'version', 'lastExecutedFinalSlot', 'lastExecutedSpeculativeSlot', 'finalStateFingerprint']
    const withoutOwn = (status: Record<string, unknown>) => {
      // Of this chain, which finds finality sooner.
      const { deltaF0, ...config } = status.config as Record<string, unknown>
      return {
        ...Object.fromEntries(Object.entries(status).filter(([key]) => !OWN.includes(key))),
        config,
        isSet: deltaF0 !== undefined,
      }
    }
    assert.deepEqual(withoutOwn(read(ofArchive)), withoutOwn(read(ofNode)))
    const { status } = GetStatusResponseCodec.decode(Buffer.from(String(ofArchive), 'base64'))
    assert.equal(Number(fromU64(status?.lastExecutedFinalSlot?.period)), end / THREAD_COUNT - 1)
  })

  it("the archiver's own client reads the archive as it reads the node", async () => {
    const slots = [slotOfIndex(first), slotOfIndex(end)] as const
    const found = await archive.client.searchBlocks(...slots)
    assert.deepEqual(
      found,
      (await client.searchBlocks(...slots)).filter(({ final }) => final),
    )
    const ids = found.map(({ id }) => id)
    const list = async (of: NodeClient) => {
      const pulled = []
      for await (const part of of.getBlocks(ids)) pulled.push(...part)
      return pulled
    }
    assert.deepEqual(await list(archive.client), await list(client))
    assert.deepEqual(await archive.client.getOperations(operationIds), await client.getOperations(operationIds))
    const { network } = await client.getStatus()
    assert.deepEqual((await archive.client.getStatus()).network, network)
  })

  for (const rpc of NEWS) {
    it(`${rpc}: what the node told when it happened, told again from a past slot on`, async () => {
      const filters = [rangeOf([first / THREAD_COUNT, 0], [end / THREAD_COUNT, 0])]
      const type = rpc.includes('Outputs') ? 'NewSlotExecutionOutputsRequest' : 'NewBlocksRequest'
      const told = await readStream(archive.caller.open(rpc, encode(type, { filters })))
      const read = rpc.includes('Outputs') ? readOutput : (message: Buffer) => message.toString('base64')
      const known = new Set((heard.get(rpc) ?? []).map((message) => JSON.stringify(read(message))))
      const strange = told.map((message) => JSON.stringify(read(message))).filter((text) => !known.has(text))
      assert.deepEqual(strange, [])
      assert.equal(told.length, rpc.includes('Outputs') ? end - first : blocks.length)
    })
  }

  it('what the node has forgotten is answered as before', async () => {
    const blockIds = blocks.slice(0, 9).map(({ id }) => id)
    const [before] = await both('GetBlocks', 'GetBlocksRequest', { blockIds })
    await pass(node.chain, 6 * THREAD_COUNT)
    const [ofArchive, ofNode] = await both('GetBlocks', 'GetBlocksRequest', { blockIds })
    assert.equal(ofNode, '')
    assert.deepEqual(ofArchive, before)
  })
})

/** Without what is of the state, and in one order. The archive of this chain has no trail hashes. */
function readOutput(message: Buffer): object {
  const { executionOutput, status } = decode('SlotExecutionOutput', readWireFields(message)[0]?.payload ?? message)
  const { stateChanges, ...output } = executionOutput as { readonly stateChanges?: Record<string, unknown> }
  const executed = (stateChanges?.executedOpsChanges ?? []) as { readonly operationId: string }[]
  executed.sort((a, b) => (a.operationId < b.operationId ? -1 : 1))
  return { status, ...output, executed, isKnown: stateChanges !== undefined }
}
