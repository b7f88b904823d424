import { blake3 } from '#crypto'
import {
  type BlockIdText,
  ByteWriter,
  computeAddress,
  computeAddressThread,
  computeOperationHash,
  concatBytes,
  formatAddress,
  formatBlockId,
  formatOperationId,
  type Operation,
  parseOperationContent,
  SLOT_MS,
  type Slot,
  slotOfIndex,
  THREAD_COUNT,
  verifySignature,
} from '../../core/index.ts'
import {
  ContractEngine,
  type ContractEvent,
  formatMas,
  Ledger,
  MAX_BLOCK_GAS,
  type NodeVersion,
  OPERATION_BASE_GAS,
  type StateChanges,
  TEMPORARY_COMPILATION_GAS,
  toEngineOperation,
} from '../engine/index.ts'
import { badRequest, JsonRpcError } from './json-rpc-error.ts'

/** Periods in which an operation may be included (facts: massa-node 3.1). */
export const OPERATION_VALIDITY_PERIODS = 10
const MAX_BLOCK_BYTES = 300_000
/** The oldest are forgotten. */
const MAX_EVENTS_KEPT = 100_000
/** What header and signatures take of a block, at most. */
const BLOCK_OVERHEAD_BYTES = 10_000

export interface DevnetChainOptions {
  /** 77 by default. */
  readonly chainId?: bigint
  readonly genesisTimestampMs: number
  /** Addresses with their nanoMAS. */
  readonly accounts: Iterable<readonly [address: string, balanceNanoMas: bigint]>
  readonly nodeVersion?: NodeVersion
  readonly minimalFeeNanoMas?: bigint
  /** Slots from the clock to the last executed one; 4, as a node runs. */
  readonly executionLagSlots?: number
  /** Slots from the last executed one to the last final one; 100, as a node with most of its stake online. */
  readonly finalityLagSlots?: number
  /** Periods after its inclusion in which an operation is shown. */
  readonly memoryPeriods?: number
}

/** An operation that was accepted. */
export interface KnownOperation {
  readonly id: string
  readonly operation: Operation
  readonly signature: string
  readonly publicKey: string
  readonly creator: string
  /** Address of the creator, 34 bytes, and id, 33 bytes. */
  readonly creatorBytes: Uint8Array
  readonly idBytes: Uint8Array
  readonly thread: number
  readonly receivedIndex: number
  readonly sizeBytes: number
  /** Once it is in a block. */
  inclusion: { readonly slotIndex: number; readonly block: BlockIdText; readonly success: boolean } | undefined
}

export interface ChainEvent {
  readonly event: ContractEvent
  readonly block: BlockIdText
}

interface ExecutedSlot {
  readonly index: number
  readonly changes: StateChanges
}

export interface SentOperation {
  readonly publicKey: Uint8Array
  readonly publicKeyText: string
  readonly signature: Uint8Array
  readonly signatureText: string
  readonly content: Uint8Array
}

export interface CheckedOperation {
  readonly sent: SentOperation
  readonly operation: Operation
  readonly idBytes: Uint8Array
}

/**
 * A chain in memory: it takes operations, executes each in a slot of its sender's thread, and makes slots final some time
 * later. Time is what `advanceTo` says. Every slot has a block; blocks themselves are not made.
 */
export class DevnetChain {
  readonly chainId: bigint
  readonly genesisTimestampMs: number
  readonly minimalFeeNanoMas: bigint
  readonly engine: ContractEngine
  /** The state of the last final slot. */
  readonly finalLedger = new Ledger()
  readonly operations = new Map<string, KnownOperation>()
  readonly events: ChainEvent[] = []
  private readonly executionLagSlots: number
  private readonly finalityLagSlots: number
  private readonly memoryPeriods: number
  private readonly unfinal: ExecutedSlot[] = []
  private readonly pool = new Set<KnownOperation>()
  private clockIndex: number
  private executedIndex = THREAD_COUNT - 1

  constructor(options: DevnetChainOptions) {
    this.chainId = options.chainId ?? 77n
    this.genesisTimestampMs = options.genesisTimestampMs
    this.minimalFeeNanoMas = options.minimalFeeNanoMas ?? 10_000_000n
    this.executionLagSlots = options.executionLagSlots ?? 4
    this.finalityLagSlots = options.finalityLagSlots ?? 100
    this.memoryPeriods = options.memoryPeriods ?? OPERATION_VALIDITY_PERIODS
    this.clockIndex = this.executedIndex
    const accounts = [...options.accounts]
    this.engine = new ContractEngine({
      chainId: this.chainId,
      genesisTimestampMs: BigInt(options.genesisTimestampMs),
      slot: slotOfIndex(this.executedIndex),
      ...(options.nodeVersion === undefined ? {} : { nodeVersion: options.nodeVersion }),
      accounts,
    })
    for (const [address, balance] of accounts) this.finalLedger.setBalance(address, balance)
    this.finalLedger.dropJournal()
  }

