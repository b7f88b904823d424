import { invalidParams } from './json-rpc-error.ts'
import { nextTurn } from './list-answer.ts'

/** Reads one value of a type, or says why it is none. */
export type Shape<T> = (json: TypedJson) => T

interface Unexpected {
  readonly kind: 'invalid type' | 'invalid value'
  readonly words: string
}

const U64_LIMIT = 2n ** 64n
/** Items of a list that are read at once, in some milliseconds. */
const ITEMS_PER_TURN = 500

/**
 * JSON read by the type that is wanted, as the node's parser does: the first thing that does not fit ends it, in that
 * parser's words and with the place that it had come to. Integers keep all their digits.
 *
 * The text must be valid JSON: whoever hands it over has parsed it.
 */
export class TypedJson {
  private readonly text: string
  private at: number

  constructor(text: string, at = 0) {
    this.text = text
    this.at = at
  }

  /** Where it stands: characters from the start. */
  get offset(): number {
    return this.at
  }

  /** The next character that is no space; '' at the end. */
  peek(): string {
    while (' \t\r\n'.includes(this.text[this.at] ?? '-')) this.at++
    return this.text[this.at] ?? ''
  }

  /** @throws JsonRpcError invalid params, with the words and the place */
  fail(words: string): never {
    const before = this.text.slice(0, this.at)
    const lineStart = before.lastIndexOf('\n') + 1
    const line = before.split('\n').length
    throw invalidParams(`${words} at line ${line} column ${Buffer.byteLength(before.slice(lineStart))}`)
  }

  /** An integer from 0 below the limit. */
  integer(name: string, limit = U64_LIMIT): bigint {
    if (!/[-\d]/.test(this.peek())) return this.failType(name)
    const token = this.takeNumber()
    const unexpected = describeNumber(token)
    if (unexpected.words.startsWith('floating')) return this.fail(`invalid type: ${unexpected.words}, expected ${name}`)
    const value = BigInt(token)
    if (value < 0n || value >= limit) return this.fail(`invalid value: ${unexpected.words}, expected ${name}`)
    return value
  }

  boolean(): boolean {
    const next = this.peek()
    if (next !== 't' && next !== 'f') return this.failType('a boolean')
    this.at += next === 't' ? 4 : 5
    return next === 't'
  }

  string(expected = 'a string'): string {
    if (this.peek() !== '"') return this.failType(expected)
    const start = this.at
    this.skipString()
    const quoted = this.text.slice(start, this.at)
    const fault = SURROGATE_ESCAPE.test(quoted) ? findSurrogateFault(quoted) : undefined
    if (fault) {
      this.at = start + fault.at
      return this.fail(fault.words)
    }
    return JSON.parse(quoted) as string
  }

  /** @returns undefined for null */
  optional<T>(shape: Shape<T>): T | undefined {
    if (this.peek() !== 'n') return shape(this)
    this.at += 4
    return undefined
  }

  list<T>(shape: Shape<T>): T[] {
    if (this.peek() !== '[') return this.failType('a sequence')
    const items: T[] = []
    this.at++
    while (this.peek() !== ']') {
      items.push(shape(this))
      if (this.peek() === ',') this.at++
    }
    this.at++
    return items
  }

  /** As `list`, of any length: others have their turns meanwhile. */
  async listInTurns<T>(shape: Shape<T>): Promise<T[]> {
    if (this.peek() !== '[') return this.failType('a sequence')
    const items: T[] = []
    this.at++
    while (this.peek() !== ']') {
      if (items.length > 0 && items.length % ITEMS_PER_TURN === 0) await nextTurn()
      items.push(shape(this))
      if (this.peek() === ',') this.at++
    }
    this.at++
    return items
  }

  /** A list of numbers from 0 to 255, of any length at little cost. */
  bytes(): Uint8Array {
    if (this.peek() !== '[') return this.failType('a sequence')
    const end = this.text.indexOf(']', this.at) + 1
    const list = this.text.slice(this.at, end)
    if (!/[^[\]\d,\s]/.test(list)) {
      const numbers = JSON.parse(list.includes('[', 1) ? '[256]' : list) as number[]
      if (numbers.every((number) => number < 256)) {
        this.at = end
        return Uint8Array.from(numbers)
      }
    }
    return Uint8Array.from(this.list((json) => Number(json.integer('u8', 256n))))
  }

  /** Calls for each member of a map: with its key, to read its value or to leave it. */
  eachMember(read: (key: string) => boolean): void {
    this.at++
    while (this.peek() !== '}') {
      const key = this.string()
      this.peek()
      this.at++
      if (!read(key)) this.skip()
      if (this.peek() === ',') this.at++
    }
    this.at++
  }

