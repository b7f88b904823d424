import {
  computeOperationHash,
  concatBytes,
  formatMas,
  formatOperationId,
  OPERATION_VALIDITY_PERIODS,
  type Operation,
  parseOperationContent,
  type Slot,
  verifySignature,
} from '../../../core/index.ts'
import { badRequest, JsonRpcError } from '../../../telemetry/json-rpc/index.ts'
import {
  BLOCK_GAS,
  computeBlockGas,
  computeMaxSpending,
  computeOperationSize,
  TrackedOperation,
} from './known-operation.ts'

const MAX_BLOCK_BYTES = 300_000
const MAX_BLOCK_OPERATIONS = 5000
/** Periods in which an operation must become valid: those that a node looks ahead for its own draws, 82 s. */
const MAX_WAIT_PERIODS = 5

/** As it came; texts as the sender wrote them are made again from the bytes. */
export interface SentOperation {
  readonly publicKey: Uint8Array
  readonly signature: Uint8Array
  readonly content: Uint8Array
}

export interface CheckedOperation {
  readonly sent: SentOperation
  readonly operation: Operation
  /** 33 bytes */
  readonly idBytes: Uint8Array
  readonly id: string
}

/**
 * Checks an operation as a node does before it goes into its pool.
 *
 * @throws JsonRpcError
 */
export function checkOperation(
  sent: SentOperation,
  rules: { readonly chainId: bigint; readonly minimalFeeNanoMas: bigint; readonly now: Slot },
): CheckedOperation {
  const operation = parseContent(sent.content)
  const hash = computeOperationHash(rules.chainId, sent.publicKey, sent.content)
  checkGas(operation)
  if (operation.expirePeriod < BigInt(rules.now.period)) {
    throw new JsonRpcError(
      -32016,
      'Inconsistency error: Operation expire_period is lower than the current period of this node. Your operation will never be included in a block.',
    )
  }
  if (operation.feeNanoMas < rules.minimalFeeNanoMas) {
    throw badRequest(
      `fee is too low provided: ${formatMas(operation.feeNanoMas)} , minimal_fees required: ${formatMas(rules.minimalFeeNanoMas)}`,
    )
  }
  if (!verifySignature(sent.publicKey, hash, sent.signature)) throw badSignature()
  const idBytes = concatBytes(Uint8Array.of(0), hash)
  return { sent, operation, idBytes, id: formatOperationId(idBytes) }
}

export function trackOperation(checked: CheckedOperation, chainId: bigint, receivedIndex: number): TrackedOperation {
  const { sent, operation, idBytes } = checked
  return new TrackedOperation({
    chainId,
    idBytes,
    operation,
    publicKey: sent.publicKey,
    signature: sent.signature,
    sizeBytes: computeOperationSize(sent.content),
    receivedIndex,
  })
}

/** What waits for a block, by the thread of its sender and in the order in which it came. */
export class OperationPool {
  private readonly threads = new Map<number, Set<TrackedOperation>>()
  private count = 0

  get size(): number {
    return this.count
  }

  add(tracked: TrackedOperation): void {
    if (tracked.isPooled) return
    const waiting = this.threads.get(tracked.thread) ?? new Set()
    this.threads.set(tracked.thread, waiting.add(tracked))
    tracked.isPooled = true
    this.count++
  }

  delete(tracked: TrackedOperation): void {
    if (!this.threads.get(tracked.thread)?.delete(tracked)) return
    tracked.isPooled = false
    this.count--
  }

  /**
   * Takes out what is above the limit: the lowest fees, of equal ones the newest. What is in a block that was not executed
   * yet stays.
   */
  takeExcess(maxSize: number, executedIndex: number): TrackedOperation[] {
    if (this.count <= maxSize) return []
    const free = [...this.threads.values()].flatMap((waiting) =>
      [...waiting].filter(({ includedIndex }) => includedIndex <= executedIndex),
    )
    free.sort((a, b) => Number(a.operation.feeNanoMas - b.operation.feeNanoMas) || b.sequence - a.sequence)
    const excess = free.slice(0, this.count - maxSize)
    for (const tracked of excess) this.delete(tracked)
    return excess
  }

