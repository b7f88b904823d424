/**
 * The newest messages of one kind, for any number of readers, each at its own pace: what a node uses, tokio's broadcast
 * channel. Who falls behind by more than the capacity loses the oldest; nobody else notices, and memory is bounded. What
 * all have taken is let go: who comes later does not read it.
 */
export class BroadcastRing<T> {
  private readonly capacity: number
  private readonly messages: (T | undefined)[] = []
  private readonly readers = new Set<Reader>()
  /** Number of the next message. */
  private next = 0
  /** Number of the oldest that is held. */
  private first = 0

  constructor(capacity: number) {
    this.capacity = capacity
  }

  publish(message: T): void {
    this.letGo()
    this.messages[this.next % this.capacity] = message
    this.next++
    for (const { wake } of this.readers) wake()
  }

  get isHeard(): boolean {
    return this.readers.size > 0
  }

  /** @param wake - called when there is something to take; only what is published from now on is read */
  open(wake: () => void): RingReader<T> {
    const reader: Reader = { wake, position: this.next }
    this.readers.add(reader)
    return {
      take: () => {
        const oldest = Math.max(0, this.next - this.capacity)
        if (reader.position < oldest) {
          const lost = oldest - reader.position
          reader.position = oldest
          return { lost }
        }
        if (reader.position === this.next) return undefined
        // Slots below `next` that a reader has not taken are filled.
        return { message: this.messages[reader.position++ % this.capacity] as T }
      },
      close: () => {
        this.readers.delete(reader)
      },
    }
  }

  /** Of all that no reader is still to take. */
  private letGo(): void {
    let slowest = this.next
    for (const { position } of this.readers) slowest = Math.min(slowest, position)
    for (this.first = Math.max(this.first, this.next - this.capacity); this.first < slowest; this.first++) {
      this.messages[this.first % this.capacity] = undefined
    }
  }
}

interface Reader {
  readonly wake: () => void
  /** Number of the message that it takes next. */
  position: number
}

export interface RingReader<T> {
  /** The next message, or how many were lost since the last one; undefined when all was taken. */
  take(): { readonly message: T } | { readonly lost: number } | undefined
  close(): void
}
