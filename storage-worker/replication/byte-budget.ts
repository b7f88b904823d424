/** So many bytes may be in work at a time; who wants more waits for its turn. */
export class ByteBudget {
  private readonly mostBytes: number
  private readonly waiting: { readonly bytes: number; readonly run: () => void }[] = []
  private usedBytes = 0

  constructor(mostBytes: number) {
    this.mostBytes = mostBytes
  }

  /** What is larger than all there is gets all of it. @returns a function that gives the bytes back */
  async take(wantedBytes: number): Promise<() => void> {
    const bytes = Math.min(wantedBytes, this.mostBytes)
    if (this.waiting.length > 0 || this.usedBytes + bytes > this.mostBytes) {
      await new Promise<void>((run) => this.waiting.push({ bytes, run }))
    } else this.usedBytes += bytes
    let isGiven = false
    return () => {
      if (isGiven) return
      isGiven = true
      this.usedBytes -= bytes
      this.next()
    }
  }

  /** In their order: what is large is not passed over for ever. */
  private next(): void {
    for (let first = this.waiting[0]; first; first = this.waiting[0]) {
      if (this.usedBytes + first.bytes > this.mostBytes) return
      this.usedBytes += first.bytes
      this.waiting.shift()
      first.run()
    }
  }
}