  /** Of the clock. */
  get lastSlot(): Slot {
    return slotOfIndex(this.clockIndex)
  }

  get executedSlot(): Slot {
    return slotOfIndex(this.executedIndex)
  }

  get finalSlot(): Slot {
    return slotOfIndex(this.finalIndex)
  }

  get poolSize(): number {
    return this.pool.size
  }

  isFinal(index: number): boolean {
    return index <= this.finalIndex
  }

  /** Goes on to the slot of this time; an earlier time changes nothing. */
  advanceTo(nowMs: number): void {
    const clockIndex =
      THREAD_COUNT - 1 + Math.max(0, Math.floor((nowMs - this.genesisTimestampMs) / SLOT_MS) - (THREAD_COUNT - 1))
    if (clockIndex <= this.clockIndex) return
    this.clockIndex = clockIndex
    const target = Math.max(this.executedIndex, clockIndex - this.executionLagSlots)
    for (let index = this.nextBusySlot(target); index < target; index = this.nextBusySlot(target))
      this.executeSlot(index)
    if (target > this.executedIndex) this.executeSlot(target)
    this.settleFinal()
    this.forget()
  }

  /**
   * Checks an operation as a node does before it goes into its pool.
   *
   * @throws JsonRpcError
   */
  check(sent: SentOperation): CheckedOperation {
    const operation = parseContent(sent.content)
    if (operation.body.kind === 'roll-buy' || operation.body.kind === 'roll-sell') {
      throw badRequest('this devnet has no rolls')
    }
    const hash = computeOperationHash(this.chainId, sent.publicKey, sent.content)
    if (operation.feeNanoMas < this.minimalFeeNanoMas) {
      throw badRequest(
        `fee is too low provided: ${formatMas(operation.feeNanoMas)} , minimal_fees required: ${formatMas(this.minimalFeeNanoMas)}`,
      )
    }
    if (!verifySignature(sent.publicKey, hash, sent.signature)) throw badSignature()
    if (operation.expirePeriod < BigInt(this.lastSlot.period)) {
      throw new JsonRpcError(
        -32016,
        'Inconsistency error: Operation expire_period is lower than the current period of this node. Your operation will never be included in a block.',
      )
    }
    return { sent, operation, idBytes: concatBytes(Uint8Array.of(0), hash) }
  }

  /** Puts a checked operation into the pool; one that is known stays as it is. @returns its id */
  accept({ sent, operation, idBytes }: CheckedOperation): string {
    const id = formatOperationId(idBytes)
    if (this.operations.has(id)) return id
    const address = computeAddress(sent.publicKey)
    const known: KnownOperation = {
      id,
      operation,
      signature: sent.signatureText,
      publicKey: sent.publicKeyText,
      creator: formatAddress(address),
      creatorBytes: address,
      idBytes,
      thread: computeAddressThread(address),
      receivedIndex: this.clockIndex,
      sizeBytes: sent.content.length + 98,
      inclusion: undefined,
    }
    this.operations.set(id, known)
    this.pool.add(known)
    return id
  }

  private get finalIndex(): number {
    return Math.max(0, this.executedIndex - this.finalityLagSlots)
  }

  /** The next slot in which an operation may be included; `limit` when there is none before it. */
  private nextBusySlot(limit: number): number {
    let next = limit
    for (const known of this.pool) {
      const from = Math.max(this.executedIndex, known.receivedIndex, this.firstPeriod(known) * THREAD_COUNT - 1) + 1
      const index = from + ((((known.thread - from) % THREAD_COUNT) + THREAD_COUNT) % THREAD_COUNT)
      if (index < next && index < (Number(known.operation.expirePeriod) + 1) * THREAD_COUNT) next = index
    }
    return next
  }

  private firstPeriod({ operation }: KnownOperation): number {
    return Math.max(0, Number(operation.expirePeriod) - OPERATION_VALIDITY_PERIODS)
  }

