import { fromBase64 } from '../base64.ts'
import { fromHex } from '../bytes.ts'
import { ArchiveError } from '../errors.ts'

/* JSON that a stranger gave: every value is taken in the one form that it may have, or refused (CORE_READING_MALFORMED). */

/** Room for a BODY of 23 MiB, twice what 32 full blocks make. */
export const MAX_PROOF_CHARACTERS = 32 * 1024 * 1024
/** Outside of texts: what JSON is made of decides how much memory it takes; 16,384 chunks of one leaf each need half of it. */
const MAX_OTHER_CHARACTERS = 1024 * 1024
const MAX_DEPTH = 8
const U64_MAX = (1n << 64n) - 1n

/**
 * JSON of a proof.
 *
 * @throws ArchiveError CORE_READING_TOO_LARGE before anything of it is built, CORE_READING_MALFORMED
 */
export function parseProofJson(text: string): unknown {
  if (text.length > MAX_PROOF_CHARACTERS) throw tooLarge(`${text.length} characters`)
  // No text of a proof needs one: without them the ends of texts are found at a glance.
  if (text.includes('\\')) throw malformed('a text has an escape')
  checkNesting(text)
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new ArchiveError('CORE_READING_MALFORMED', 'a proof is not JSON', {}, cause)
  }
}

function checkNesting(text: string): void {
  let depth = 0
  let others = 0
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (character === '"') {
      const end = text.indexOf('"', at + 1)
      if (end < 0) throw malformed('a text does not end')
      at = end
      continue
    }
    if (++others > MAX_OTHER_CHARACTERS) throw tooLarge('too many parts')
    if (character === '{' || character === '[') depth++
    else if (character === '}' || character === ']') depth--
    if (depth > MAX_DEPTH) throw tooLarge(`deeper than ${MAX_DEPTH}`)
  }
}

/** An object of exactly these fields. */
export function readObject<K extends string>(value: unknown, what: string, fields: readonly K[]): Record<K, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed(`${what} is no object`)
  const known = value as Record<K, unknown>
  for (const field of fields) if (!Object.hasOwn(known, field)) throw malformed(`${what} has no ${field}`)
  const other = Object.keys(known).find((name) => !(fields as readonly string[]).includes(name))
  if (other !== undefined) throw malformed(`${what} has an unknown field ${JSON.stringify(other.slice(0, 40))}`)
  return known
}

/** @param max - entries, at most */
export function readArray(value: unknown, what: string, max: number): readonly unknown[] {
  if (!Array.isArray(value)) throw malformed(`${what} is no array`)
  if (value.length > max) throw tooLarge(`${value.length} ${what}`)
  return value
}

/** 0 to `max`. */
export function readInteger(value: unknown, what: string, max: number): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || Object.is(value, -0)) {
    throw malformed(`${what} is no integer`)
  }
  if (value > max) throw malformed(`${what} is ${value}, more than ${max}`)
  return value
}

/** A u64 as decimal text without zeros before it. */
export function readDecimal(value: unknown, what: string): bigint {
  if (typeof value !== 'string' || !/^(?:0|[1-9]\d{0,19})$/.test(value)) throw malformed(`${what} is no decimal text`)
  const number = BigInt(value)
  if (number > U64_MAX) throw malformed(`${what} is no u64`)
  return number
}

/** Lower-case hex of exactly so many bytes. */
export function readHex(value: unknown, what: string, lengthBytes: number): Uint8Array {
  if (typeof value !== 'string' || value.length !== 2 * lengthBytes || !/^[0-9a-f]*$/.test(value)) {
    throw malformed(`${what} is not ${lengthBytes} bytes in lower-case hex`)
  }
  return fromHex(value)
}

/** Base64 of 1 to `maxBytes` bytes. */
export function readBase64(value: unknown, what: string, maxBytes: number): Uint8Array {
  if (typeof value !== 'string' || value === '') throw malformed(`${what} is no base64 text`)
  if (value.length > 4 * Math.ceil(maxBytes / 3)) throw tooLarge(`${what} of ${value.length} characters`)
  try {
    return fromBase64(value)
  } catch (cause) {
    throw new ArchiveError('CORE_READING_MALFORMED', `${what} is no base64 text`, {}, cause)
  }
}

export function malformed(what: string): ArchiveError {
  return new ArchiveError('CORE_READING_MALFORMED', `a proof is malformed: ${what}`)
}

export function tooLarge(what: string): ArchiveError {
  return new ArchiveError('CORE_READING_TOO_LARGE', `a proof is too large: ${what}`)
}
