/** Enough for every thread to be at work while what was verified is on its way to the disk. */
const MAX_MESSAGES = 64
/** Some 15 full blocks. */
const MAX_BYTES = 12_000_000

/** Messages of a stream that are taken at the same time: as many as their size allows. */
export class MessagesInHand {
  private readonly works = new Set<Promise<unknown>>()
  private sizeBytes = 0
  private onRoom: (() => void)[] = []

  get isFull(): boolean {
    return this.works.size >= MAX_MESSAGES || this.sizeBytes >= MAX_BYTES
  }

  /** @param work - the message is in hand until it settles; who gave it hears of what it rejects with */
  add(work: Promise<unknown>, sizeBytes: number): void {
    this.works.add(work)
    this.sizeBytes += sizeBytes
    const release = (): void => {
      this.works.delete(work)
      this.sizeBytes -= sizeBytes
      if (!this.isFull) for (const wake of this.onRoom.splice(0)) wake()
    }
    work.then(release, release)
  }

  async untilRoom(): Promise<void> {
    while (this.isFull) await new Promise<void>((resolve) => this.onRoom.push(resolve))
  }

  async untilEmpty(): Promise<void> {
    await Promise.allSettled(this.works)
  }
}
