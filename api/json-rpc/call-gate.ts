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
  private readonly makeBusy: () => Error

  /** @param makeBusy - what is thrown when too many wait */
  constructor(most: { readonly running: number; readonly waiting: number }, makeBusy: () => Error = serverBusy) {
    this.most = most
    this.makeBusy = makeBusy
  }

  /**
   * @param isGone - asked when it is the turn of the work: whether nobody waits for it any more
   * @throws Error of `makeBusy` when too many wait, or it is for nobody; what the work throws
   */
  async run<T>(work: () => Promise<T>, isGone: () => boolean = () => false): Promise<T> {
    if (this.running >= this.most.running && this.waiting.length >= this.most.waiting) throw this.makeBusy()
    await this.enter()
    try {
      if (isGone()) throw this.makeBusy()
      return await work()
    } finally {
      this.leave()
    }
  }

  /** Of who runs and waits for somebody else: his place is for others meanwhile, and he gets the next. */
  async lend<T>(work: () => Promise<T>): Promise<T> {
    this.leave()
    try {
      return await work()
    } finally {
      await this.enter()
    }
  }

  private async enter(): Promise<void> {
    if (this.running < this.most.running) this.running++
    else await new Promise<void>((resolve) => this.waiting.push(resolve))
  }

  private leave(): void {
    const next = this.waiting.shift()
    // The place goes to who waits longest.
    if (next) next()
    else this.running--
  }
}