  private executeSlot(index: number): void {
    const slot = slotOfIndex(index)
    const { engine } = this
    const block = this.blockIdOf(index)
    const snapshot = engine.snapshot()
    const mark = engine.ledger.mark()
    for (const outcome of engine.setSlot(slot, block.bytes)) this.record(outcome.events, block.text)
    for (const known of this.choose(slot, index)) this.execute(known, index, block.text)
    this.unfinal.push({ index, changes: engine.ledger.changesSince(mark) })
    engine.release(snapshot)
    this.executedIndex = index
  }

  /** What a producer takes: highest fee first, as much as fits. */
  private choose(slot: Slot, index: number): KnownOperation[] {
    const due = [...this.pool].filter(
      (known) =>
        known.thread === slot.thread &&
        known.receivedIndex < index &&
        known.operation.expirePeriod >= BigInt(slot.period) &&
        this.firstPeriod(known) <= slot.period,
    )
    due.sort((a, b) => Number(b.operation.feeNanoMas - a.operation.feeNanoMas))
    let bytes = MAX_BLOCK_BYTES - BLOCK_OVERHEAD_BYTES
    let gas = BigInt(MAX_BLOCK_GAS)
    return due.filter((known) => {
      const needed = computeGas(known.operation)
      if (known.sizeBytes > bytes || needed > gas) return false
      bytes -= known.sizeBytes
      gas -= needed
      return true
    })
  }

  private execute(known: KnownOperation, index: number, block: BlockIdText): void {
    const { creatorBytes, operation, idBytes } = known
    const outcome = this.engine.executeOperation(toEngineOperation(creatorBytes, operation, idBytes))
    // A producer leaves out what cannot pay its fee; it may be able to later.
    if (!outcome.included) return
    this.pool.delete(known)
    known.inclusion = { slotIndex: index, block, success: outcome.success }
    this.record(outcome.events, block)
  }

  private record(events: readonly ContractEvent[], block: BlockIdText): void {
    for (const event of events) this.events.push({ event, block })
    if (this.events.length > MAX_EVENTS_KEPT) this.events.splice(0, this.events.length - MAX_EVENTS_KEPT)
  }

  private settleFinal(): void {
    for (let slot = this.unfinal[0]; slot && this.isFinal(slot.index); slot = this.unfinal[0]) {
      this.unfinal.shift()
      applyChanges(this.finalLedger, slot.changes)
    }
    this.finalLedger.dropJournal()
  }

  private forget(): void {
    const { period } = this.lastSlot
    for (const known of this.operations.values()) {
      const isOld = known.inclusion
        ? this.isFinal(known.inclusion.slotIndex) &&
          slotOfIndex(known.inclusion.slotIndex).period + this.memoryPeriods < period
        : Number(known.operation.expirePeriod) < this.executedSlot.period
      if (!isOld) continue
      this.operations.delete(known.id)
      this.pool.delete(known)
    }
  }

  private blockIdOf(index: number): { readonly bytes: Uint8Array; readonly text: BlockIdText } {
    const seed = new ByteWriter().string('massa-storage devnet block').u64(this.chainId).u64(BigInt(index)).finish()
    const bytes = concatBytes(Uint8Array.of(0), blake3(seed))
    return { bytes, text: formatBlockId(bytes) }
  }
}

function computeGas({ body }: Operation): bigint {
  const base = BigInt(OPERATION_BASE_GAS)
  if (body.kind === 'call-sc') return body.maxGas + base
  if (body.kind === 'execute-sc') return body.maxGas + base + BigInt(TEMPORARY_COMPILATION_GAS)
  return base
}

function applyChanges(ledger: Ledger, changes: StateChanges): void {
  for (const [address, change] of changes) {
    if (change.balanceNanoMas !== undefined) ledger.setBalance(address, change.balanceNanoMas)
    if (change.bytecode !== undefined) ledger.setBytecode(address, change.bytecode)
    for (const [key, value] of change.datastore) {
      const bytes = Buffer.from(key, 'latin1')
      if (value === undefined) ledger.deleteValue(address, bytes)
      else ledger.setValue(address, bytes, value)
    }
  }
}

function parseContent(content: Uint8Array): Operation {
  try {
    return parseOperationContent(content)
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause)
    throw new JsonRpcError(
      -32013,
      /trailing/.test(text)
        ? 'Models error: Deserialization error: There is data left after operation deserialization'
        : `Models error: Deserialization error: ${text}`,
    )
  }
}

function badSignature(): JsonRpcError {
  return new JsonRpcError(
    -32013,
    'Models error: `massa_signature` error: Signature error : Signature verification failed: signature error: Verification equation was not satisfied',
  )
}
