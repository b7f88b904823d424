import { sha256 } from '#sha256'
import { ArchiveError } from './errors.ts'

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const DIGIT_OF_CODE = new Int8Array(128).fill(-1)
for (let i = 0; i < 58; i++) DIGIT_OF_CODE[ALPHABET.charCodeAt(i)] = i

/** Two digits each: a limb of an encoding is two lookups. */
const PAIRS = Array.from({ length: 58 * 58 }, (_, i) => `${ALPHABET[Math.floor(i / 58)]}${ALPHABET[i % 58]}`)

// Numbers are cut into limbs of three bytes, and texts into groups of four digits: both below 2^24, so that the sum of
// as many products as the longest text has groups stays exact in a double.
const LIMB_BYTES = 3
const LIMB = 2 ** 24
const GROUP_DIGITS = 4
const GROUP = 58 ** 4
const MAX_DIGITS = 128
const MAX_GROUPS = MAX_DIGITS / GROUP_DIGITS
/** Limbs of the k-th power of GROUP, least significant first; k + 1 of them are enough. */
const POWER_LIMBS = Array.from({ length: MAX_GROUPS }, (_, k) => {
  const power = BigInt(GROUP) ** BigInt(k)
  return Float64Array.from({ length: k + 1 }, (_, i) => Number((power >> BigInt(8 * LIMB_BYTES * i)) % BigInt(LIMB)))
})
// Signatures are read by the hundred thousand: a fresh array each would be most of what that takes.
const sums = new Float64Array(MAX_GROUPS + 1)
const CHECKSUM_BYTES = 4
/** V8 keeps arrays of up to so many bytes in its heap. Any other takes longer to make than to fill, and so they share memory. */
const MAX_HEAP_ARRAY_BYTES = 64
const SHARED_BYTES = 8192
let shared = new ArrayBuffer(SHARED_BYTES)
let sharedUsedBytes = 0
// Natively a small array is read from a copy outside of the heap, unless it has one already.
const firstDigest = new Uint8Array(32)

/** Base58 of data || first 4 bytes of SHA-256(SHA-256(data)), Bitcoin's alphabet (facts: massa-node 2.1). */
export function encodeBase58Check(data: Uint8Array): string {
  const whole = new Uint8Array(data.length + CHECKSUM_BYTES)
  whole.set(data)
  const checksum = sha256Twice(data)
  for (let i = 0; i < CHECKSUM_BYTES; i++) whole[data.length + i] = checksum[i] ?? 0
  return encodeBase58(whole)
}

/**
 * Data of a base58check text.
 *
 * @param text - at most 128 characters; canonical, so encoding the result gives `text` again
 * @param lengthBytes - what the data must measure; its memory may be a part of a larger buffer
 * @param prefix - letters that stood in front of `text`, for the message
 * @throws ArchiveError CORE_BASE58_INVALID
 */
export function decodeBase58Check(text: string, lengthBytes: number, prefix = ''): Uint8Array {
  const whole = decodeBase58(text, lengthBytes + CHECKSUM_BYTES, prefix)
  const data = whole.subarray(0, lengthBytes)
  const checksum = sha256Twice(data)
  for (let i = 0; i < CHECKSUM_BYTES; i++) {
    if (checksum[i] !== whole[lengthBytes + i]) throw invalid(prefix + text, 'its checksum does not fit')
  }
  return data
}

function sha256Twice(data: Uint8Array): Uint8Array {
  firstDigest.set(sha256(data))
  return sha256(firstDigest)
}

function encodeBase58(bytes: Uint8Array): string {
  let zeros = 0
  while (zeros < bytes.length && bytes[zeros] === 0) zeros++
  // Every byte takes 1.37 digits, so a group per two bytes is more than enough.
  const groups = new Float64Array((bytes.length >> 1) + 1)
  let used = 0
  for (let i = zeros; i < bytes.length; ) {
    const end = Math.min(i + LIMB_BYTES, bytes.length)
    let carry = 0
    let factor = 1
    for (; i < end; i++) {
      carry = carry * 256 + (bytes[i] ?? 0)
      factor *= 256
    }
    for (let k = 0; k < used; k++) {
      const sum = (groups[k] ?? 0) * factor + carry
      carry = Math.floor(sum / GROUP)
      groups[k] = sum - carry * GROUP
    }
    for (; carry > 0; used++) {
      const rest = Math.floor(carry / GROUP)
      groups[used] = carry - rest * GROUP
      carry = rest
    }
  }
  let text = ''
  for (let k = used - 1; k >= 0; k--) {
    const group = groups[k] ?? 0
    const high = Math.floor(group / (58 * 58))
    text += `${PAIRS[high]}${PAIRS[group - high * 58 * 58]}`
  }
  let padding = 0
  while (text.charCodeAt(padding) === 49) padding++
  return '1'.repeat(zeros) + text.slice(padding)
}

function decodeBase58(text: string, lengthBytes: number, prefix: string): Uint8Array {
  if (text.length > MAX_DIGITS) throw invalid(prefix + text.slice(0, 16), `it is longer than ${MAX_DIGITS} characters`)
  const groupCount = Math.ceil(text.length / GROUP_DIGITS)
  sums.fill(0, 0, groupCount + 1)
  // Without carries between them, the products of a group wait for nothing.
  for (let k = groupCount - 1, i = 0; k >= 0; k--) {
    let group = 0
    for (const end = text.length - k * GROUP_DIGITS; i < end; i++) {
      const code = text.charCodeAt(i)
      const digit = code < 128 ? (DIGIT_OF_CODE[code] ?? -1) : -1
      if (digit < 0) throw invalid(prefix + text, 'it holds a character outside the alphabet')
      group = group * 58 + digit
    }
    const power = POWER_LIMBS[k] as Float64Array
    for (let limb = 0; limb <= k; limb++) sums[limb] = (sums[limb] ?? 0) + group * (power[limb] ?? 0)
  }
  const bytes = allocate(lengthBytes)
  let carry = 0
  for (let k = 0, position = lengthBytes - 1; k <= groupCount; k++) {
    const sum = (sums[k] ?? 0) + carry
    carry = Math.floor(sum / LIMB)
    let limb = sum - carry * LIMB
    for (let i = 0; i < LIMB_BYTES; i++, position--) {
      if (position >= 0) bytes[position] = limb & 0xff
      else if (limb !== 0) throw invalid(prefix + text, `it holds more than ${lengthBytes} bytes`)
      limb >>>= 8
    }
  }
  let zeros = 0
  while (zeros < text.length && text.charCodeAt(zeros) === 49) zeros++
  let leading = 0
  while (leading < lengthBytes && bytes[leading] === 0) leading++
  if (leading !== zeros) throw invalid(prefix + text, `it does not hold exactly ${lengthBytes} bytes`)
  return bytes
}

function allocate(lengthBytes: number): Uint8Array {
  if (lengthBytes <= MAX_HEAP_ARRAY_BYTES) return new Uint8Array(lengthBytes)
  if (sharedUsedBytes + lengthBytes > SHARED_BYTES) {
    shared = new ArrayBuffer(SHARED_BYTES)
    sharedUsedBytes = 0
  }
  sharedUsedBytes += lengthBytes
  return new Uint8Array(shared, sharedUsedBytes - lengthBytes, lengthBytes)
}

function invalid(text: string, reason: string): ArchiveError {
  return new ArchiveError('CORE_BASE58_INVALID', `'${text}' is not base58check: ${reason}`, { text })
}
