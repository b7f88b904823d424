import {
  type ArchiveError,
  ByteReader,
  ByteWriter,
  type ExecutionOutputMessage,
  formatOperationId,
  fromU64,
  parseOperationId,
  type ScExecutionEventMessage,
  THREAD_COUNT,
  toHex,
} from '../core/index.ts'
import type { OperationOutcome } from './node-client.ts'

/*
 * What executing a final slot did: attested by the archiver, under no root (docs/FORMAT.md, Execution results).
 */

const FORMAT = 1
const MAX_OPERATIONS = 100_000
const MAX_EVENTS = 1_000_000
const MAX_TEXT_BYTES = 1024
const MAX_EVENT_BYTES = 1024 * 1024
/** Of one slot: blocks are 300 kB and gas bounds what they cause. */
const MAX_EXECUTION_BYTES = 8 * 1024 * 1024
const SOURCES = ['stream', 'query', 'peer'] as const

export interface ExecutionEvent {
  readonly indexInSlot: number
  readonly callStack: readonly string[]
  /** Text of the operation that caused it, empty for autonomous calls. */
  readonly operationId: string
  readonly failed: boolean
  readonly data: Uint8Array
}

export interface SlotExecution {
  readonly source: (typeof SOURCES)[number]
  /** False when an operation's outcome or an event may be missing: its absence then means nothing. */
  readonly complete: boolean
  /** Chained execution fingerprint as the node writes it; empty when it was not seen. */
  readonly trailHash: string
  readonly outcomes: readonly { readonly operationId: string; readonly outcome: OperationOutcome }[]
  readonly events: readonly ExecutionEvent[]
}

/** From a FINAL message of NewSlotExecutionOutputs, which holds everything. */
export function executionFromOutput(output: ExecutionOutputMessage): SlotExecution {
  const changes = output.stateChanges
  return {
    source: 'stream',
    complete: true,
    trailHash: changes?.executionTrailHashChange?.set?.value ?? '',
    outcomes: (changes?.executedOpsChanges ?? []).map(({ operationId, value }) => ({
      operationId: operationId ?? '',
      outcome: value?.status === 1 ? 'success' : value?.status === 2 ? 'failed' : 'unknown',
    })),
    events: (output.events ?? []).map(readEvent),
  }
}

/** From queries, inside the windows in which a node answers them. */
export function executionFromQueries(
  outcomes: ReadonlyMap<string, OperationOutcome>,
  events: readonly ScExecutionEventMessage[],
  eventsComplete: boolean,
): SlotExecution {
  const known = [...outcomes].map(([operationId, outcome]) => ({ operationId, outcome }))
  return {
    source: 'query',
    complete: eventsComplete && known.every(({ outcome }) => outcome !== 'unknown'),
    trailHash: '',
    outcomes: known,
    events: events.map(readEvent),
  }
}

/** @throws ArchiveError when an id is none, or a text or list is longer than `parseExecution` takes */
export function encodeExecution(execution: SlotExecution): Uint8Array {
  const bytes = writeExecution(execution)
  if (bytes.length > MAX_EXECUTION_BYTES)
    throw new ByteReader(bytes).error(`execution results of ${bytes.length} bytes`)
  // What a node sent is read back here, so that nobody finds later that it cannot be.
  parseExecution(bytes)
  return bytes
}

function writeExecution(execution: SlotExecution): Uint8Array {
  const writer = new ByteWriter(256).u8(FORMAT).u8(SOURCES.indexOf(execution.source))
  writer.u8(execution.complete ? 1 : 0).string(execution.trailHash)
  const outcomes = execution.outcomes
    .map(({ operationId, outcome }) => ({ id: parseOperationId(operationId), outcome }))
    .sort((a, b) => (toHex(a.id) < toHex(b.id) ? -1 : 1))
  writer.u32(outcomes.length)
  for (const { id, outcome } of outcomes) writer.raw(id).u8(outcome === 'success' ? 1 : outcome === 'failed' ? 2 : 0)
  const events = [...execution.events].sort((a, b) => a.indexInSlot - b.indexInSlot)
  writer.u32(events.length)
  for (const event of events) {
    writer
      .u32(event.indexInSlot)
      .u8(event.failed ? 1 : 0)
      .string(event.operationId)
      .u32(event.callStack.length)
    for (const address of event.callStack) writer.string(address)
    writer.u32(event.data.length).raw(event.data)
  }
  return writer.finish()
}

