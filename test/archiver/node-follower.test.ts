import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import type { ClientReadableStream } from '@grpc/grpc-js'
import type { Feed, IntakeResult } from '../../archiver/feed.ts'
import { NodeClient, NodeFollower, type NodeStatus } from '../../archiver/index.ts'
import {
  ArchiveError,
  type ErrorCode,
  EXECUTION_STATUS_FINAL,
  NewFilledBlocksResponseCodec,
  NewSlotExecutionOutputsResponseCodec,
  slotToProtobuf,
  THREAD_COUNT,
} from '../../core/index.ts'
import { createLogger } from '../../telemetry/index.ts'
import { ManualClock } from '../clocks.ts'
import { settle, until } from '../turns.ts'

const POLL_MS = 20
const STATUS: NodeStatus = {
  network: { chainId: 77n, genesisTimestampMs: 1_000_000n },
  threadCount: THREAD_COUNT,
  version: 'TEST',
  currentTimeMs: 1_000_000,
  lastFinalSlot: { period: 3, thread: 0 },
}

/** A follower of a node that always answers, with a feed that does what a test wants. */
class Scene {
  readonly clock = new ManualClock(1_000)
  readonly fatal: unknown[] = []
  readonly lines: Record<string, unknown>[] = []
  readonly blocks = new PassThrough({ objectMode: true })
  readonly outputs = new PassThrough({ objectMode: true })
  polls = 0
  downs = 0
  readonly client: NodeClient
  readonly follower: NodeFollower

  constructor(feed: Partial<Feed>) {
    const client = new NodeClient({ url: '127.0.0.1:1', timeoutMs: 1_000, onCall: () => undefined })
    this.client = client
    Object.assign(client, {
      getStatus: async () => STATUS,
      searchBlocks: async () => {
        this.polls++
        return []
      },
      openFilledBlocks: () => cancellable(this.blocks),
      openFinalOutputs: () => cancellable(this.outputs),
      close: () => [this.blocks.end(), this.outputs.end()],
    })
    const quiet: Feed = {
      onStatus: () => undefined,
      onNodeDown: () => {
        this.downs++
      },
      onNodeRestart: () => undefined,
      takeBlock: async () => 'known',
      onClaims: async () => undefined,
      onExecution: async () => undefined,
      isKnown: () => false,
      isWorthAsking: () => false,
      slotOf: () => undefined,
      searchFrom: () => ({ period: 1, thread: 0 }),
      listWanted: () => [],
      listUnexecuted: async () => [],
    }
    const write = (line: string) => this.lines.push(JSON.parse(line) as Record<string, unknown>)
    const log = createLogger({ level: 'info', format: 'json', destination: { write } }).child({ module: 'archiver' })
    this.follower = new NodeFollower(
      { node: 0, client, pollIntervalMs: POLL_MS, streamSilenceMs: 60_000 },
      { feed: { ...quiet, ...feed }, clock: this.clock, log, onFatal: (error) => void this.fatal.push(error) },
    )
    this.follower.start()
  }

  async poll(times: number): Promise<void> {
    for (let i = 0; i < times; i++) {
      const before = this.polls
      this.clock.advance(POLL_MS)
      await until(() => this.polls > before, 'a poll')
      await settle()
    }
  }

  async stream(): Promise<void> {
    this.blocks.write(Buffer.from(NewFilledBlocksResponseCodec.encode({ filledBlock: Uint8Array.of(1) })))
    await settle()
  }

  /** The node calls the block of a slot of period 4 final. */
  name(thread: number): void {
    const executionOutput = { slot: slotToProtobuf({ period: 4, thread }), blockId: { value: `B${thread}` } }
    const output = { status: EXECUTION_STATUS_FINAL, executionOutput }
    this.outputs.write(Buffer.from(NewSlotExecutionOutputsResponseCodec.encode({ output })))
  }

  said(message: string): unknown[] {
    return this.lines.filter((line) => line.msg === message).map((line) => line.code)
  }
}

function cancellable(stream: PassThrough): ClientReadableStream<Buffer> {
  return Object.assign(stream, { cancel: () => stream.destroy() }) as unknown as ClientReadableStream<Buffer>
}

