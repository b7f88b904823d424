import { isTooLong, responseTooBig } from './limits.ts'

/** Items that are described at once: of so many an answer shows one moment, and they take some milliseconds. */
const ITEMS_PER_TURN = 200
/** Long ones are fewer at once. */
const TURN_CHARACTERS = 1_000_000

/** Whoever else asks has his turn. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/**
 * A result that is a list of any length, made and written a part at a time, so that it holds up nobody. What comes after
 * the first part is of the moment in which it is made.
 */
export class ListAnswer<T> {
  private readonly items: readonly T[]
  private readonly describe: (item: T) => unknown
  private readonly itemsPerTurn: number
  private readonly parts: string[] = []
  private next = 0
  private characters = 0

  /** The first part is made here. @param describe - of an item that is not in the answer it gives undefined */
  constructor(items: readonly T[], describe: (item: T) => unknown, itemsPerTurn = ITEMS_PER_TURN) {
    this.items = items
    this.describe = describe
    this.itemsPerTurn = itemsPerTurn
    this.describeSome()
  }

  /** Its JSON text. @throws JsonRpcError when it is longer than an answer may be, as soon as that is known */
  async write(): Promise<string> {
    while (this.next < this.items.length) {
      await nextTurn()
      this.describeSome()
    }
    return `[${this.parts.join(',')}]`
  }

  private describeSome(): void {
    const end = Math.min(this.items.length, this.next + this.itemsPerTurn)
    const most = this.characters + TURN_CHARACTERS
    for (; this.next < end && this.characters < most; this.next++) {
      const described = this.describe(this.items[this.next] as T)
      if (described === undefined) continue
      const text = JSON.stringify(described)
      this.parts.push(text)
      this.characters += text.length + 1
      // No character is shorter than a byte.
      if (isTooLong(this.characters)) throw responseTooBig()
    }
  }
}
