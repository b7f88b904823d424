/** Enough for every thread to be at work while blocks that are verified are on their way to the disk. */
const MAX_BLOCKS = 64
/** Some 15 full blocks. */
const MAX_BYTES = 12_000_000

/** Blocks that are verified and spooled at the same time: as many as their size allows. */
export class MessagesInHand {
  private readonly blocks = new Set<Promise<unknown>>()
  private sizeBytes = 0
  private onRoom: (() => void)[] = []

  get isFull(): boolean {
    return this.blocks.size >= MAX_BLOCKS || this.sizeBytes >= MAX_BYTES
  }

  /** @param work - the block is in hand until it settles; who gave it hears of what it rejects with */
  add(work: Promise<unknown>, sizeBytes: number): void {
    this.blocks.add(work)
    this.sizeBytes += sizeBytes
    const release = (): void => {
      this.blocks.delete(work)
      this.sizeBytes -= sizeBytes
      if (!this.isFull) for (const wake of this.onRoom.splice(0)) wake()
    }
    work.then(release, release)
  }

  async untilRoom(): Promise<void> {
    while (this.isFull) await new Promise<void>((resolve) => this.onRoom.push(resolve))
  }

  async untilEmpty(): Promise<void> {
    await Promise.allSettled(this.blocks)
  }
}
