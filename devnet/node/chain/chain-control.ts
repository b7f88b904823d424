/** What was ordered and did not happen yet, and rates that were set. */
export interface Control {
  /** Slots to miss, by thread. */
  readonly misses: Readonly<Record<number, number>>
  readonly forks: readonly ForkOrder[]
  readonly missRate?: number
  readonly orphanRate?: number
}

interface ForkOrder {
  readonly count: number
  /** Absent: of any thread. */
  readonly thread?: number
}

export interface ChainRates {
  readonly missRate?: number
  readonly orphanRate?: number
}

/** Orders of who runs the chain: which slots are missed, which blocks get a rival. */
export class ChainControl {
  private state: Control

  constructor(state: Control = { misses: {}, forks: [] }) {
    this.state = state
  }

  get current(): Control {
    return this.state
  }

  get missRate(): number | undefined {
    return this.state.missRate
  }

  get orphanRate(): number | undefined {
    return this.state.orphanRate
  }

  missNext(thread: number, count: number): void {
    this.state = { ...this.state, misses: { ...this.state.misses, [thread]: this.missesOf(thread) + count } }
  }

  forkNext(count: number, thread: number | undefined): void {
    const order = { count, ...(thread === undefined ? {} : { thread }) }
    this.state = { ...this.state, forks: [...this.state.forks, order] }
  }

  setRates(rates: ChainRates): void {
    this.state = { ...this.state, ...rates }
  }

  /** Whether the thread's slot that is due now was ordered to be missed; the order is used up by one. */
  takeMiss(thread: number): boolean {
    const left = this.missesOf(thread)
    if (left === 0) return false
    this.missNext(thread, -1)
    return true
  }

  /** The same for a rival of the thread's block. */
  takeFork(thread: number): boolean {
    const place = this.state.forks.findIndex((order) => order.thread === undefined || order.thread === thread)
    const order = this.state.forks[place]
    if (!order) return false
    const rest = order.count > 1 ? [{ ...order, count: order.count - 1 }] : []
    this.state = { ...this.state, forks: this.state.forks.toSpliced(place, 1, ...rest) }
    return true
  }

  private missesOf(thread: number): number {
    return this.state.misses[thread] ?? 0
  }
}
