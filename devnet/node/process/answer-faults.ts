import type { Clock } from '../../../core/index.ts'
import type { UnaryRpc } from '../../../telemetry/grpc/rpc-names.ts'
import type { UnaryAnswer } from '../../grpc/devnet-service.ts'

/** What is done to the next `count` answers, of one call or of all. */
export interface AnswerFault {
  readonly kind: 'delay' | 'hang' | 'corrupt'
  readonly rpc?: UnaryRpc | undefined
  readonly count: number
  /** Of a delay. */
  readonly delayMs?: number | undefined
}

/** Spoils answers to order: for what a sidecar must survive. */
export class AnswerFaults {
  private readonly clock: Clock
  private readonly stopping = new AbortController()
  private faults: AnswerFault[] = []

  constructor(clock: Clock) {
    this.clock = clock
  }

  order(fault: AnswerFault): void {
    this.faults.push(fault)
  }

  /** Answers that are still to be spoilt. */
  get waiting(): number {
    return this.faults.reduce((sum, { count }) => sum + count, 0)
  }

  async apply(rpc: UnaryRpc, honest: () => Promise<Uint8Array>): Promise<UnaryAnswer> {
    const fault = this.take(rpc)
    if (fault?.kind === 'hang') return 'hang'
    if (fault?.kind === 'delay') await this.clock.sleep(fault.delayMs ?? 0, this.stopping.signal)
    const answer = await honest()
    return fault?.kind === 'corrupt' ? corrupt(answer) : answer
  }

  /** Answers that wait are given now. */
  stop(): void {
    this.faults = []
    this.stopping.abort()
  }

  private take(rpc: UnaryRpc): AnswerFault | undefined {
    const at = this.faults.findIndex((fault) => fault.rpc === undefined || fault.rpc === rpc)
    const fault = this.faults[at]
    if (!fault) return undefined
    if (fault.count > 1) this.faults[at] = { ...fault, count: fault.count - 1 }
    else this.faults.splice(at, 1)
    return fault
  }
}

/** One bit in the middle of the message. */
function corrupt(answer: Uint8Array): Uint8Array {
  const spoilt = Uint8Array.from(answer)
  const at = spoilt.length >> 1
  spoilt[at] = (spoilt[at] ?? 0) ^ 1
  return spoilt
}
