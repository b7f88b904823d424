import assert from 'node:assert/strict'
import {
  GetOperationsRequestCodec,
  GetOperationsResponseCodec,
  QueryStateRequestCodec,
  QueryStateResponseCodec,
  slotOfIndex,
  THREAD_COUNT,
} from '../../../core/index.ts'
import {
  type DevnetChain,
  type GrpcServer,
  type JsonRpcServer,
  startGrpcServer,
  startJsonRpcServer,
} from '../../../devnet/node/index.ts'
import { GrpcCaller } from '../grpc-caller.ts'
import { ALICE, indexOf, openChain, pass, send, transfer } from './chain/made-chain.ts'
import { clockOf } from './grpc/grpc-node.ts'

const KEPT_PERIODS = 2
const KEPT_PERIODS_WITHOUT_OPS = 4
const WINDOWS = {
  endorsements: 0,
  deltaF0: 2,
  forceKeepFinalPeriods: KEPT_PERIODS,
  forceKeepFinalPeriodsWithoutOps: KEPT_PERIODS_WITHOUT_OPS,
}
const SUCCESS = 1

/** A block, and an operation in it. */
interface Included {
  readonly block: string
  readonly operation: string
  readonly index: number
}

describe('devnet/node: what a node forgets', () => {
  let chain: DevnetChain
  const faces: { grpc: GrpcServer; jsonRpc: JsonRpcServer; caller: GrpcCaller }[] = []

  beforeEach(() => {
    chain = openChain(WINDOWS)
  })

  afterEach(async () => {
    for (const { grpc, jsonRpc, caller } of faces.splice(0)) {
      caller.close()
      await Promise.all([grpc.close(), jsonRpc.close()])
    }
    await chain.close()
  })

  async function open(shown: DevnetChain) {
    const modules = { chain: shown, clock: clockOf(chain) }
    const grpc = await startGrpcServer(modules)
    const jsonRpc = await startJsonRpcServer(modules)
    const face = { grpc, jsonRpc, caller: new GrpcCaller(grpc.url) }
    faces.push(face)
    return face
  }
  type Face = Awaited<ReturnType<typeof open>>

  async function call(face: Face, method: string, params: readonly unknown[]): Promise<unknown> {
    const answer = await fetch(face.jsonRpc.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    })
    return ((await answer.json()) as { result: unknown }).result
  }

  async function include(): Promise<Included> {
    const operation = send(chain, ALICE, transfer(BigInt(indexOf(chain))))
    for (;;) {
      await pass(chain, 1)
      const [block] = chain.operations.get(operation)?.inBlocks ?? []
      if (block !== undefined) return { block, operation, index: indexOf(chain) }
    }
  }

  /** Passes slots until the newest final block of the thread is so many periods past this one. */
  async function passPeriods({ index }: Included, periods: number): Promise<void> {
    const { period, thread } = slotOfIndex(index)
    const newest = () => chain.latestFinalBlocks.find(({ slot }) => slot.thread === thread)?.slot.period ?? 0
    while (newest() < period + periods) await pass(chain, 1)
    assert.equal(newest(), period + periods)
  }

  /** By every call that could show it. */
  async function look(face: Face, { block, operation, index }: Included) {
    const slot = slotOfIndex(index)
    const found = GetOperationsResponseCodec.decode(
      await face.caller.call('GetOperations', GetOperationsRequestCodec.encode({ operationIds: [operation] })),
    )
    return {
      GetBlocks: await face.caller.countBlocks([block]),
      SearchBlocks: (await face.caller.search(slot, slotOfIndex(index + 1))).has(block),
      GetOperations: (found.wrappedOperations ?? []).length,
      get_blocks: ((await call(face, 'get_blocks', [[block]])) as unknown[]).length,
      get_blockclique_block_by_slot: (await call(face, 'get_blockclique_block_by_slot', [slot])) !== null,
      get_operations: ((await call(face, 'get_operations', [[operation]])) as unknown[]).length,
    }
  }

  async function isInGraph(face: Face, { block }: Included): Promise<boolean> {
    const listed = (await call(face, 'get_graph_interval', [{}])) as { id: string }[]
    return listed.some(({ id }) => id === block)
  }

  async function findOutcome(face: Face, { operation }: Included): Promise<number | undefined> {
    const request = QueryStateRequestCodec.encode({ queries: [{ opExecutionStatusFinal: { operationId: operation } }] })
    const { responses } = QueryStateResponseCodec.decode(await face.caller.call('QueryState', request))
    return responses?.[0]?.result?.executionStatus
  }

  const SHOWN = {
    GetBlocks: 1,
    SearchBlocks: true,
    GetOperations: 1,
    get_blocks: 1,
    get_blockclique_block_by_slot: true,
    get_operations: 1,
  }
  const GONE = {
    GetBlocks: 0,
    SearchBlocks: false,
    GetOperations: 0,
    get_blocks: 0,
    get_blockclique_block_by_slot: false,
    get_operations: 0,
  }

  it('limit: a final block and its operations, when the third later one of its thread is final; its header later', async () => {
    const face = await open(chain)
    const included = await include()
    await passPeriods(included, KEPT_PERIODS)
    assert.deepEqual(await look(face, included), SHOWN)
    await passPeriods(included, KEPT_PERIODS + 1)
    assert.deepEqual(await look(face, included), GONE)
    assert.equal(await findOutcome(face, included), SUCCESS)
    await passPeriods(included, KEPT_PERIODS_WITHOUT_OPS)
    assert.equal(await isInGraph(face, included), true)
    await passPeriods(included, KEPT_PERIODS_WITHOUT_OPS + 1)
    assert.equal(await isInGraph(face, included), false)
  })

  it('nothing that is not final, however old, and nothing while its thread has no later final block', async () => {
    const face = await open(chain)
    const included = await include()
    const { thread } = slotOfIndex(included.index)
    chain.missNext(thread, 2 * KEPT_PERIODS_WITHOUT_OPS)
    await pass(chain, 2 * KEPT_PERIODS_WITHOUT_OPS * THREAD_COUNT)
    assert(chain.isFinal(included.index))
    assert.deepEqual(await look(face, included), SHOWN)
  })

  it('limit: at a restart, final blocks but the newest of each thread and two generations before it; state stays', async () => {
    const wide = openChain({ ...WINDOWS, forceKeepFinalPeriods: 5, forceKeepFinalPeriodsWithoutOps: 32 })
    await chain.close()
    chain = wide
    const face = await open(chain)
    const old = await include()
    await passPeriods(old, 1)
    const young = await include()
    await passPeriods(old, 3)
    assert.equal(slotOfIndex(young.index).thread, slotOfIndex(old.index).thread)
    assert(slotOfIndex(young.index).period > slotOfIndex(old.index).period)
    const after = await include()
    assert.deepEqual([await look(face, old), chain.isFinal(young.index)], [SHOWN, true])
    assert(!chain.isFinal(after.index))
    await chain.forgetHistory()
    const finals = chain.listGraph(0, Number.POSITIVE_INFINITY).filter(({ isFinal }) => isFinal)
    assert.equal(finals.length, 3 * THREAD_COUNT)
    assert.deepEqual(await look(face, old), GONE)
    assert.equal(await isInGraph(face, old), false)
    assert.equal(await findOutcome(face, old), SUCCESS)
    for (const kept of [young, after, await include()]) assert.deepEqual(await look(face, kept), SHOWN)
  })

  it('at a restart, what was counted of the last minute, and final events', async () => {
    await chain.close()
    chain = openChain({ endorsements: 0, deltaF0: 40 })
    const face = await open(chain)
    type Counted = { consensus_stats: { final_block_count: number } }
    const count = async () => ((await call(face, 'get_status', [])) as Counted).consensus_stats.final_block_count
    send(chain, ALICE, { kind: 'roll-sell', rollCount: 1n })
    await pass(chain, 8 * THREAD_COUNT)
    const late = send(chain, ALICE, { kind: 'roll-sell', rollCount: 2n })
    while (chain.events.length < 2) await pass(chain, 1)
    assert.equal(await count(), 120)
    await chain.forgetHistory()
    assert.deepEqual(
      chain.events.map(({ event }) => event.originOperationId),
      [late],
    )
    assert((await count()) <= 3 * THREAD_COUNT)
    await pass(chain, 8 * THREAD_COUNT)
    assert.equal(await count(), 120)
  })
})
