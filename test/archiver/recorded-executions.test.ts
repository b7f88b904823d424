import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { parseAttestedExecutions } from '../../archiver/attestation.ts'
import { executionFromOutput, type SlotExecution } from '../../archiver/execution-results.ts'
import {
  CHUNK_SIZE_BYTES,
  EXECUTION_STATUS_FINAL,
  NewSlotExecutionOutputsResponseCodec,
  slotFromProtobuf,
  slotIndex,
  THREAD_COUNT,
  toHex,
} from '../../core/index.ts'
import { type Recording, type ReplayOptions, readRecording, startReplayServer } from '../../devnet/index.ts'
import { readRecordingFile, readRecordingMessages } from '../../devnet/replay/recording.ts'
import { type Follow, Stage } from './follow-harness.ts'

const DEADLINE_MS = 120_000
const PATHS = {
  push: fileURLToPath(new URL('../fixtures/sandbox/push.ndjson.gz', import.meta.url)),
  pull: fileURLToPath(new URL('../fixtures/sandbox/pull.ndjson.gz', import.meta.url)),
  sandbox: fileURLToPath(new URL('../../devnet/recordings/sandbox.ndjson.gz', import.meta.url)),
}

/** What the FINAL messages of a recording say, by slot index; read from the messages, not from the replay. */
async function readRecorded(path: string): Promise<Map<number, SlotExecution>> {
  const recorded = new Map<number, SlotExecution>()
  for await (const message of readRecordingMessages(await readRecordingFile(path))) {
    if (message.kind !== 'stream' || message.stream !== 'NewSlotExecutionOutputsServer') continue
    const { output } = NewSlotExecutionOutputsResponseCodec.decode(message.message)
    if (output?.status !== EXECUTION_STATUS_FINAL || !output.executionOutput) continue
    recorded.set(slotIndex(slotFromProtobuf(output.executionOutput.slot)), executionFromOutput(output.executionOutput))
  }
  return recorded
}

interface Read {
  readonly recording: Recording
  readonly recorded: ReadonlyMap<number, SlotExecution>
}

const reads = new Map<string, Promise<Read>>()

/** Once per recording: two tests replay it. */
function readOnce(path: string): Promise<Read> {
  const known = reads.get(path) ?? read(path)
  reads.set(path, known)
  return known
}

async function read(path: string): Promise<Read> {
  return { recording: await readRecording(path), recorded: await readRecorded(path) }
}

/** What does not depend on the way it came: a node that is asked says `unknown` of what was not executed. */
function describeExecution(execution: SlotExecution | undefined): object {
  const { outcomes = [], events = [] } = execution ?? {}
  return {
    outcomes: outcomes
      .filter(({ outcome }) => outcome !== 'unknown')
      .map(({ operationId, outcome }) => `${operationId} ${outcome}`)
      .sort(),
    events: [...events]
      .sort((a, b) => a.indexInSlot - b.indexInSlot)
      .map(({ data, ...event }) => ({ ...event, data: toHex(data) })),
  }
}

async function readArchived(follow: Follow, period: number): Promise<readonly (SlotExecution | undefined)[]> {
  const bytes = await follow.store.chunks.readExecutionResults(period)
  assert.ok(bytes, `period ${period} has execution results`)
  return parseAttestedExecutions(bytes, { network: follow.store.chunks.identity.network, period }).executions
}

describe('archiver: execution results of a recorded node', function () {
  this.timeout(2 * DEADLINE_MS)
  const stage = new Stage()
  afterEach(() => stage.clean())

  const cases: [keyof typeof PATHS, string, Partial<ReplayOptions>][] = [
    ['push', 'as fast as it goes', { fast: true }],
    ['push', '60 times its speed', { speed: 60, keepAll: true }],
    ['pull', 'as fast as it goes', { fast: true }],
    ['sandbox', '150 times its speed', { speed: 150, keepAll: true }],
  ]
  for (const [name, pace, options] of cases) {
    it(`are all archived, and none else: ${name}, ${pace}`, async () => {
      const { recording, recorded } = await readOnce(PATHS[name])
      const { chainId, genesisTimestampMs } = recording
      const server = await startReplayServer({ recording, ...options })
      try {
        const identity = { network: { chainId, genesisTimestampMs }, chunkSizeBytes: CHUNK_SIZE_BYTES }
        const follow = await stage.follow([], { urls: [server.url], identity, executionPatienceMs: DEADLINE_MS })
        const head = server.wholePeriods?.last
        assert.ok(head !== undefined)
        const isThere = async () => ((await follow.range())?.last ?? -1) >= head
        await follow.when(`period ${head} archived`, isThere, DEADLINE_MS)
        const range = await follow.range()
        for (let period = Math.max(1, range?.first ?? 0); period <= head; period++) {
          const executions = await readArchived(follow, period)
          for (let thread = 0; thread < THREAD_COUNT; thread++) {
            const execution = executions[thread]
            assert.ok(execution, `results of (${period}, ${thread}) are archived`)
            assert.deepEqual(
              describeExecution(execution),
              describeExecution(recorded.get(slotIndex({ period, thread }))),
              `(${period}, ${thread}), by ${execution.source}`,
            )
          }
        }
        assert.equal(follow.countSaid('ARCHIVER_EXECUTION_UNREPORTED'), 0)
        assert.equal(follow.status.unreportedSlots, 0)
        await follow.stop()
      } finally {
        await server.stop()
      }
    })
  }
})