/** @throws ArchiveError CORE_BYTES_INVALID */
export function parseExecution(bytes: Uint8Array): SlotExecution {
  const reader = new ByteReader(bytes)
  const execution = readExecution(reader)
  reader.end()
  return execution
}

/** Execution results of a period: u8 1, then per thread u32 length || slot execution; length 0: nothing is known. */
export function encodePeriodExecutions(executions: ReadonlyMap<number, Uint8Array>): Uint8Array {
  const writer = new ByteWriter(1024).u8(FORMAT)
  for (let thread = 0; thread < THREAD_COUNT; thread++) {
    const bytes = executions.get(thread) ?? new Uint8Array(0)
    writer.u32(bytes.length).raw(bytes)
  }
  return writer.finish()
}

/** Reads execution results that are followed by their attestation. */
export function readPeriodExecutions(reader: ByteReader): (SlotExecution | undefined)[] {
  if (reader.u8() !== FORMAT) throw reader.error('execution results of an unknown format')
  const executions: (SlotExecution | undefined)[] = []
  for (let thread = 0; thread < THREAD_COUNT; thread++) {
    const length = reader.u32()
    executions.push(length === 0 ? undefined : parseExecution(reader.raw(length)))
  }
  return executions
}

/** The same of one thread, without a look at the others or at what follows. */
export function parsePeriodExecution(bytes: Uint8Array, thread: number): SlotExecution | undefined {
  const reader = new ByteReader(bytes)
  if (reader.u8() !== FORMAT) throw reader.error('execution results of an unknown format')
  for (let before = 0; before < thread; before++) reader.raw(reader.u32())
  const length = reader.u32()
  return length === 0 ? undefined : parseExecution(reader.raw(length))
}

function readExecution(reader: ByteReader): SlotExecution {
  if (reader.u8() !== FORMAT) throw reader.error('execution results of an unknown format')
  const source = SOURCES[reader.u8()]
  if (source === undefined) throw reader.error('execution results of an unknown source')
  const complete = reader.u8() === 1
  const trailHash = reader.string(MAX_TEXT_BYTES)
  const outcomes = readList(reader, MAX_OPERATIONS, () => {
    const operationId = formatOperationId(reader.raw(33))
    const code = reader.u8()
    return {
      operationId,
      outcome: code === 1 ? ('success' as const) : code === 2 ? ('failed' as const) : ('unknown' as const),
    }
  })
  const events = readList(reader, MAX_EVENTS, () => ({
    indexInSlot: reader.u32(),
    failed: reader.u8() === 1,
    operationId: reader.string(MAX_TEXT_BYTES),
    callStack: readList(reader, MAX_TEXT_BYTES, () => reader.string(MAX_TEXT_BYTES)),
    data: reader.raw(boundedLength(reader)),
  }))
  return { source, complete, trailHash, outcomes, events }
}

function readList<T>(reader: ByteReader, max: number, read: () => T): T[] {
  const count = reader.u32()
  if (count > max) throw tooMany(reader, count)
  return Array.from({ length: count }, read)
}

function boundedLength(reader: ByteReader): number {
  const length = reader.u32()
  if (length > MAX_EVENT_BYTES) throw tooMany(reader, length)
  return length
}

function tooMany(reader: ByteReader, count: number): ArchiveError {
  return reader.error(`a list or text of ${count}`)
}

function readEvent({ context, data }: ScExecutionEventMessage): ExecutionEvent {
  return {
    indexInSlot: Number(fromU64(context?.indexInSlot)),
    callStack: context?.callStack ?? [],
    operationId: context?.originOperationId?.value ?? '',
    failed: context?.isFailure ?? false,
    data: data ?? new Uint8Array(0),
  }
}
