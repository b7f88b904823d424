import { executionFromOutput } from '../archiver/execution-results.ts'
import {
  attestExecutions,
  encodeExecution,
  encodePeriod,
  type SlotExecution,
  verifyFilledBlock,
} from '../archiver/index.ts'
import type { DecidedSlot } from '../archiver/period-encoder.ts'
import { joinFilledBlock } from '../archiver/verify-block.ts'
import {
  type ArchivedPeriod,
  CHUNK_SIZE_BYTES,
  EXECUTION_STATUS_FINAL,
  NewSlotExecutionOutputsResponseCodec,
  type Period,
  type StoreIdentity,
  slotFromProtobuf,
  slotIndex,
  THREAD_COUNT,
} from '../core/index.ts'
import { type Recording, readRecording } from '../devnet/index.ts'
import { readRecordingFile, readRecordingMessages } from '../devnet/replay/recording.ts'

export interface RecordedPeriods {
  readonly recording: Recording
  readonly identity: StoreIdentity
  /** Ascending; those of which the recording says what stood in all 32 slots. */
  readonly periods: readonly ArchivedPeriod[]
}

/** Of who archived them. */
const ATTESTER_SEED = new Uint8Array(32).fill(9)

const read = new Map<string, Promise<RecordedPeriods>>()

/** Periods of a real node's recording, as an archiver encodes them, with what executing them did. Made once per process. */
export function readRecordedPeriods(path: string, chunkSizeBytes = CHUNK_SIZE_BYTES): Promise<RecordedPeriods> {
  const name = `${path} ${chunkSizeBytes}`
  const known = read.get(name) ?? make(path, chunkSizeBytes)
  read.set(name, known)
  return known
}

async function make(path: string, chunkSizeBytes: number): Promise<RecordedPeriods> {
  const recording = await readRecording(path)
  const executions = await readExecutions(path)
  const { chainId, genesisTimestampMs } = recording
  const network = { chainId, genesisTimestampMs }
  const last = Math.max(...recording.finals.keys())
  const periods: ArchivedPeriod[] = []
  for (let period = 0; period * THREAD_COUNT <= last; period++) {
    const slots = decideSlots(recording, period)
    if (!slots) continue
    const executionResults = attestExecutions(executions.get(period) ?? new Map(), { network, period }, ATTESTER_SEED)
    periods.push(encodePeriod({ network, period, slots, executionResults }, chunkSizeBytes))
  }
  return { recording, identity: { network, chunkSizeBytes }, periods }
}

/** `undefined` where the recording does not hold all of it. */
function decideSlots(recording: Recording, period: Period): DecidedSlot[] | undefined {
  const slots: DecidedSlot[] = []
  for (let thread = 0; thread < THREAD_COUNT; thread++) {
    const index = slotIndex({ period, thread })
    const id = recording.finals.get(index)
    if (id === undefined) {
      if (!recording.finals.has(index)) return undefined
      slots.push({ kind: 'miss' })
      continue
    }
    const block = recording.blocks.get(id)
    const operations = block?.operationIds.map((operationId) => {
      return { operationId, operation: recording.operations.get(operationId) }
    })
    if (!block || operations?.some(({ operation }) => operation === undefined)) return undefined
    const filled = joinFilledBlock(block.headerMessage, operations ?? [])
    slots.push({ kind: 'block', ...verifyFilledBlock(filled, recording.chainId, id) })
  }
  return slots
}

/** By period and thread. */
async function readExecutions(path: string): Promise<Map<Period, Map<number, Uint8Array>>> {
  const found = new Map<Period, Map<number, Uint8Array>>()
  for await (const message of readRecordingMessages(await readRecordingFile(path))) {
    if (message.kind !== 'stream' || message.stream !== 'NewSlotExecutionOutputsServer') continue
    const { output } = NewSlotExecutionOutputsResponseCodec.decode(message.message)
    if (output?.status !== EXECUTION_STATUS_FINAL || !output.executionOutput) continue
    const { period, thread } = slotFromProtobuf(output.executionOutput.slot)
    const execution: SlotExecution = executionFromOutput(output.executionOutput)
    const ofPeriod = found.get(period) ?? new Map<number, Uint8Array>()
    found.set(period, ofPeriod.set(thread, encodeExecution(execution)))
  }
  return found
}
