/** Hands the newest of many reports to one slow reader; reports in between are dropped. */
export class LatestReport<T> implements AsyncIterable<T> {
  private latest: T | undefined
  private ended = false
  private wake: () => void = () => {}

  put(report: T): void {
    this.latest = report
    this.wake()
  }

  end(): void {
    this.ended = true
    this.wake()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      if (this.latest === undefined && !this.ended) {
        await new Promise<void>((resolve) => {
          this.wake = resolve
        })
      }
      const report = this.latest
      this.latest = undefined
      if (report !== undefined) yield report
      else if (this.ended) return
    }
  }
}
