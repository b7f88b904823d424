import { sha256 } from '#crypto'
import {
  EXECUTION_STATUS_FINAL,
  formatHash,
  GetStatusResponseCodec,
  NewSlotExecutionOutputsResponseCodec,
  PERIOD_MS,
  SLOT_MS,
  type Slot,
  slotIndex,
  slotOfIndex,
  slotToProtobuf,
  THREAD_COUNT,
  toU64,
} from '../../core/index.ts'
import { BLOCK_STATUS, EXECUTION_QUERY_STATUS } from '../../telemetry/grpc/status-codes.ts'
import type { MadeBlock, MadeChain } from '../chain-maker.ts'
import type { NodeBlock, NodeOperation } from '../grpc/block-answers.ts'
import type { MadeOperation } from '../operation-maker.ts'
import type { NodeEvent, NodeState } from './node-answers.ts'
import { computeSpeculativeSlotIndex } from './status-message.ts'

/** `[consensus] force_keep_final_periods` of a massa-node as shipped. */
const KEEP_FINAL_PERIODS = 5
const MAX_BLOCK_BYTES = 300_000
const OPERATION_SUCCESS = 1
const EXPIRY_PERIODS = 9

interface ScriptedBlock extends NodeBlock {
  readonly operations: readonly MadeOperation[]
}

/** What a scripted node knows and claims. Everything may be changed at any time. */
export class ScriptedState implements NodeState {
  chainId: bigint
  genesisTimestampMs: bigint
  version = 'SAND.3.0'
  threadCount = THREAD_COUNT
  /** Last final slot, as an index. */
  finalIndex = THREAD_COUNT - 1
  /** Blocks of later slots are not known yet. */
  headIndex = THREAD_COUNT - 1
  /** The node's clock; without it, the end of the head slot. */
  currentTimeMs: number | undefined
  /** Periods that a final block is kept after its own. Infinity: for ever. */
  keepFinalPeriods = KEEP_FINAL_PERIODS
  /** Status of a block that the tests want told otherwise. */
  readonly statusOverrides = new Map<string, number>()
  private readonly finals = new Map<number, string>()
  private readonly blocks = new Map<string, ScriptedBlock>()
  private readonly operations = new Map<string, { operation: MadeOperation; blocks: ScriptedBlock[] }>()

  constructor(chain: MadeChain) {
    this.chainId = chain.chainId
    this.genesisTimestampMs = chain.genesisTimestampMs
    for (const [index, block] of chain.blocks) {
      this.addBlock(block)
      this.finals.set(index, block.id)
    }
  }

  /** A block beside those of the chain, such as a rival for a slot. */
  addBlock(block: MadeBlock): void {
    const known: ScriptedBlock = {
      id: block.id,
      slotIndex: slotIndex(block.slot),
      headerMessage: block.headerMessage,
      operationIds: block.operations.map((operation) => operation.idText),
      operations: block.operations,
    }
    this.blocks.set(block.id, known)
    for (const operation of block.operations) {
      const entry = this.operations.get(operation.idText)
      if (entry) entry.blocks.push(known)
      else this.operations.set(operation.idText, { operation, blocks: [known] })
    }
  }

  removeBlock(id: string): void {
    this.blocks.delete(id)
  }

  /** Which block the node calls final at a slot; `undefined` claims a miss. */
  setFinal(slot: Slot, id: string | undefined): void {
    if (id === undefined) this.finals.delete(slotIndex(slot))
    else this.finals.set(slotIndex(slot), id)
  }

  finalIdAt(index: number): string | undefined {
    return this.finals.get(index)
  }

  status(): Uint8Array {
    return GetStatusResponseCodec.encode({
      status: {
        version: this.version,
        currentTime: { milliseconds: toU64(BigInt(this.nowMs())) },
        lastExecutedFinalSlot: slotToProtobuf(slotOfIndex(this.finalIndex)),
        lastExecutedSpeculativeSlot: slotToProtobuf(slotOfIndex(this.speculativeSlotIndex())),
        config: {
          genesisTimestamp: { milliseconds: toU64(this.genesisTimestampMs) },
          threadCount: this.threadCount,
          t0: { milliseconds: toU64(BigInt(PERIOD_MS)) },
          maxBlockSize: MAX_BLOCK_BYTES,
        },
        chainId: toU64(this.chainId),
      },
    })
  }

