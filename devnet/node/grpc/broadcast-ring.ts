/**
 * The newest messages of one kind, for any number of readers, each at its own pace: what a node uses, tokio's broadcast
 * channel. Who falls behind by more than the capacity loses the oldest; nobody else notices, and memory is bounded.
 */
export class BroadcastRing<T> {
  private readonly capacity: number
  private readonly messages: T[] = []
  private readonly readers = new Set<() => void>()
  /** Number of the next message. */
  private next = 0

  constructor(capacity: number) {
    this.capacity = capacity
  }

  publish(message: T): void {
    this.messages[this.next % this.capacity] = message
    this.next++
    for (const wake of this.readers) wake()
  }

  get isHeard(): boolean {
    return this.readers.size > 0
  }

  /** @param wake - called when there is something to take; only what is published from now on is read */
  open(wake: () => void): RingReader<T> {
    let position = this.next
    this.readers.add(wake)
    return {
      take: () => {
        const oldest = Math.max(0, this.next - this.capacity)
        if (position < oldest) {
          const lost = oldest - position
          position = oldest
          return { lost }
        }
        if (position === this.next) return undefined
        // Slots below `next` are filled.
        return { message: this.messages[position++ % this.capacity] as T }
      },
      close: () => {
        this.readers.delete(wake)
      },
    }
  }
}

export interface RingReader<T> {
  /** The next message, or how many were lost since the last one; undefined when all was taken. */
  take(): { readonly message: T } | { readonly lost: number } | undefined
  close(): void
}
