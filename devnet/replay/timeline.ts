import {
  BLOCK_STATUS_FINAL,
  type BlockIdText,
  EXECUTION_STATUS_FINAL,
  type ExecutionOutputMessage,
  fromU64,
  GetBlocksResponseCodec,
  GetOperationsResponseCodec,
  GetStatusResponseCodec,
  NewFilledBlocksResponseCodec,
  NewSlotExecutionOutputsResponseCodec,
  PERIOD_MS,
  RawFilledBlockCodec,
  SearchBlocksResponseCodec,
  SecureHashCodec,
  SignedBlockHeaderCodec,
  SLOT_MS,
  slotFromProtobuf,
  slotIndex,
  THREAD_COUNT,
} from '../../core/index.ts'
import { readWireFields } from '../../telemetry/grpc/wire.ts'
import type { NodeBlock } from '../grpc/block-answers.ts'
import type { NodeEvent } from './node-answers.ts'
import { type RecordedMessage, recordingInvalid } from './recording.ts'

export interface RecordedBlock extends NodeBlock {
  readonly parents: readonly string[]
  /** When the node had it: the moment it was streamed, or that of its slot where nobody saw it come. */
  readonly knownAtMs: number
  /** When its slot was decided, by whatever said so first: for it, or against it. */
  readonly settledAtMs: number | undefined
  readonly isFinal: boolean
}

export interface StreamedMessage {
  readonly atMs: number
  readonly stream: string
  readonly message: Uint8Array
}

export interface ExecutedOperation {
  readonly atMs: number
  readonly succeeded: boolean
  /** The last period in which it could have been executed. */
  readonly validUntilPeriod: number
}

/** What a node said, ordered by when; times are milliseconds of the recording. */
export interface Recording {
  readonly chainId: bigint
  readonly genesisTimestampMs: bigint
  /** The node's clock at time 0 of the recording, since the epoch. */
  readonly epochMs: number
  /** The first status answer: what was seen before is what the node knows when a replay begins. */
  readonly startMs: number
  readonly endMs: number
  /** False when the streams stayed silent (`enable_broadcast = false`). */
  readonly broadcasts: boolean
  readonly statuses: readonly { readonly atMs: number; readonly response: Uint8Array }[]
  readonly blocks: ReadonlyMap<string, RecordedBlock>
  /** Messages of the operations by id. */
  readonly operations: ReadonlyMap<string, Uint8Array>
  /** Final block of a slot index; `undefined` under a known index is a miss. */
  readonly finals: ReadonlyMap<number, BlockIdText | undefined>
  /** Last executed final slot over time, both ascending. */
  readonly cursor: readonly { readonly atMs: number; readonly slotIndex: number }[]
  /** Messages of the streams after the start. */
  readonly streamed: readonly StreamedMessage[]
  readonly executed: ReadonlyMap<string, ExecutedOperation>
  /** Ascending by slot. */
  readonly events: readonly NodeEvent[]
}

/** @throws ArchiveError DEVNET_RECORDING_INVALID */
export async function buildTimeline(messages: AsyncIterable<RecordedMessage>): Promise<Recording> {
  const builder = new TimelineBuilder()
  for await (const message of messages) {
    builder.endMs = Math.max(builder.endMs, message.tMs)
    try {
      builder.add(message)
    } catch (error) {
      throw recordingInvalid(message.line, 'a message in it does not decode or contradicts an earlier one', error)
    }
  }
  return builder.finish()
}

interface Sighting {
  readonly block: Omit<RecordedBlock, 'knownAtMs' | 'settledAtMs' | 'isFinal'>
  streamedAtMs?: number
}

/** Gathers what the lines say, in whatever order they come. */
class TimelineBuilder {
  endMs = 0
  private readonly statuses: { atMs: number; response: Uint8Array }[] = []
  private network: { chainId: bigint; genesisTimestampMs: bigint } | undefined
  private epochMs = Number.NEGATIVE_INFINITY
  private readonly sightings = new Map<string, Sighting>()
  private readonly operations = new Map<string, Uint8Array>()
  private readonly finalAt = new Map<string, number>()
  private readonly outputs = new Map<number, { atMs: number; blockId: string | undefined }>()
  private readonly cursors: { atMs: number; slotIndex: number }[] = []
  private readonly streamed: StreamedMessage[] = []
  private readonly executed = new Map<string, ExecutedOperation>()
  private readonly events: NodeEvent[] = []

