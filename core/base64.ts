import { ArchiveError } from './errors.ts'

/* Base64 of RFC 4648 §4 with padding, one text for the same bytes: browsers and Node have none in common that is strict. */

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const LETTERS = new TextEncoder().encode(ALPHABET)
const PADDING = 0x3d
const NO_DIGIT = 64
const DIGITS = new Uint8Array(128).fill(NO_DIGIT)
for (const [digit, letter] of LETTERS.entries()) DIGITS[letter] = digit

export function toBase64(bytes: Uint8Array): string {
  const text = new Uint8Array(4 * Math.ceil(bytes.length / 3))
  for (let at = 0, to = 0; at < bytes.length; at += 3) {
    const three = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0)
    text[to++] = LETTERS[three >>> 18] ?? 0
    text[to++] = LETTERS[(three >>> 12) & 63] ?? 0
    text[to++] = LETTERS[(three >>> 6) & 63] ?? 0
    text[to++] = LETTERS[three & 63] ?? 0
  }
  const padding = (3 - (bytes.length % 3)) % 3
  return new TextDecoder().decode(text.fill(PADDING, text.length - padding))
}

/**
 * Bytes of a base64 text.
 *
 * @throws ArchiveError CORE_BYTES_INVALID unless the text is the one that `toBase64` gives for them
 */
export function fromBase64(text: string): Uint8Array {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  if (text.length % 4 !== 0) throw new ArchiveError('CORE_BYTES_INVALID', 'not a base64 text')
  const bytes = new Uint8Array((text.length / 4) * 3 - padding)
  const digits = text.length - padding
  let bits = 0
  let to = 0
  for (let at = 0; at < digits; at++) {
    const digit = DIGITS[text.charCodeAt(at)] ?? NO_DIGIT
    if (digit === NO_DIGIT) throw new ArchiveError('CORE_BYTES_INVALID', 'not a base64 text')
    bits = ((bits & 0xffff) << 6) | digit
    if (at % 4 !== 0) bytes[to++] = bits >>> (6 - 2 * (at % 4))
  }
  // Bits behind the last byte would make several texts of the same bytes.
  const spare = padding === 0 ? 0 : padding === 1 ? 0b11 : 0b1111
  if ((bits & spare) !== 0) throw new ArchiveError('CORE_BYTES_INVALID', 'not a canonical base64 text')
  return bytes
}
