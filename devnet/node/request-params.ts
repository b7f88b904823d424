import { parseAddress, parseOperationId } from '../../core/index.ts'
import { invalidParams } from './json-rpc-error.ts'

/** The first parameter of a request, read with the node's words for what does not fit. */
export class RequestParams {
  private readonly value: unknown

  constructor(params: unknown) {
    this.value = Array.isArray(params) ? params[0] : undefined
  }

  /** The parameter as a list; one that is missing is no list. */
  list(): unknown[] {
    if (!Array.isArray(this.value)) throw this.mismatch(this.value, 'a sequence')
    return this.value
  }

  object(): Readonly<Record<string, unknown>> {
    return this.objectOf(this.value)
  }

  objectOf(value: unknown): Readonly<Record<string, unknown>> {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw this.mismatch(value, 'a struct')
    return value as Readonly<Record<string, unknown>>
  }

  text(value: unknown): string {
    if (typeof value !== 'string') throw this.mismatch(value, 'a string')
    return value
  }

  /** A text that `parse` takes; `words` are the node's for one that it does not. */
  parsed(value: unknown, parse: (text: string) => Uint8Array, words: string): { text: string; bytes: Uint8Array } {
    const text = this.text(value)
    try {
      return { text, bytes: parse(text) }
    } catch {
      throw this.at(words, text)
    }
  }

  address(value: unknown): string {
    const text = this.text(value)
    const kind = text.startsWith('AS') ? 'SCAddress' : 'UserAddress'
    const why = text.length < 8 ? ': provided string is too small to contain a checksum' : ''
    return this.parsed(value, parseAddress, `address parsing error: in ${kind} from_str_without_prefixed_type${why}`)
      .text
  }

  operationId(value: unknown): string {
    return this.parsed(value, parseOperationId, 'operation id parsing error').text
  }

  bytes(value: unknown): Uint8Array {
    if (!Array.isArray(value)) throw this.mismatch(value, 'a sequence')
    for (const byte of value) {
      if (!Number.isInteger(byte) || byte < 0 || byte > 255) throw this.mismatch(byte, 'u8')
    }
    return Uint8Array.from(value as number[])
  }

  integer(value: unknown): bigint {
    if (!Number.isInteger(value) || (value as number) < 0) throw this.mismatch(value, 'u64')
    return BigInt(value as number)
  }

  boolean(value: unknown): boolean {
    if (typeof value !== 'boolean') throw this.mismatch(value, 'a boolean')
    return value
  }

  /** Coins as decimal MAS; null is none. */
  amount(value: unknown): bigint | undefined {
    if (value === null || value === undefined) return undefined
    const text = this.text(value)
    const match = /^(\d{1,20})(?:\.(\d{1,9}))?$/.exec(text)
    if (!match) throw this.at('Amount parse error', text)
    return BigInt(match[1] ?? '0') * 1_000_000_000n + BigInt((match[2] ?? '').padEnd(9, '0'))
  }

  private mismatch(value: unknown, expected: string): Error {
    if (value === undefined)
      return invalidParams(this.value === undefined ? 'No more params' : `missing field, expected ${expected}`)
    return this.at(`invalid type: ${describe(value)}, expected ${expected}`, value)
  }

  /** The node reads JSON as it comes: it names the place behind the value. */
  private at(words: string, value: unknown): Error {
    const shown = JSON.stringify(value)
    const column = JSON.stringify(this.value).indexOf(shown) + shown.length
    return invalidParams(`${words} at line 1 column ${column}`)
  }
}

function describe(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'sequence'
  switch (typeof value) {
    case 'number':
      return `${Number.isInteger(value) ? 'integer' : 'floating point'} \`${value}\``
    case 'boolean':
      return `boolean \`${value}\``
    case 'string':
      return `string ${JSON.stringify(value.slice(0, 80))}`
    default:
      return 'map'
  }
}
