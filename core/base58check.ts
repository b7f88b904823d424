import { sha256 } from '#crypto'
import { ArchiveError } from './errors.ts'

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const DIGIT_OF_CODE = new Int8Array(128).fill(-1)
for (let i = 0; i < 58; i++) DIGIT_OF_CODE[ALPHABET.charCodeAt(i)] = i

/** Five base58 digits at a time keep the accumulator below 2^53: 2^22 * 58^5 < 2^52. */
const DIGITS_PER_STEP = 5
const STEP = [1, 58, 58 ** 2, 58 ** 3, 58 ** 4, 58 ** 5] as const
const LIMB_BITS = 22
const LIMB = 2 ** LIMB_BITS
const CHECKSUM_BYTES = 4

/** Base58 of data || first 4 bytes of SHA-256(SHA-256(data)), Bitcoin's alphabet (facts: massa-node 2.1). */
export function encodeBase58Check(data: Uint8Array): string {
  const whole = new Uint8Array(data.length + CHECKSUM_BYTES)
  whole.set(data)
  whole.set(sha256(sha256(data)).subarray(0, CHECKSUM_BYTES), data.length)
  return encodeBase58(whole)
}

/**
 * Data of a base58check text.
 *
 * @param text - at most 128 characters; canonical, so encoding the result gives `text` again
 * @param lengthBytes - what the data must measure
 * @throws ArchiveError CORE_BASE58_INVALID
 */
export function decodeBase58Check(text: string, lengthBytes: number): Uint8Array {
  const whole = decodeBase58(text, lengthBytes + CHECKSUM_BYTES)
  const data = whole.subarray(0, lengthBytes)
  const checksum = sha256(sha256(data))
  for (let i = 0; i < CHECKSUM_BYTES; i++) {
    if (checksum[i] !== whole[lengthBytes + i]) throw invalid(text, 'its checksum does not fit')
  }
  return data
}

function encodeBase58(bytes: Uint8Array): string {
  let zeros = 0
  while (zeros < bytes.length && bytes[zeros] === 0) zeros++
  const digits: number[] = []
  for (let i = zeros; i < bytes.length; i++) {
    let carry = bytes[i] ?? 0
    for (let j = 0; j < digits.length; j++) {
      carry += (digits[j] ?? 0) * 256
      digits[j] = carry % 58
      carry = (carry / 58) | 0
    }
    while (carry > 0) {
      digits.push(carry % 58)
      carry = (carry / 58) | 0
    }
  }
  let text = '1'.repeat(zeros)
  for (let i = digits.length - 1; i >= 0; i--) text += ALPHABET[digits[i] ?? 0]
  return text
}

function decodeBase58(text: string, lengthBytes: number): Uint8Array {
  if (text.length > 128) throw invalid(text.slice(0, 16), 'it is longer than 128 characters')
  let zeros = 0
  while (zeros < text.length && text.charCodeAt(zeros) === 49) zeros++
  const limbs: number[] = []
  for (let i = 0; i < text.length; i += DIGITS_PER_STEP) {
    const end = Math.min(i + DIGITS_PER_STEP, text.length)
    let carry = 0
    for (let j = i; j < end; j++) {
      const code = text.charCodeAt(j)
      const digit = code < 128 ? (DIGIT_OF_CODE[code] ?? -1) : -1
      if (digit < 0) throw invalid(text, 'it holds a character outside the alphabet')
      carry = carry * 58 + digit
    }
    const factor = STEP[end - i] ?? 1
    for (let k = 0; k < limbs.length; k++) {
      carry += (limbs[k] ?? 0) * factor
      limbs[k] = carry % LIMB
      carry = Math.floor(carry / LIMB)
    }
    while (carry > 0) {
      limbs.push(carry % LIMB)
      carry = Math.floor(carry / LIMB)
    }
  }
  const bytes = new Uint8Array(lengthBytes)
  let position = lengthBytes - 1
  let pending = 0
  let pendingBits = 0
  for (const limb of limbs) {
    pending += limb * 2 ** pendingBits
    pendingBits += LIMB_BITS
    while (pendingBits >= 8) {
      if (position >= 0) bytes[position] = pending % 256
      else if (pending % 256 !== 0) throw invalid(text, `it holds more than ${lengthBytes} bytes`)
      position--
      pending = Math.floor(pending / 256)
      pendingBits -= 8
    }
  }
  if (pending > 0) {
    if (position < 0) throw invalid(text, `it holds more than ${lengthBytes} bytes`)
    bytes[position] = pending
  }
  let leading = 0
  while (leading < lengthBytes && bytes[leading] === 0) leading++
  if (leading !== zeros) throw invalid(text, `it does not hold exactly ${lengthBytes} bytes`)
  return bytes
}

function invalid(text: string, reason: string): ArchiveError {
  return new ArchiveError('CORE_BASE58_INVALID', `'${text}' is not base58check: ${reason}`, { text })
}
