import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { type ClientReadableStream, type ServiceError, status } from '@grpc/grpc-js'
import { Args } from '@massalabs/massa-web3'
import {
  fromU64,
  NewFilledBlocksResponseCodec,
  NewSlotExecutionOutputsRequestCodec,
  NewSlotExecutionOutputsResponseCodec,
  type OperationBody,
  parseAddress,
  QueryStateResponseCodec,
  RawFilledBlockCodec,
  SecureHashCodec,
  SignedBlockHeaderCodec,
  slotFromProtobuf,
  slotIndex,
  THREAD_COUNT,
} from '../../../../core/index.ts'
import type { ChainBlock, DevnetChain, SlotOutput } from '../../../../devnet/node/index.ts'
import { RpcError } from '../../../../telemetry/grpc/rpc-error.ts'
import { EXECUTION_QUERY_STATUS } from '../../../../telemetry/grpc/status-codes.ts'
import { encodeWireField, readWireFields } from '../../../../telemetry/grpc/wire.ts'
import { COUNTER, makeDeployment } from '../../engine/engine-fixture.ts'
import { ALICE, BOB, MAS, makeSender, pass, send, transfer } from '../chain/made-chain.ts'
import { type GrpcNode, openGrpcNode } from './grpc-node.ts'
import { ShapeSurvey } from './message-shape.ts'

/** The run that `replay` plays, and one with two blocks of a slot and denunciations. */
const RECORDINGS = [
  new URL('../../../../devnet/recordings/sandbox.ndjson.gz', import.meta.url),
  new URL('../../../fixtures/sandbox/fork.ndjson.gz', import.meta.url),
]
const QUICK = { endorsements: 1, deltaF0: 60 }
const FINAL = NewSlotExecutionOutputsRequestCodec.encode({ filters: [{ status: 2 }] })
const CANDIDATE = NewSlotExecutionOutputsRequestCodec.encode({ filters: [{ status: 1 }] })

