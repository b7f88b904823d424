import { type Clock, fromU64, type Period } from '../../../core/index.ts'
import { SearchBlocksRequest } from '../../../telemetry/grpc/messages.ts'

/** Final periods that the slowest consumer may lack: well below what a node keeps, so that nobody is left behind. */
const LAG_PERIODS = 4
/** A consumer that asks for nothing new for so long is not waited for: it sees a gap, as behind a real node. */
const STALL_MS = 5_000

/** After its start a node waits for those who will ask. */
const REOPENED_MS = 4_000

/**
 * Who has not asked at all for so long is forgotten: he comes back under another address. Longer than a stall, or one
 * who asks for the same now and then would be waited for anew each time.
 */
const FORGOTTEN_MS = 60_000

interface Consumer {
  readonly period: Period
  readonly movedAtMs: number
  readonly askedAtMs: number
}

/**
 * Decides when a chain in turbo may go on. Whoever searches blocks is a consumer, and where his lowest search begins is
 * where he stands.
 */
export class ConsumerPace {
  private readonly clock: Pick<Clock, 'monotonicMs'>
  private readonly consumers = new Map<string, Consumer>()

  private openedMs: number

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.clock = clock
    this.openedMs = clock.monotonicMs()
  }

  /** Whoever was there before finds the node again first: a connection is tried again after a second or two. */
  reopen(): void {
    this.openedMs = this.clock.monotonicMs()
    this.consumers.clear()
  }

  /** @param request - a SearchBlocksRequest; who asks for blocks by id is no consumer @throws RpcError for what is none */
  noteSearch(caller: string, request: Uint8Array): void {
    const starts = SearchBlocksRequest.read(request).filters.flatMap(({ slotRange }) =>
      slotRange?.startSlot ? [Number(fromU64(slotRange.startSlot.period))] : [],
    )
    if (starts.length === 0) return
    const period = Math.max(...starts)
    const known = this.consumers.get(caller)
    const nowMs = this.clock.monotonicMs()
    if (!known) this.forget(nowMs)
    // Asking for the same again is no progress; asking for old periods is a repair, and no step back.
    const moved = known && period <= known.period ? known : { period, movedAtMs: nowMs }
    this.consumers.set(caller, { ...moved, askedAtMs: nowMs })
  }

  /** How many are remembered. */
  get size(): number {
    return this.consumers.size
  }

  /** How many have asked for something new lately. */
  get consumerCount(): number {
    return [...this.consumers.values()].filter((consumer) => this.isMoving(consumer)).length
  }

  mayGoOn(finalPeriod: Period): boolean {
    if (this.clock.monotonicMs() - this.openedMs < REOPENED_MS) return false
    for (const consumer of this.consumers.values()) {
      if (finalPeriod - consumer.period > LAG_PERIODS && this.isMoving(consumer)) return false
    }
    return true
  }

  private forget(nowMs: number): void {
    for (const [caller, { askedAtMs }] of this.consumers) {
      if (nowMs - askedAtMs > FORGOTTEN_MS) this.consumers.delete(caller)
    }
  }

  private isMoving({ movedAtMs }: Consumer): boolean {
    return this.clock.monotonicMs() - movedAtMs <= STALL_MS
  }
}
