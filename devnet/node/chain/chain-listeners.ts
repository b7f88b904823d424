/** Functions that are told of one kind of thing, in the order in which they came. */
export class Listeners<T> {
  private readonly listeners = new Set<(value: T) => void>()

  /** @returns what ends it */
  add(listener: (value: T) => void): () => void {
    const own = (value: T) => listener(value)
    this.listeners.add(own)
    return () => this.listeners.delete(own)
  }

  tell(value: T): void {
    for (const listener of this.listeners) listener(value)
  }
}