describe('devnet/node/grpc: streams', () => {
  let node: GrpcNode
  let chain: DevnetChain

  afterEach(() => node.close())

  async function start(options: Parameters<typeof openGrpcNode>[0] = QUICK, enableBroadcast = true): Promise<void> {
    node = await openGrpcNode(options, { enableBroadcast })
    chain = node.chain
  }

  it('every field of filled blocks and slot outputs is set, unset and ordered as a real node does it', async function () {
    this.timeout(60_000)
    const recorded = surveyRecording()
    const stakers = [{ key: BOB.key, rolls: 100n }]
    await start({ stakers, missRate: 0.1, orphanRate: 0.05, deltaF0: 200 })
    const ours = new Map(
      ['NewFilledBlocksServer', 'NewSlotExecutionOutputsServer'].map((rpc) => [rpc, new ShapeSurvey()]),
    )
    const streams = await Promise.all(
      [...ours.keys()].map((rpc) => listen(rpc, rpc.includes('Outputs') ? FINAL : undefined)),
    )
    await doAllKindsOfThings(chain, () => node.caller.settle(() => 0))
    for (const stream of streams)
      for (const message of await stream.stop()) ours.get(stream.rpc)?.add(`${stream.rpc}Response`, message)
    for (const [rpc, survey] of ours) {
      const real = recorded.get(rpc)
      assert(real)
      const foreign = survey.paths.filter((path) => !real.counts.has(path))
      assert.deepEqual(foreign, [], `${rpc}: fields that a node never set`)
      const missing = real.paths.filter(
        (path) => isReachable(survey, path) && real.isAlwaysSet(path) && !survey.isAlwaysSet(path),
      )
      assert.deepEqual(
        missing.filter((path) => !real.numbers.has(path)),
        [],
        `${rpc}: fields that a node always set`,
      )
      assert.deepEqual([...survey.disorders], [...real.disorders], `${rpc}: order`)
      assert.deepEqual(
        [...survey.defaults].filter((path) => !real.defaults.has(path)),
        [],
        `${rpc}: defaults written out`,
      )
      // All that could be compared was.
      const unseen = real.paths.filter((path) => !survey.counts.has(path) && !path.includes('.datastore.delete'))
      assert.deepEqual(unseen, [], `${rpc}: fields that did not come about here`)
    }
  })

  it('FINAL outputs come for every slot once and in order, a missed one without a block', async () => {
    await start({ ...QUICK, missRate: 0.3 })
    const finals: SlotOutput[] = []
    chain.onSlotFinal((output) => finals.push(output))
    const stream = await listen('NewSlotExecutionOutputsServer', FINAL)
    await pass(chain, 4 * THREAD_COUNT)
    const outputs = (await stream.stop()).map(readOutput)
    assert(finals.length > 32)
    assert(finals.some(({ block }) => block === undefined))
    assert.deepEqual(
      outputs.map(({ index, blockId }) => [index, blockId]),
      finals.map(({ slotIndex, block }) => [slotIndex, block?.id]),
    )
  })

  it('without a filter candidate outputs come before final ones of the same slot, with the same content', async () => {
    await start()
    const [all, candidates] = await Promise.all([
      listen('NewSlotExecutionOutputsServer'),
      listen('NewSlotExecutionOutputsServer', CANDIDATE),
    ])
    send(chain, ALICE, transfer(5n))
    await pass(chain, 4 * THREAD_COUNT)
    const outputs = (await all.stop()).map(readOutput)
    const alone = (await candidates.stop()).map(readOutput)
    assert.deepEqual(
      alone,
      outputs.filter(({ status }) => status === 1),
    )
    const finals = outputs.filter(({ status }) => status === 2)
    assert(finals.length > 0 && finals.some(({ operations }) => operations === 1))
    for (const final of finals) {
      const before = outputs.slice(0, outputs.indexOf(final)).find(({ index }) => index === final.index)
      assert.deepEqual({ ...before, status: 2 }, final)
    }
  })

  it('filled blocks and blocks come when they are received, rivals too', async () => {
    await start({ ...QUICK, orphanRate: 0.3 })
    const blocks: ChainBlock[] = []
    chain.onBlockReceived((block) => blocks.push(block))
    const [filled, plain] = await Promise.all([listen('NewFilledBlocksServer'), listen('NewBlocksServer')])
    const id = send(chain, ALICE, transfer(5n))
    await pass(chain, 2 * THREAD_COUNT)
    assert(blocks.some(({ isRival }) => isRival))
    const bodies = (await filled.stop()).map(
      (message) => NewFilledBlocksResponseCodec.decode(message).filledBlock ?? new Uint8Array(0),
    )
    assert.deepEqual(
      bodies.map(
        (body) => SecureHashCodec.decode(RawFilledBlockCodec.decode(body).header ?? new Uint8Array(0)).secureHash,
      ),
      blocks.map((block) => block.id),
    )
    assert(
      bodies.some((body) => RawFilledBlockCodec.decode(body).operations?.some(({ operationId }) => operationId === id)),
    )
    const signed = (await plain.stop()).map((message) => fieldsOf(fieldsOf(message)[1] ?? new Uint8Array(0)))
    assert.deepEqual(
      signed.map((fields) => Buffer.from(fields[5] ?? []).toString()),
      blocks.map((block) => block.id),
    )
    const header = SignedBlockHeaderCodec.decode(fieldsOf(signed[0]?.[1] ?? new Uint8Array(0))[1] ?? new Uint8Array(0))
    assert.equal(header.secureHash, blocks[0]?.id)
  })

  it('operations come when they are taken, endorsements with their block; both as filters say', async () => {
    await start()
    const ofAlice = encodeWireField(1, encodeWireField(2, encodeWireField(1, Buffer.from(ALICE.address))))
    const [operations, mine, endorsements] = await Promise.all([
      listen('NewOperationsServer'),
      listen('NewOperationsServer', ofAlice),
      listen('NewEndorsementsServer'),
    ])
    const ids = [send(chain, ALICE, transfer(5n)), send(chain, BOB, transfer(6n, ALICE))]
    await pass(chain, 3)
    const hashOf = (message: Uint8Array) => SecureHashCodec.decode(fieldsOf(message)[1] ?? new Uint8Array(0)).secureHash
    assert.deepEqual((await operations.stop()).map(hashOf), ids)
    assert.deepEqual((await mine.stop()).map(hashOf), ids.slice(0, 1))
    assert.equal((await endorsements.stop()).length, 3 * QUICK.endorsements)
  })

  it('filters of a part drop the slots of which nothing is left', async () => {
    await start()
    const ledgerOf = (address: string) =>
      encodeWireField(1, encodeWireField(7, encodeWireField(2, Buffer.from(address))))
    const [ofAlice, ofNobody, none] = await Promise.all([
      listen('NewSlotExecutionOutputsServer', Buffer.concat([FINAL, ledgerOf(ALICE.address)])),
      listen('NewSlotExecutionOutputsServer', Buffer.concat([FINAL, ledgerOf(makeSender('nobody').address)])),
      listen(
        'NewSlotExecutionOutputsServer',
        encodeWireField(1, encodeWireField(5, encodeWireField(1, new Uint8Array(0)))),
      ),
    ])
    send(chain, ALICE, transfer(5n))
    await pass(chain, 4 * THREAD_COUNT)
    assert.equal((await ofAlice.stop()).length, 1)
    assert.equal((await ofNobody.stop()).length, 0)
    assert.equal((await none.stop()).length, 0)
  })

  it('a denunciation is told in outputs and state, until a filter leaves it out', async () => {
    await start()
    const none = encodeWireField(1, encodeWireField(4, encodeWireField(1, new Uint8Array(0))))
    const [all, without] = await Promise.all([
      listen('NewSlotExecutionOutputsServer', FINAL),
      listen('NewSlotExecutionOutputsServer', Buffer.concat([FINAL, none])),
    ])
    chain.forkNext(1)
    await pass(chain, 4 * THREAD_COUNT)
    const survey = async (stream: Listening) => {
      const shape = new ShapeSurvey()
      for (const message of await stream.stop()) shape.add('NewSlotExecutionOutputsServerResponse', message)
      return shape
    }
    const path = 'output.execution_output.state_changes.executed_denunciations_changes.block_header.slot'
    const [told, cut] = [await survey(all), await survey(without)]
    assert.equal(told.counts.get(path), 1)
    assert.equal(cut.counts.get(path), undefined)
    assert.equal(cut.counts.get('output'), told.counts.get('output'))
    const denounced = chain.listBlocks(0, Number.MAX_SAFE_INTEGER).flatMap(({ header }) => header.denunciations)[0]
    assert(denounced)
    const slot = Buffer.of(8, denounced.slot.period, 16, denounced.slot.thread)
    const item = (slotBytes: Uint8Array) =>
      encodeWireField(14, encodeWireField(1, encodeWireField(1, encodeWireField(1, slotBytes))))
    const asked = [slot, Buffer.of(8, 0, 16, 31)]
    const request = Buffer.concat(asked.map((bytes) => encodeWireField(1, item(bytes))))
    const { responses } = QueryStateResponseCodec.decode(await node.caller.call('QueryState', request))
    assert.deepEqual(
      responses?.map(({ result }) => result?.executionStatus),
      [EXECUTION_QUERY_STATUS.success, EXECUTION_QUERY_STATUS.unknown],
    )
  })

  it('streams that broadcasting would feed open and stay silent when it is off', async () => {
    await start(QUICK, false)
    const streams = await Promise.all(
      ['NewFilledBlocksServer', 'NewBlocksServer', 'NewSlotExecutionOutputsServer', 'NewOperationsServer'].map((rpc) =>
        listen(rpc),
      ),
    )
    send(chain, ALICE, transfer(5n))
    await pass(chain, 4 * THREAD_COUNT)
    for (const stream of streams) assert.deepEqual(await stream.stop(), [])
  })

  it('error: bad filters end a stream as a node ends it, broadcasting or not', async () => {
    await start(QUICK, false)
    const bad = encodeWireField(1, encodeWireField(1, encodeWireField(1, Buffer.from('Bxyz'))))
    assert.deepEqual(await refusalOf('NewBlocksServer', bad), [status.INVALID_ARGUMENT, 'invalid block id: Bxyz'])
    const many = Buffer.concat(Array.from({ length: 33 }, () => Buffer.from(FINAL)))
    const tooMany = 'too many filters received. Only a maximum of 32 filters are accepted per request'
    assert.deepEqual(await refusalOf('NewSlotExecutionOutputsServer', many), [status.INVALID_ARGUMENT, tooMany])
    assert.deepEqual(await refusalOf('NewTransfersInfoServer'), [status.UNIMPLEMENTED, 'feature not enabled'])
    assert.equal(node.server.streamCount, 0)
  })

  it('a conversation gets what its last filters say, nothing before the first, and ends with the client', async () => {
    await start()
    const call = node.caller.converse('NewSlotExecutionOutputs')
    const messages: Uint8Array[] = []
    call.on('data', (message: Buffer) => messages.push(message))
    call.on('error', () => {})
    const ended = new Promise<void>((resolve) => call.once('end', () => resolve()))
    await new Promise((resolve) => call.once('metadata', resolve))
    call.write(Buffer.from(CANDIDATE))
    await node.caller.settle(() => messages.length)
    await pass(chain, 3 * THREAD_COUNT)
    await node.caller.settle(() => messages.length)
    const candidates = messages.splice(0).map(readOutput)
    assert(candidates.length > 0 && candidates.every(({ status }) => status === 1))
    call.write(Buffer.from(FINAL))
    await node.caller.settle(() => messages.length)
    await pass(chain, THREAD_COUNT)
    await node.caller.settle(() => messages.length)
    const finals = messages.splice(0).map(readOutput)
    assert(finals.length > 0 && finals.every(({ status }) => status === 2))
    call.end()
    await ended
    assert.equal(node.server.streamCount, 0)
  })

  it('the throughput is told at once', async () => {
    await start()
    const stream = await listen('TransactionsThroughputServer')
    assert.equal((await stream.stop()).length, 1)
  })

  it('streams can be dropped from outside, with an error', async () => {
    await start()
    const stream = node.caller.open('NewFilledBlocksServer')
    const failed = new Promise<ServiceError>((resolve) =>
      stream.once('error', (error) => resolve(error as ServiceError)),
    )
    await new Promise((resolve) => stream.once('metadata', resolve))
    node.server.dropStreams(new RpcError(status.UNAVAILABLE, 'gone'))
    stream.resume()
    const { code, details } = await failed
    assert.deepEqual([code, details], [status.UNAVAILABLE, 'gone'])
    assert.equal(node.server.streamCount, 0)
  })

  interface Listening {
    readonly rpc: string
    /** All that came. */
    stop(): Promise<Uint8Array[]>
  }

  /** Resolves when the node knows of the stream. */
  async function listen(rpc: string, request?: Uint8Array): Promise<Listening> {
    const stream = node.caller.open(rpc, request)
    const messages: Uint8Array[] = []
    stream.on('data', (message: Buffer) => messages.push(message))
    stream.on('error', () => {})
    await new Promise((resolve) => stream.once('metadata', resolve))
    return {
      rpc,
      stop: async () => {
        await node.caller.settle(() => messages.length)
        stream.cancel()
        return messages
      },
    }
  }

  async function refusalOf(rpc: string, request?: Uint8Array): Promise<[number, string]> {
    const stream: ClientReadableStream<Buffer> = node.caller.open(rpc, request)
    stream.resume()
    const error = await new Promise<ServiceError>((resolve) =>
      stream.once('error', (reason) => resolve(reason as ServiceError)),
    )
    return [error.code, error.details]
  }
})

