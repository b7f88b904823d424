import { isTooLong, responseTooBig } from './limits.ts'

/** A result that is JSON text already. */
export class JsonText {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** A result that is a list, gathered item by item while others have their turns. */
export class JsonList {
  private readonly parts: (string | undefined)[] = []
  private characters = 2

  /**
   * @param text - JSON of the next item; undefined leaves its place, which is no item until it is filled
   * @returns its place
   * @throws JsonRpcError when the list is longer than an answer may be
   */
  push(text: string | undefined): number {
    this.parts.push(undefined)
    if (text !== undefined) this.fill(this.parts.length - 1, text)
    return this.parts.length - 1
  }

  /** @throws as push */
  fill(place: number, text: string): void {
    this.parts[place] = text
    this.characters += text.length + 1
    // No character is shorter than a byte.
    if (isTooLong(this.characters)) throw responseTooBig()
  }

  finish(): JsonText {
    return new JsonText(`[${this.parts.filter((part) => part !== undefined).join(',')}]`)
  }
}