  /** Passes over a value. @returns its text */
  skip(): string {
    const first = this.peek()
    const start = this.at
    if (first === '"') this.skipString()
    else if (first === '{' || first === '[') this.skipNested()
    else this.skipPlain()
    return this.text.slice(start, this.at)
  }

  /** Something else stands here than what was expected. */
  failType(expected: string): never {
    const next = this.peek()
    if (next === '{' || next === '[') {
      return this.fail(`invalid type: ${next === '{' ? 'map' : 'sequence'}, expected ${expected}`)
    }
    const { kind, words } = this.takeUnexpected()
    return this.fail(`${kind}: ${words}, expected ${expected}`)
  }

  private takeUnexpected(): Unexpected {
    const next = this.peek()
    if (next === '"') return { kind: 'invalid type', words: `string ${quote(this.string())}` }
    if (/[-\d]/.test(next)) return describeNumber(this.takeNumber())
    const word = this.skip()
    return { kind: 'invalid type', words: word === 'null' ? word : `boolean \`${word}\`` }
  }

  private takeNumber(): string {
    const start = this.at
    this.skipPlain()
    return this.text.slice(start, this.at)
  }

  private skipString(): void {
    let end = this.at
    do {
      end = this.text.indexOf('"', end + 1)
    } while (isEscaped(this.text, end))
    this.at = end + 1
  }

  /** From one border to the next: what lies between, millions of numbers, is passed over at once. */
  private skipNested(): void {
    const border = /["[\]{}]/g
    let depth = 0
    do {
      border.lastIndex = this.at
      const found = border.exec(this.text)
      if (!found) return
      this.at = found.index
      if (found[0] === '"') {
        this.skipString()
        continue
      }
      depth += found[0] === '{' || found[0] === '[' ? 1 : -1
      this.at++
    } while (depth > 0)
  }

  /** A number, a word, a colon or a comma. */
  private skipPlain(): void {
    if (',:'.includes(this.text[this.at] ?? '-')) {
      this.at++
      return
    }
    while (this.at < this.text.length && !',:]} \t\r\n'.includes(this.text[this.at] ?? '')) this.at++
  }
}

const ESCAPE_OR_PAIR = /\\(?:u[dD][89abAB][\da-fA-F]{2}(?:\\u[dD][c-fC-F][\da-fA-F]{2})?|u[\da-fA-F]{4}|.)/g
const SURROGATE_ESCAPE = /\\u[dD][89a-fA-F]/

/** The first half of a pair that stands alone, as the node's parser comes upon it. */
function findSurrogateFault(quoted: string): { readonly words: string; readonly at: number } | undefined {
  for (const { 0: found, index } of quoted.matchAll(ESCAPE_OR_PAIR)) {
    const code = found[1] === 'u' ? Number.parseInt(found.slice(2, 6), 16) : 0
    const isSecond = code >= 0xdc00 && code <= 0xdfff
    const isFirst = code >= 0xd800 && code < 0xdc00
    const end = index + 6
    if (isSecond) return { words: 'lone leading surrogate in hex escape', at: end }
    if (!isFirst || found.length === 12) continue
    if (quoted[end] !== '\\') return { words: 'unexpected end of hex escape', at: end + 1 }
    if (quoted[end + 1] !== 'u') return { words: 'unexpected end of hex escape', at: end + 2 }
    return { words: 'lone leading surrogate in hex escape', at: end + 6 }
  }
  return undefined
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\0': '\\0',
  '\t': '\\t',
  '\r': '\\r',
  '\n': '\\n',
  '"': '\\"',
  '\\': '\\\\',
}

/** As Rust shows a text. */
export function quote(text: string): string {
  const shown = text.replace(
    /["\\\p{Cc}]/gu,
    (character) => ESCAPES[character] ?? `\\u{${character.charCodeAt(0).toString(16)}}`,
  )
  return `"${shown}"`
}

function isEscaped(text: string, quoteAt: number): boolean {
  let before = quoteAt - 1
  while (text[before] === '\\') before--
  return (quoteAt - before) % 2 === 0
}

function describeNumber(token: string): Unexpected {
  if (/^-?\d+$/.test(token) && token !== '-0') {
    const value = BigInt(token)
    if (value >= -(2n ** 63n) && value < U64_LIMIT) return { kind: 'invalid type', words: `integer \`${token}\`` }
  }
  return { kind: 'invalid type', words: `floating point \`${formatFloat(Number(token))}\`` }
}

/** The shortest form, as the node's parser prints it. */
function formatFloat(value: number): string {
  const size = Math.abs(value)
  if (size !== 0 && (size >= 1e16 || size < 1e-5)) return value.toExponential().replace('e+', 'e')
  const text = Object.is(value, -0) ? '-0' : String(value)
  return text.includes('.') ? text : `${text}.0`
}