  add(message: RecordedMessage): void {
    if (message.kind === 'stream') {
      if (message.stream === 'NewFilledBlocksServer') this.addFilledBlock(message.tMs, message.message)
      else if (message.stream === 'NewSlotExecutionOutputsServer') this.addOutput(message.tMs, message.message)
      else return
      this.streamed.push({ atMs: message.tMs, stream: message.stream, message: message.message })
    } else if (message.kind === 'call' && message.response !== undefined) {
      this.addAnswer(message.tMs, message.rpc, message.response)
    }
  }

  finish(): Recording {
    const first = this.statuses.toSorted((a, b) => a.atMs - b.atMs)[0]
    if (!first || !this.network) throw recordingInvalid(1, 'no answer to GetStatus follows, so its network is unknown')
    const startMs = first.atMs
    const cursor = this.orderCursor()
    const finals = this.nameFinals(cursor)
    const blocks = this.settleBlocks(finals, cursor)
    const streamed = this.streamed.toSorted((a, b) => a.atMs - b.atMs)
    return {
      ...this.network,
      epochMs: this.epochMs,
      startMs,
      endMs: this.endMs,
      broadcasts: streamed.length > 0,
      statuses: this.statuses.toSorted((a, b) => a.atMs - b.atMs),
      blocks,
      operations: this.operations,
      finals,
      cursor,
      streamed: streamed.filter((message) => message.atMs >= startMs),
      executed: this.executed,
      events: this.events.toSorted((a, b) => a.slotIndex - b.slotIndex),
    }
  }

  private addAnswer(atMs: number, rpc: string, response: Uint8Array): void {
    if (rpc === 'GetStatus') this.addStatus(atMs, response)
    else if (rpc === 'SearchBlocks') {
      for (const info of SearchBlocksResponseCodec.decode(response).blockInfos ?? []) {
        if (info.blockId && info.status === BLOCK_STATUS_FINAL) this.sawFinal(info.blockId, atMs)
      }
    } else if (rpc === 'GetBlocks') {
      for (const { status, block } of GetBlocksResponseCodec.decode(response).wrappedBlocks ?? []) {
        if (!block?.header) continue
        const id = this.addBlock(block.header, block.operations ?? [])
        if (status === BLOCK_STATUS_FINAL) this.sawFinal(id, atMs)
      }
    } else if (rpc === 'GetOperations') {
      for (const { operation } of GetOperationsResponseCodec.decode(response).wrappedOperations ?? []) {
        if (operation) this.operations.set(SecureHashCodec.decode(operation).secureHash ?? '', operation)
      }
    }
  }

  private addStatus(atMs: number, response: Uint8Array): void {
    const { status } = GetStatusResponseCodec.decode(response)
    if (!status) throw new Error('the answer to GetStatus is empty')
    const network = {
      chainId: fromU64(status.chainId),
      genesisTimestampMs: fromU64(status.config?.genesisTimestamp?.milliseconds),
    }
    const known = this.network ?? network
    if (known.chainId !== network.chainId || known.genesisTimestampMs !== network.genesisTimestampMs) {
      throw new Error('the network changes')
    }
    this.network = known
    // The node read its clock before its answer arrived, so the largest difference is the nearest.
    this.epochMs = Math.max(this.epochMs, Number(fromU64(status.currentTime?.milliseconds)) - atMs)
    this.cursors.push({ atMs, slotIndex: slotIndex(slotFromProtobuf(status.lastExecutedFinalSlot)) })
    this.statuses.push({ atMs, response })
  }

  private addFilledBlock(atMs: number, message: Uint8Array): void {
    const filled = RawFilledBlockCodec.decode(
      NewFilledBlocksResponseCodec.decode(message).filledBlock ?? new Uint8Array(0),
    )
    const operations = filled.operations ?? []
    for (const { operationId, operation } of operations) {
      if (operationId && operation) this.operations.set(operationId, operation)
    }
    const ids = operations.map((entry) => entry.operationId ?? '')
    const sighting = this.sightings.get(this.addBlock(filled.header ?? new Uint8Array(0), ids))
    if (sighting) sighting.streamedAtMs = Math.min(sighting.streamedAtMs ?? atMs, atMs)
  }

  private addBlock(headerMessage: Uint8Array, operationIds: readonly string[]): BlockIdText {
    const header = SignedBlockHeaderCodec.decode(headerMessage)
    const id = header.secureHash as BlockIdText | undefined
    if (!id || !header.content) throw new Error('a block without header')
    if (!this.sightings.has(id)) {
      const index = slotIndex(slotFromProtobuf(header.content.slot))
      const block = { id, slotIndex: index, headerMessage, operationIds, parents: header.content.parents ?? [] }
      this.sightings.set(id, { block })
    }
    return id
  }

