import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { status } from '@grpc/grpc-js'
import { type Clock, isArchiveError, type Slot } from '../../../../core/index.ts'
import { callLocalApi, type LocalApi, startLocalApi } from '../../../../devnet/local-api.ts'
import { makeControlRoutes, NodeProcess, type NodeReport } from '../../../../devnet/node/index.ts'
import { GrpcCaller } from '../../grpc-caller.ts'
import { OPTIONS } from '../chain/made-chain.ts'

const REAL_TIME: Clock = {
  nowMs: () => performance.now(),
  monotonicMs: () => performance.now(),
  sleep: (durationMs, signal) => sleep(durationMs, undefined, { signal }).catch(() => {}),
}
const TOKEN = 'a token'
/** Blocks that cost little, and a chain that is soon far. */
const CHAIN = { ...OPTIONS, endorsements: 0, deltaF0: 40 }

describe('devnet/node/process', function () {
  this.timeout(20_000)
  let dir: string
  let node: NodeProcess
  let control: LocalApi

  const report = async () => (await callLocalApi(access(), 'GET /control')) as NodeReport
  const access = () => ({ url: control.url, token: TOKEN })
  const order = (name: string, body: object = {}) => callLocalApi(access(), `POST /control/${name}`, { body })
  const call = async (method: string, params: readonly unknown[]) => {
    const answer = await fetch(node.jsonRpcUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    })
    return (await answer.json()) as { readonly result: never }
  }

  async function until(holds: (seen: NodeReport) => boolean): Promise<NodeReport> {
    for (;;) {
      const seen = await report()
      if (holds(seen)) return seen
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  async function start(): Promise<void> {
    const ports = { grpc: 0, jsonRpc: 0 }
    node = await NodeProcess.start({ directory: join(dir, 'chain'), chain: CHAIN, speed: 500, ports }, REAL_TIME)
    control = await startLocalApi({ port: 0, token: TOKEN }, makeControlRoutes(node))
  }

  async function stop(): Promise<void> {
    await control.close()
    await node.stop()
  }

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'massa-storage-node-'))
    await start()
  })

  afterEach(async () => {
    await stop()
    rmSync(dir, { recursive: true, force: true })
  })

  it('makes slots, stands still when paused, and goes on', async () => {
    await until(({ finalSlot }) => finalSlot.period >= 2)
    await order('pause')
    const { lastSlot } = await until(({ isPaused }) => isPaused)
    await order('resume')
    await until((seen) => seen.lastSlot.period > lastSlot.period)
  })

  it('goes on where it stood when it is started again', async () => {
    const before = await until(({ finalSlot }) => finalSlot.period >= 2)
    await stop()
    await start()
    const after = await report()
    assert(after.lastSlot.period >= before.lastSlot.period)
    assert.equal(after.genesisTimestampMs, before.genesisTimestampMs)
  })

  it('has forgotten final blocks but the newest after a restart, also when it is started again', async () => {
    await until(({ finalSlot }) => finalSlot.period >= 5)
    await order('pause')
    const { finalSlot, lastSlot } = await report()
    const isKnown = async ({ period, thread }: Slot) =>
      (await call('get_blockclique_block_by_slot', [{ period, thread }])).result !== null
    const old = { ...finalSlot, period: finalSlot.period - 4 }
    assert.equal(await isKnown(old), true)
    await order('restart')
    assert.deepEqual([await isKnown(old), await isKnown(finalSlot), await isKnown(lastSlot)], [false, true, true])
    await stop()
    await start()
    await order('pause')
    assert.equal(await isKnown(old), false)
  })

  it('answers at the same addresses after a restart and after broadcasting was switched', async () => {
    const { grpcUrl, jsonRpcUrl } = node
    await order('restart')
    await order('broadcast', { enabled: false })
    assert.deepEqual([node.grpcUrl, node.jsonRpcUrl], [grpcUrl, jsonRpcUrl])
    assert.equal((await report()).enableBroadcast, false)
    assert.notEqual((await call('get_status', [])).result, undefined)
  })

  it("error: refuses bytes that are no request in a massa-node's words, before anything else", async () => {
    const caller = new GrpcCaller(node.grpcUrl)
    const slots = 'invalid wire type: Varint (expected LengthDelimited)'
    try {
      for (const [rpc, hex, words] of [
        ['SearchBlocks', 'ff', 'invalid varint'],
        ['SearchBlocks', '0801', `SearchBlocksRequest.filters: ${slots}`],
        ['SearchBlocks', '0a05', 'SearchBlocksRequest.filters: buffer underflow'],
        ['GetSlotTransfers', '0801', `GetSlotTransfersRequest.slots: ${slots}`],
        ['GetSlotABICallStacks', '0801', `GetSlotABICallStacksRequest.slots: ${slots}`],
        ['GetOperationABICallStacks', 'ff', 'invalid varint'],
      ] as const) {
        const { code, details } = await caller.refusal(rpc, Buffer.from(hex, 'hex'))
        assert.deepEqual([rpc, code, details], [rpc, status.INTERNAL, `failed to decode Protobuf message: ${words}`])
      }
      const whole = await caller.refusal('GetSlotTransfers', Buffer.from('0a020801', 'hex'))
      assert.deepEqual([whole.code, whole.details], [status.UNIMPLEMENTED, 'feature not enabled'])
    } finally {
      caller.close()
    }
  })

  it('misses the next slots of a thread to order', async () => {
    await order('pause')
    const { lastSlot } = await report()
    await order('miss', { thread: 5, count: 2 })
    await order('resume')
    const missed = lastSlot.period + (lastSlot.thread < 5 ? 0 : 1)
    await until((seen) => seen.lastSlot.period > missed + 2)
    await order('pause')
    const at = async (period: number) =>
      (await call('get_blockclique_block_by_slot', [{ period, thread: 5 }])).result !== null
    assert.deepEqual([await at(missed), await at(missed + 1), await at(missed + 2)], [false, false, true])
  })

  for (const [name, body] of [
    ['miss', { thread: 32 }],
    ['miss', {}],
    ['speed', { speed: 0 }],
    ['delay', { delayMs: 1, rpc: 'NoSuchCall' }],
    ['broadcast', { enabled: true, more: 1 }],
  ] as const) {
    it(`error: refuses ${name} ${JSON.stringify(body)}`, async () => {
      await assert.rejects(order(name, body), (error) => isArchiveError(error, 'DEVNET_COMMAND_REFUSED'))
    })
  }

  it('error: does not listen to who has not the token', async () => {
    const stranger = { ...access(), token: 'another' }
    await assert.rejects(callLocalApi(stranger, 'POST /control/pause', { body: {} }), (error) =>
      isArchiveError(error, 'DEVNET_NOT_RUNNING'),
    )
    assert.equal((await report()).isPaused, false)
  })
})
