import { ArchiveError, type Clock, formatCoins, PERIOD_MS, parseRegistryRefusal } from '../core/index.ts'
import type { ChainStatus, FollowOptions, SignedBytes, SignedOperation, SubmittedOperation } from './chain-port.ts'
import type { NodeOperation } from './node-answers.ts'
import { isNodeTrouble } from './node-trouble.ts'

/** A node takes operations that expire at most 10 periods ahead; its clock may be a little ahead of its answer. */
export const PERIODS_TO_LIVE = 9

/** From one sending of the same bytes to the next. */
const AGAIN_MS = PERIOD_MS / 2

/** What a node is asked about an operation. Errors are `CHAIN_*`. */
export interface WatchedNode {
  readStatus(): Promise<ChainStatus>
  /** Undefined when the node does not know it. */
  readOperation(operationId: string): Promise<NodeOperation | undefined>
  /** Texts of its events, in order; those of a final execution alone when that is said. */
  readEvents(operationId: string, options?: { readonly isFinal: boolean }): Promise<string[]>
  readBalances(address: string): Promise<{ readonly candidate: bigint; readonly final: bigint }>
  /** @throws ArchiveError CHAIN_NODE_REFUSED when it does not take it */
  send(bytes: SignedBytes): Promise<void>
}

export interface WatchOptions extends FollowOptions {
  /** From one look to the next. */
  readonly pollIntervalMs: number
  /** After which it is given up, unless `untilKnown`. */
  readonly outcomeTimeoutMs: number
  /** It was sent only just now: else that comes first where the node does not know it. */
  readonly wasSent?: boolean
}

interface Verdict {
  readonly success: boolean
  readonly isFinal: boolean
}

/** Learns what became of one operation that was signed and maybe sent, and sends it as long as that may help. */
export class OperationWatch {
  private readonly signed: SignedOperation
  private readonly options: WatchOptions
  private readonly node: WatchedNode
  private readonly clock: Clock
  private wasExecuted = false
  private sentAtMs: number

  constructor(
    signed: SignedOperation,
    options: WatchOptions,
    modules: { readonly node: WatchedNode; readonly clock: Clock },
  ) {
    this.signed = signed
    this.options = options
    this.node = modules.node
    this.clock = modules.clock
    this.sentAtMs = options.wasSent ? this.clock.monotonicMs() : Number.NEGATIVE_INFINITY
  }

  /** Looks until the operation is executed (and final), or can be in no block any more; throws as `ChainPort.submit`. */
  async follow(): Promise<SubmittedOperation> {
    const { signal, pollIntervalMs, outcomeTimeoutMs, untilKnown } = this.options
    const deadlineMs = untilKnown ? Number.POSITIVE_INFINITY : this.clock.monotonicMs() + outcomeTimeoutMs
    let trouble: unknown
    while (!signal?.aborted && this.clock.monotonicMs() < deadlineMs) {
      try {
        const outcome = await this.look()
        if (outcome) return outcome
        trouble = undefined
      } catch (error) {
        // It is sent: a node that gives no answer for a while is no reason not to learn what became of it.
        if (!isNodeTrouble(error)) throw error
        trouble = error
      }
      await this.clock.sleep(pollIntervalMs, signal)
    }
    const seen = this.wasExecuted ? 'executed, but is not known to be final' : 'sent, but not seen executed'
    const { operationId } = this.signed
    throw outcomeUnknown(`operation ${operationId} was ${seen}`, operationId, trouble)
  }

  /** One look; the outcome if there is one. */
  private async look(): Promise<SubmittedOperation | undefined> {
    const { operationId, expirePeriod } = this.signed
    const operation = await this.node.readOperation(operationId)
    if (operation?.success !== undefined) return this.lookAt({ success: operation.success, isFinal: operation.isFinal })
    if (operation?.inPool) return undefined
    const { finalPeriod, period } = await this.node.readStatus()
    // No clock tells that, neither the node's nor the own one: a block that is still to come may hold it until then.
    if (finalPeriod < expirePeriod) {
      if (!operation && period <= expirePeriod) await this.send()
      return undefined
    }
    const events = await this.node.readEvents(operationId, { isFinal: true })
    if (events.length > 0) return this.judge({ success: !events.some(isFailure), isFinal: true }, events)
    return this.judgeByBalance()
  }

  /** It may never have left; and a node may lose what it took: by a restart, from a full pool, with a block that was dropped. */
  private async send(): Promise<void> {
    const { bytes } = this.options
    const nowMs = this.clock.monotonicMs()
    if (!bytes || nowMs - this.sentAtMs < AGAIN_MS) return
    this.sentAtMs = nowMs
    await this.node.send(bytes)
  }

  /** An operation that was executed. A failure that is not final is none yet: its block may still be dropped. */
  private async lookAt(verdict: Verdict): Promise<SubmittedOperation | undefined> {
    const { success, isFinal } = verdict
    const wantsFinal = this.options.final ?? true
    if (!isFinal && (!success || (wantsFinal && this.wasExecuted))) return undefined
    const outcome = this.judge(verdict, await this.node.readEvents(this.signed.operationId))
    if (isFinal || !wantsFinal) return outcome
    this.wasExecuted = true
    this.options.onExecuted?.(outcome)
    return undefined
  }

  private judge({ success, isFinal }: Verdict, events: readonly string[]): SubmittedOperation {
    const { operationId, maxGas, feeNanoMas } = this.signed
    if (success) return { operationId, isFinal, maxGas, feeNanoMas, events }
    const text = events.findLast(isFailure) ?? ''
    const reason = text.slice(0, 500) || 'no reason given'
    const context = { operationId, text }
    throw (
      parseRegistryRefusal(text) ??
      new ArchiveError('CHAIN_OPERATION_FAILED', `operation ${operationId} failed: ${reason}`, context)
    )
  }

  /** A node forgets operations soon, balances never: the fee is gone if it was executed. */
  private async judgeByBalance(): Promise<never> {
    const { operationId, sender, balanceNanoMas, expirePeriod } = this.signed
    const { candidate, final } = await this.node.readBalances(sender)
    if (candidate === balanceNanoMas && final === balanceNanoMas) {
      throw new ArchiveError(
        'CHAIN_OPERATION_EXPIRED',
        `operation ${operationId} was in no block up to period ${expirePeriod}; ${sender} holds what it held before`,
        { operationId, expirePeriod },
      )
    }
    throw outcomeUnknown(
      `operation ${operationId} is over since period ${expirePeriod} and the massa-node does not show it; ` +
        `${sender} held ${formatCoins(balanceNanoMas)} MAS before and holds ${formatCoins(candidate)} now`,
      operationId,
    )
  }
}

export function outcomeUnknown(message: string, operationId: string, cause?: unknown): ArchiveError {
  return new ArchiveError('CHAIN_OUTCOME_UNKNOWN', message, { operationId }, cause)
}

/** The event by which a node says why an operation failed. */
function isFailure(event: string): boolean {
  return event.startsWith('{"massa_execution_error"')
}
