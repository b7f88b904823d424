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
  private readonly parts: string[] = []
  private characters = 2

  /** @param text - JSON of the next item @throws JsonRpcError when the list is longer than an answer may be */
  push(text: string): void {
    this.parts.push(text)
    this.characters += text.length + 1
    // No character is shorter than a byte.
    if (isTooLong(this.characters)) throw responseTooBig()
  }

  get length(): number {
    return this.parts.length
  }

  finish(): JsonText {
    return new JsonText(`[${this.parts.join(',')}]`)
  }
}