describe('archiver/node-follower', () => {
  for (const code of ['STORE_SPOOL_FULL', 'STORE_DISK_FULL', 'STORE_READ_FAILED'] as const) {
    it(`a poll that ends with ${code} is no fault of the node: it stays up, and the change is said once`, async () => {
      let failing: ErrorCode | undefined = code
      const scene = new Scene({
        onClaims: async () => {
          if (failing) throw new ArchiveError(failing, 'injected')
        },
      })
      await until(() => scene.polls > 0)
      await scene.poll(4)
      assert.equal(scene.follower.status().up, true)
      assert.equal(scene.follower.status().lastError, undefined)
      assert.equal(scene.downs, 0)
      assert.deepEqual(scene.said('poll not stored'), [code])
      failing = 'STORE_WRITE_FAILED'
      await scene.poll(2)
      assert.deepEqual(scene.said('poll not stored'), [code, 'STORE_WRITE_FAILED'])
      failing = undefined
      await scene.poll(2)
      assert.equal(scene.said('polls stored again').length, 1)
      assert.deepEqual(scene.said('node failed'), [])
      assert.deepEqual(scene.fatal, [])
      await scene.follower.stop()
    })
  }

  it("error: a bug in what a poll feeds ends the follower as ARCHIVER_LOOP_FAILED and is not the node's", async () => {
    for (const bug of [new TypeError('no function'), new ArchiveError('STORE_CLOSED', 'closed')]) {
      const scene = new Scene({ onClaims: () => Promise.reject(bug) })
      await until(() => scene.fatal.length > 0)
      const [error] = scene.fatal
      assert.ok(error instanceof ArchiveError && error.code === 'ARCHIVER_LOOP_FAILED')
      assert.equal(error.cause, bug)
      assert.equal(scene.downs, 0)
      assert.deepEqual(scene.said('node failed'), [])
      await scene.follower.stop()
    }
  })

  it('what the node itself does wrong takes it down', async () => {
    const scene = new Scene({
      onStatus: () => {
        throw new ArchiveError('ARCHIVER_NODE_REFUSED', 'injected')
      },
    })
    await until(() => scene.downs > 0)
    assert.equal(scene.follower.status().up, false)
    assert.equal(scene.said('node failed').length, 1)
    await scene.follower.stop()
  })

  it('streamed blocks that the store refuses are said once, and once that it takes them again', async () => {
    let result: () => Promise<IntakeResult> = () => Promise.reject(new ArchiveError('STORE_DISK_FULL', 'injected'))
    const scene = new Scene({ takeBlock: () => result() })
    await until(() => scene.polls > 0)
    for (let i = 0; i < 5; i++) await scene.stream()
    assert.deepEqual(scene.said('message of a stream not stored'), ['STORE_DISK_FULL'])
    assert.deepEqual(scene.said('message of a stream not taken'), [])
    result = async () => 'spooled'
    for (let i = 0; i < 3; i++) await scene.stream()
    assert.equal(scene.said('streams stored again').length, 1)
    assert.deepEqual(scene.fatal, [])
    await scene.follower.stop()
  })

  it('error: a bug behind a streamed block ends the follower, told once', async () => {
    const scene = new Scene({ takeBlock: () => Promise.reject(new TypeError('no function')) })
    await until(() => scene.polls > 0)
    for (let i = 0; i < 3; i++) await scene.stream()
    await until(() => scene.fatal.length > 0)
    const [error] = scene.fatal
    assert.ok(error instanceof ArchiveError && error.code === 'ARCHIVER_LOOP_FAILED')
    await scene.follower.stop()
    assert.equal(scene.fatal.length, 1)
  })

  it("a message that is not protobuf is the node's: said with its code, the stream goes on", async () => {
    let taken = 0
    const scene = new Scene({
      takeBlock: async () => {
        taken++
        return 'known'
      },
    })
    await until(() => scene.polls > 0)
    scene.blocks.write(Buffer.from('ffffffffff', 'hex'))
    await scene.stream()
    assert.deepEqual(scene.said('message of a stream not taken'), ['CORE_PROTOBUF_INVALID'])
    assert.equal(taken, 1)
    assert.deepEqual(scene.fatal, [])
    await scene.follower.stop()
  })

  it('limit: blocks of 64 KiB that arrived together get a turn of the event loop each, small ones share one', async () => {
    let turn = 0
    const taken: number[] = []
    const scene = new Scene({
      takeBlock: async () => {
        taken.push(turn)
        return 'known'
      },
    })
    await until(() => scene.polls > 0)
    await settle()
    const count = () => {
      turn++
      if (taken.length < 8) setImmediate(count)
    }
    setImmediate(count)
    const head = NewFilledBlocksResponseCodec.encode({ filledBlock: new Uint8Array(60_000) }).length - 60_000
    for (const bytes of [65_535, 65_536]) {
      const message = NewFilledBlocksResponseCodec.encode({ filledBlock: new Uint8Array(bytes - head) })
      assert.equal(message.length, bytes)
      for (let i = 0; i < 4; i++) scene.blocks.write(Buffer.from(message))
    }
    await until(() => taken.length === 8)
    assert.equal(new Set(taken.slice(0, 4)).size, 1)
    assert.equal(new Set(taken.slice(4)).size, 4)
    await scene.follower.stop()
  })

  it('results of several final slots are taken at once, and the slots claimed in the order in which they were named', async () => {
    const told: string[] = []
    const ends: (() => void)[] = []
    const scene = new Scene({
      isKnown: () => true,
      onExecution: ({ thread }) => {
        told.push(`results ${thread}`)
        return new Promise((resolve, reject) => {
          ends[thread] = thread === 1 ? () => reject(new ArchiveError('STORE_DISK_FULL', 'injected')) : resolve
        })
      },
      onClaims: async (_, claims) => void told.push(...claims.map(({ slot, id }) => `claim ${slot.thread} ${id}`)),
    })
    await until(() => scene.polls > 0)
    told.length = 0
    for (const thread of [0, 1, 2]) scene.name(thread)
    await until(() => ends.length === 3, 'three results in hand')
    ends[2]?.()
    ends[1]?.()
    await settle()
    assert.deepEqual(told, ['results 0', 'results 1', 'results 2'])
    ends[0]?.()
    await settle()
    assert.deepEqual(told.slice(3), ['claim 0 B0', 'claim 1 B1', 'claim 2 B2'])
    assert.deepEqual(scene.said('message of a stream not stored'), ['STORE_DISK_FULL'])
    await scene.follower.stop()
  })

  it('limit: an output of a slot has 100,000 fields, events or changes; one of more is not taken', async () => {
    let taken = 0
    const scene = new Scene({
      isKnown: () => true,
      onExecution: async () => {
        taken++
      },
    })
    await until(() => scene.polls > 0)
    const write = (executionOutput: object): void => {
      const output = { status: EXECUTION_STATUS_FINAL, executionOutput }
      scene.outputs.write(Buffer.from(NewSlotExecutionOutputsResponseCodec.encode({ output })))
    }
    const place = { slot: slotToProtobuf({ period: 4, thread: 0 }), blockId: { value: 'B' } }
    const outputsOf = (entries: number) => [
      // Slot and block id are two of them.
      { ...place, events: Array.from({ length: entries - 2 }, () => ({})) },
      { ...place, stateChanges: { executedOpsChanges: Array.from({ length: entries }, () => ({})) } },
    ]
    for (const output of outputsOf(100_000)) write(output)
    await until(() => taken === 2)
    assert.deepEqual(scene.said('message of a stream not taken'), [])
    for (const output of outputsOf(100_001)) write(output)
    scene.name(1)
    await until(() => taken === 3)
    // The second of them is not said: the 1st, the 10th, ...
    assert.deepEqual(scene.said('message of a stream not taken'), ['CORE_PROTOBUF_INVALID'])
    await scene.follower.stop()
  })

  it('limit: a final block under an id of 64 letters is asked for at once, one under 65 never', async () => {
    const scene = new Scene({})
    const asked: number[] = []
    Object.assign(scene.client, {
      getBlocks: async function* (ids: readonly string[]) {
        asked.push(...ids.map((id) => id.length))
        yield []
      },
    })
    await until(() => scene.polls > 0)
    for (const letters of [65, 64]) {
      const executionOutput = {
        slot: slotToProtobuf({ period: 4, thread: 0 }),
        blockId: { value: 'B'.repeat(letters) },
      }
      const output = { status: EXECUTION_STATUS_FINAL, executionOutput }
      scene.outputs.write(Buffer.from(NewSlotExecutionOutputsResponseCodec.encode({ output })))
    }
    await until(() => asked.length > 0)
    assert.deepEqual(asked, [64])
    await scene.follower.stop()
  })

  it('limit: past 64 final slots in hand their stream waits; so it does for one whose block is not known', async () => {
    let isKnown = true
    const ends: (() => void)[] = []
    const scene = new Scene({
      isKnown: () => isKnown,
      onExecution: () => new Promise((resolve) => ends.push(resolve)),
    })
    await until(() => scene.polls > 0)
    for (let i = 0; i < 70; i++) scene.name(i % THREAD_COUNT)
    await until(() => ends.length === 64)
    await settle()
    assert.equal(ends.length, 64)
    for (const end of ends.splice(0)) end()
    await until(() => ends.length === 6)
    isKnown = false
    scene.name(0)
    scene.name(1)
    await until(() => ends.length === 7)
    await settle()
    assert.equal(ends.length, 7)
    for (const end of ends) end()
    await until(() => ends.length === 8)
    for (const end of ends) end()
    await scene.follower.stop()
  })

  it('error: a bug behind a final slot ends the follower, told once', async () => {
    const scene = new Scene({ isKnown: () => true, onExecution: () => Promise.reject(new TypeError('no function')) })
    await until(() => scene.polls > 0)
    for (const thread of [0, 1]) scene.name(thread)
    await until(() => scene.fatal.length > 0)
    const [error] = scene.fatal
    assert.ok(error instanceof ArchiveError && error.code === 'ARCHIVER_LOOP_FAILED')
    await scene.follower.stop()
    assert.equal(scene.fatal.length, 1)
  })
})