/** A field of the recording can only be missed where the message that it is in was seen. */
function isReachable(survey: ShapeSurvey, path: string): boolean {
  return survey.counts.has(path.includes('.') ? path.slice(0, path.lastIndexOf('.')) : '')
}

function surveyRecording(): Map<string, ShapeSurvey> {
  const surveys = new Map<string, ShapeSurvey>()
  const lines = RECORDINGS.flatMap((url) => gunzipSync(readFileSync(url)).toString().trim().split('\n'))
  for (const line of lines) {
    const { stream, msg } = JSON.parse(line) as { stream?: string; msg?: string }
    if (stream === undefined || msg === undefined) continue
    const survey = surveys.get(stream) ?? new ShapeSurvey()
    surveys.set(stream, survey)
    survey.add(`${stream}Response`, Buffer.from(msg, 'base64'))
  }
  return surveys
}

/** Transfers, rolls, a deployment, calls that succeed and fail, with events and entries of the datastore. */
async function doAllKindsOfThings(chain: DevnetChain, settle: () => Promise<void>): Promise<void> {
  // No more at a time than a node keeps for a stream.
  const passSlowly = async (slots: number) => {
    for (let left = slots; left > 0; left -= THREAD_COUNT) {
      await pass(chain, Math.min(left, THREAD_COUNT))
      await settle()
    }
  }
  send(chain, ALICE, transfer(5n, makeSender('somebody new')))
  send(chain, ALICE, transfer(MAS, makeSender('somebody new')))
  send(chain, ALICE, makeDeployment(COUNTER, new Args().addU64(7n), { coins: MAS / 10n }))
  send(chain, ALICE, { kind: 'roll-buy', rollCount: 2n })
  send(chain, BOB, { kind: 'roll-sell', rollCount: 1n })
  await passSlowly(2 * THREAD_COUNT + 8)
  const counter = [...chain.engine.ledger.addresses()].find((address) => address.startsWith('AS'))
  assert(counter, 'nothing was deployed')
  const call = (functionName: string, parameter: Uint8Array): OperationBody => ({
    kind: 'call-sc',
    target: parseAddress(counter),
    functionName,
    parameter,
    maxGas: 100_000_000n,
    coinsNanoMas: 1n,
  })
  send(chain, ALICE, call('increment', new Args().addU64(3n).serialize()))
  send(chain, ALICE, call('increment', new Uint8Array(0)))
  send(chain, ALICE, call('no such function', new Uint8Array(0)))
  await passSlowly(6 * THREAD_COUNT)
}

function readOutput(message: Uint8Array) {
  const { output } = NewSlotExecutionOutputsResponseCodec.decode(message)
  const { slot, blockId, stateChanges } = output?.executionOutput ?? {}
  return {
    status: output?.status,
    index: slotIndex(slotFromProtobuf(slot)),
    blockId: blockId?.value,
    operations: stateChanges?.executedOpsChanges?.length,
    untilPeriod: fromU64(stateChanges?.executedOpsChanges?.[0]?.value?.slot?.period),
  }
}

/** Length-delimited fields by number. */
function fieldsOf(message: Uint8Array): Record<number, Uint8Array> {
  const fields = readWireFields(message).flatMap(({ number, payload }) => (payload ? [[number, payload] as const] : []))
  return Object.fromEntries(fields)
}