  /** Takes out what no slot of its thread after `now` may hold any more. */
  takeExpired(now: Slot, executedIndex: number): TrackedOperation[] {
    const expired: TrackedOperation[] = []
    for (const waiting of this.threads.values()) {
      for (const tracked of waiting) {
        if (tracked.operation.expirePeriod < BigInt(now.period) && tracked.includedIndex <= executedIndex) {
          expired.push(tracked)
        }
      }
    }
    for (const tracked of expired) this.delete(tracked)
    return expired
  }

  /**
   * Before the block of a slot, what waits in its thread: what its producer takes, highest fee first, then as it came, as
   * much as fits; and what is to leave the pool, as a node refreshes it (massa-pool-worker, operation_pool.rs). That is
   * what becomes valid too late, and what a sender cannot pay: of his balance every operation takes all that it may
   * spend, those first that are in a block which was not executed yet.
   */
  sortOut(
    at: { readonly slot: Slot; readonly slotIndex: number; readonly executedIndex: number },
    balanceOf: (address: string) => bigint,
  ): { readonly chosen: TrackedOperation[]; readonly hopeless: TrackedOperation[] } {
    const { slot, slotIndex, executedIndex } = at
    const validUntil = slot.period + OPERATION_VALIDITY_PERIODS
    const wallet = new Wallet(balanceOf)
    const free: TrackedOperation[] = []
    for (const tracked of this.threads.get(slot.thread) ?? []) {
      if (tracked.includedIndex > executedIndex) wallet.spend(tracked)
      else if (tracked.receivedIndex < slotIndex) free.push(tracked)
    }
    free.sort((a, b) => Number(b.operation.feeNanoMas - a.operation.feeNanoMas))
    const chosen: TrackedOperation[] = []
    const hopeless: TrackedOperation[] = []
    const left = { bytes: MAX_BLOCK_BYTES, gas: BLOCK_GAS, operations: MAX_BLOCK_OPERATIONS }
    for (const tracked of free) {
      const { sizeBytes, operation } = tracked
      if (operation.expirePeriod > BigInt(validUntil + MAX_WAIT_PERIODS) || !wallet.spend(tracked)) {
        hopeless.push(tracked)
        continue
      }
      const isValid = operation.expirePeriod >= BigInt(slot.period) && operation.expirePeriod <= BigInt(validUntil)
      const gas = computeBlockGas(operation)
      if (!isValid || sizeBytes > left.bytes || gas > left.gas || left.operations === 0) continue
      chosen.push(tracked)
      left.bytes -= sizeBytes
      left.gas -= gas
      left.operations--
    }
    return { chosen, hopeless }
  }
}

/** What senders have left when all their operations have spent all that they may. */
class Wallet {
  private readonly balances = new Map<string, bigint>()
  private readonly balanceOf: (address: string) => bigint

  constructor(balanceOf: (address: string) => bigint) {
    this.balanceOf = balanceOf
  }

  /** @returns whether there was enough; if not, nothing is spent */
  spend({ creator, operation }: TrackedOperation): boolean {
    const left = (this.balances.get(creator) ?? this.balanceOf(creator)) - computeMaxSpending(operation)
    if (left < 0n) return false
    this.balances.set(creator, left)
    return true
  }
}

/** What no block has room for. */
function checkGas(operation: Operation): void {
  const gas = computeBlockGas(operation)
  if (gas <= BLOCK_GAS || (operation.body.kind !== 'call-sc' && operation.body.kind !== 'execute-sc')) return
  const name = operation.body.kind === 'call-sc' ? 'CallSC' : 'ExecuteSC'
  const overhead = gas - operation.body.maxGas
  throw new JsonRpcError(
    -32016,
    `Inconsistency error: Upper gas limit for ${name} operation is ${BLOCK_GAS - overhead}. Your operation will never be included in a block.`,
  )
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
