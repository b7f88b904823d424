/** So many tasks at a time; who comes later waits, first come first served. */
export class Lane {
  private readonly width: number
  private readonly waiting: (() => void)[] = []
  private running = 0

  /** @param width - at least 1 */
  constructor(width: number) {
    this.width = width
  }

  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.running >= this.width) await new Promise<void>((resolve) => this.waiting.push(resolve))
    else this.running++
    try {
      return await task()
    } finally {
      // Who waits takes the place over.
      const next = this.waiting.shift()
      if (next) next()
      else this.running--
    }
  }
}
