import { JsonRpcError } from '../../telemetry/json-rpc/index.ts'

/** As a node's library says it. */
export function serverBusy(): JsonRpcError {
  return new JsonRpcError(-32009, 'Server is busy, try again later')
}

/** Lets so many calls run at a time, and so many wait. */
export class CallGate {
  private readonly most: { readonly running: number; readonly waiting: number }
  private running = 0
  private readonly waiting: (() => void)[] = []

  constructor(most: { readonly running: number; readonly waiting: number }) {
    this.most = most
  }

  /** @throws JsonRpcError when too many wait; what the work throws */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.running < this.most.running) this.running++
    else if (this.waiting.length < this.most.waiting) await new Promise<void>((resolve) => this.waiting.push(resolve))
    else throw serverBusy()
    try {
      return await work()
    } finally {
      const next = this.waiting.shift()
      // Its place goes to who waits longest.
      if (next) next()
      else this.running--
    }
  }
}