  private addOutput(atMs: number, message: Uint8Array): void {
    const { output } = NewSlotExecutionOutputsResponseCodec.decode(message)
    if (output?.status !== EXECUTION_STATUS_FINAL || !output.executionOutput) return
    const execution = output.executionOutput
    const index = slotIndex(slotFromProtobuf(execution.slot))
    const blockId = execution.blockId?.value
    this.outputs.set(index, { atMs, blockId })
    this.cursors.push({ atMs, slotIndex: index })
    if (blockId) this.sawFinal(blockId, atMs)
    this.addExecution(atMs, index, execution, message)
  }

  private addExecution(atMs: number, index: number, execution: ExecutionOutputMessage, message: Uint8Array): void {
    for (const { operationId, value } of execution.stateChanges?.executedOpsChanges ?? []) {
      if (!operationId) continue
      const validUntilPeriod = slotFromProtobuf(value?.slot).period
      this.executed.set(operationId, { atMs, succeeded: value?.status === 1, validUntilPeriod })
    }
    if (!execution.events?.length) return
    // The events as they were sent: response > output (1) > execution output (2) > events (3).
    const [output] = payloads(message, 1)
    const [inner] = output ? payloads(output, 2) : []
    for (const event of inner ? payloads(inner, 3) : []) this.events.push({ slotIndex: index, message: event })
  }

  private sawFinal(id: string, atMs: number): void {
    this.finalAt.set(id, Math.min(this.finalAt.get(id) ?? atMs, atMs))
  }

  private orderCursor(): { atMs: number; slotIndex: number }[] {
    const ascending: { atMs: number; slotIndex: number }[] = []
    for (const step of this.cursors.toSorted((a, b) => a.atMs - b.atMs || a.slotIndex - b.slotIndex)) {
      if (step.slotIndex > (ascending.at(-1)?.slotIndex ?? -1)) ascending.push(step)
    }
    return ascending
  }

  /** FINAL messages name blocks and misses; without them, a slot that the cursor passed without a final block is a miss. */
  private nameFinals(cursor: readonly { slotIndex: number }[]): Map<number, BlockIdText | undefined> {
    const finals = new Map<number, BlockIdText | undefined>()
    const first = (cursor[0]?.slotIndex ?? 0) + 1
    for (let index = first; index <= (cursor.at(-1)?.slotIndex ?? -1); index++) {
      finals.set(index, this.outputs.get(index)?.blockId as BlockIdText | undefined)
    }
    for (const id of this.finalAt.keys()) {
      const block = this.sightings.get(id)?.block
      if (block) finals.set(block.slotIndex, block.id)
    }
    return finals
  }

  private settleBlocks(
    finals: ReadonlyMap<number, BlockIdText | undefined>,
    cursor: readonly { atMs: number; slotIndex: number }[],
  ): Map<string, RecordedBlock> {
    const blocks = new Map<string, RecordedBlock>()
    const ordered = [...this.sightings.values()].sort((a, b) => a.block.slotIndex - b.block.slotIndex)
    let step = 0
    for (const { block, streamedAtMs } of ordered) {
      while (cursor[step] && (cursor[step]?.slotIndex ?? 0) < block.slotIndex) step++
      const finalId = finals.get(block.slotIndex)
      const said = finalId === undefined ? undefined : this.finalAt.get(finalId)
      const settledAtMs = Math.min(said ?? Number.POSITIVE_INFINITY, cursor[step]?.atMs ?? Number.POSITIVE_INFINITY)
      blocks.set(block.id, {
        ...block,
        knownAtMs: streamedAtMs ?? this.slotTimeMs(block.slotIndex),
        settledAtMs: Number.isFinite(settledAtMs) ? settledAtMs : undefined,
        isFinal: finalId === block.id,
      })
    }
    return blocks
  }

  /** Recording time at which a slot begins. */
  private slotTimeMs(index: number): number {
    const genesis = Number(this.network?.genesisTimestampMs ?? 0n)
    return genesis + Math.floor(index / THREAD_COUNT) * PERIOD_MS + (index % THREAD_COUNT) * SLOT_MS - this.epochMs
  }
}

function payloads(message: Uint8Array, number: number): Uint8Array[] {
  return readWireFields(message).flatMap((field) => (field.number === number ? (field.payload ?? []) : []))
}