  finalSlotIndex(): number {
    return this.finalIndex
  }

  speculativeSlotIndex(): number {
    return computeSpeculativeSlotIndex(this.nowMs(), this.genesisTimestampMs, this.finalIndex)
  }

  listBlocks(fromIndex: number, toIndex: number): ScriptedBlock[] {
    return [...this.blocks.values()].filter(
      (block) => block.slotIndex >= fromIndex && block.slotIndex < toIndex && this.isHeld(block),
    )
  }

  findBlock(id: string): ScriptedBlock | undefined {
    const block = this.blocks.get(id)
    return block && this.isHeld(block) ? block : undefined
  }

  blockStatus(block: NodeBlock): number {
    const override = this.statusOverrides.get(block.id)
    if (override !== undefined) return override
    const wins = this.finals.get(block.slotIndex) === block.id
    if (block.slotIndex <= this.finalIndex) return wins ? BLOCK_STATUS.final : BLOCK_STATUS.discarded
    return wins ? BLOCK_STATUS.blockclique : BLOCK_STATUS.alternateClique
  }

  findOperation(id: string): NodeOperation | undefined {
    const entry = this.operations.get(id)
    const holders = entry?.blocks.filter((block) => this.blocks.has(block.id) && this.isHeld(block)) ?? []
    if (!entry || holders.length === 0) return undefined
    const { message, thread } = entry.operation
    return { message, thread, blockIds: holders.map((block) => block.id) }
  }

  executionStatus(operationId: string): number {
    const holders = this.operations.get(operationId)?.blocks ?? []
    const executed = holders.some(
      (block) => block.slotIndex <= this.finalIndex && this.finals.get(block.slotIndex) === block.id,
    )
    return executed ? EXECUTION_QUERY_STATUS.success : EXECUTION_QUERY_STATUS.unknown
  }

  listEvents(): NodeEvent[] {
    return []
  }

  /** A message of the FINAL stream: this block, or a miss without one. */
  encodeFinal(index: number, blockId: string | undefined): Uint8Array {
    const operations = (blockId === undefined ? undefined : this.blocks.get(blockId)?.operations) ?? []
    const slot = slotOfIndex(index)
    const validUntil = slotToProtobuf({ period: slot.period + EXPIRY_PERIODS, thread: slot.thread })
    return NewSlotExecutionOutputsResponseCodec.encode({
      output: {
        status: EXECUTION_STATUS_FINAL,
        executionOutput: {
          slot: slotToProtobuf(slot),
          ...(blockId === undefined ? {} : { blockId: { value: blockId } }),
          stateChanges: {
            executedOpsChanges: operations.map((operation) => ({
              operationId: operation.idText,
              value: { status: OPERATION_SUCCESS, slot: validUntil },
            })),
            executionTrailHashChange: { set: { value: computeTrailHash(index, blockId) } },
          },
        },
      },
    })
  }

  private isHeld(block: ScriptedBlock): boolean {
    if (block.slotIndex > this.headIndex) return false
    if (block.slotIndex > this.finalIndex) return true
    const thread = block.slotIndex % THREAD_COUNT
    // The last final slot of the block's thread.
    const lastOfThread = this.finalIndex - ((this.finalIndex - thread + THREAD_COUNT) % THREAD_COUNT)
    return (lastOfThread - block.slotIndex) / THREAD_COUNT <= this.keepFinalPeriods
  }

  private nowMs(): number {
    return this.currentTimeMs ?? Number(this.genesisTimestampMs) + (this.headIndex + 1) * SLOT_MS
  }
}

/** Stands for the fingerprint of the execution: the same on every scripted node of a chain. */
function computeTrailHash(index: number, blockId: string | undefined): string {
  return formatHash(sha256(new TextEncoder().encode(`${index} ${blockId ?? 'miss'}`)))
}
