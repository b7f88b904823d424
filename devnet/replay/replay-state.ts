import {
  computeAddress,
  computeAddressThread,
  parsePublicKey,
  SignedOperationCodec,
  THREAD_COUNT,
} from '../../core/index.ts'
import { BLOCK_STATUS, EXECUTION_QUERY_STATUS } from '../../telemetry/grpc/status-codes.ts'
import type { NodeOperation } from '../grpc/block-answers.ts'
import type { NodeEvent, NodeState } from './node-answers.ts'
import { computeSpeculativeSlotIndex, moveStatusMessage } from './status-message.ts'
import type { RecordedBlock, Recording } from './timeline.ts'

/** A final block is dropped when the sixth later period of its thread is final (facts: massa-node 1.4). */
export const FORGET_AFTER_MS = 96_000
/** An executed operation is known until so many periods after it could last be executed (facts: massa-node 1.4). */
const KEEP_EXECUTED_PERIODS = 10

export interface ReplayView {
  /** Recording time. */
  nowMs(): number
  /** Whether a block that the node would have dropped by now is still needed. */
  mustRemember(block: RecordedBlock): boolean
}

/** What the recorded node knew at the view's moment. */
export class ReplayState implements NodeState {
  private readonly recording: Recording
  private readonly view: ReplayView
  private readonly ordered: readonly RecordedBlock[]
  private readonly blocksOfOperation = new Map<string, RecordedBlock[]>()

  constructor(recording: Recording, view: ReplayView) {
    this.recording = recording
    this.view = view
    this.ordered = [...recording.blocks.values()].sort((a, b) => a.slotIndex - b.slotIndex)
    for (const block of this.ordered) {
      for (const id of new Set(block.operationIds)) {
        const holders = this.blocksOfOperation.get(id)
        if (holders) holders.push(block)
        else this.blocksOfOperation.set(id, [block])
      }
    }
  }

  status(): Uint8Array {
    const now = this.view.nowMs()
    const { statuses } = this.recording
    const template = statuses[Math.max(0, countUpTo(statuses, now) - 1)]
    return moveStatusMessage(template?.response ?? new Uint8Array(0), {
      currentTimeMs: this.recording.epochMs + now,
      finalSlotIndex: this.finalSlotIndex(),
      speculativeSlotIndex: this.speculativeSlotIndex(),
    })
  }

  finalSlotIndex(): number {
    const { cursor } = this.recording
    return cursor[Math.max(0, countUpTo(cursor, this.view.nowMs()) - 1)]?.slotIndex ?? 0
  }

  speculativeSlotIndex(): number {
    const nowMs = this.recording.epochMs + this.view.nowMs()
    return computeSpeculativeSlotIndex(nowMs, this.recording.genesisTimestampMs, this.finalSlotIndex())
  }

  listBlocks(fromIndex: number, toIndex: number): RecordedBlock[] {
    return this.ordered.filter(
      (block) => block.slotIndex >= fromIndex && block.slotIndex < toIndex && this.isHeld(block),
    )
  }

  findBlock(id: string): RecordedBlock | undefined {
    const block = this.recording.blocks.get(id)
    return block && this.isHeld(block) ? block : undefined
  }

  blockStatus(block: RecordedBlock): number {
    const settled = block.settledAtMs !== undefined && block.settledAtMs <= this.view.nowMs()
    if (block.isFinal) return settled ? BLOCK_STATUS.final : BLOCK_STATUS.blockclique
    if (settled) return BLOCK_STATUS.discarded
    return block.settledAtMs === undefined ? BLOCK_STATUS.blockclique : BLOCK_STATUS.alternateClique
  }

  findOperation(id: string): NodeOperation | undefined {
    const message = this.recording.operations.get(id)
    const holders = (this.blocksOfOperation.get(id) ?? []).filter((block) => this.isHeld(block))
    if (!message || holders.length === 0) return undefined
    const { contentCreatorPubKey } = SignedOperationCodec.decode(message)
    const thread = computeAddressThread(computeAddress(parsePublicKey(contentCreatorPubKey ?? '')))
    return { message, thread, blockIds: holders.map((block) => block.id) }
  }

  executionStatus(operationId: string): number {
    const executed = this.recording.executed.get(operationId)
    const period = Math.floor(this.finalSlotIndex() / THREAD_COUNT)
    if (!executed || executed.atMs > this.view.nowMs() || executed.validUntilPeriod + KEEP_EXECUTED_PERIODS < period) {
      return EXECUTION_QUERY_STATUS.unknown
    }
    return executed.succeeded ? EXECUTION_QUERY_STATUS.success : EXECUTION_QUERY_STATUS.failure
  }

  listEvents(fromIndex: number, toIndex: number): NodeEvent[] {
    const end = Math.min(toIndex, this.finalSlotIndex() + 1)
    return this.recording.events.filter((event) => event.slotIndex >= fromIndex && event.slotIndex < end)
  }

  private isHeld(block: RecordedBlock): boolean {
    const now = this.view.nowMs()
    if (block.knownAtMs > now) return false
    const isOld = block.settledAtMs !== undefined && block.settledAtMs + FORGET_AFTER_MS <= now
    return !isOld || this.view.mustRemember(block)
  }
}

/** How many entries, ascending in time, are not after `atMs`. */
function countUpTo(entries: readonly { readonly atMs: number }[], atMs: number): number {
  let low = 0
  let high = entries.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((entries[middle]?.atMs ?? 0) <= atMs) low = middle + 1
    else high = middle
  }
  return low
}
