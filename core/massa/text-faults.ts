import { sha256 } from '#crypto'
import { concatBytes, equalBytes, fromHex } from '../bytes.ts'

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const NO_DIGIT = /[^1-9A-HJ-NP-Za-km-z]/u
/** Reading takes the square of the length, and a contract can make a text of megabytes: longer ones are refused unread. */
const MAX_DIGITS = 1024
const CHECKSUM_BYTES = 4
const KEY_BYTES = 32
/** What each byte of a varint counts up to; the bit of this value says that more follow. */
const VARINT = 128

/*
 * What a node says of texts that are not what they should be. Recorded from a massa-node MAIN.3.0
 * (test/fixtures/host-functions).
 */

/** Of a text that is no address (massa-models, address.rs; the texts of the bs58 crate). */
export function describeAddressFault(text: string): string {
  const kind = text.startsWith('AU') ? 'UserAddress' : text.startsWith('AS') ? 'SCAddress' : undefined
  if (kind === undefined) return `address parsing error: ${text}`
  const fault = describeBase58Fault(text.slice(2))
  if (fault !== undefined) return `address parsing error: in ${kind} from_str_without_prefixed_type: ${fault}`
  const { version, rest } = readVersion(text.slice(2))
  if (version !== 0n) return `address parsing error: version ${version} is not handled for ${kind}`
  return `buffer error: expected a buffer of size ${KEY_BYTES}, but found a size of ${rest.length}`
}

/** Of a text that is no public key. */
export function describeKeyFault(text: string): string {
  if (!text.startsWith('P')) return 'Parsing error: Bad public key prefix'
  if (describeBase58Fault(text.slice(1)) !== undefined) return 'Parsing error: Bad public key bs58'
  const { version, rest } = readVersion(text.slice(1))
  if (version !== 0n) return `invalid version identifier: Unknown PublicKey version: ${version}`
  if (rest.length < KEY_BYTES) return 'Parsing error: public key byte array is of invalid size'
  return 'Parsing error: signature error: Cannot decompress Edwards point'
}

/** Of a text that no deferred call can have as its id; `undefined` where one could. A node reads no more than the version. */
export function findCallIdFault(text: string): string | undefined {
  if (!text.startsWith('D')) return `Deserialization error: Invalid prefix for DeferredCallId: ${text}`
  const data = text.slice(1)
  if (describeBase58Fault(data) !== undefined) {
    return `Deserialization error: Invalid base58 string for DeferredCallId: ${data}`
  }
  if (decodeBase58(data).length === CHECKSUM_BYTES) return 'Serialization error: Empty bytes'
  const { version } = readVersion(data)
  return version === 0n
    ? undefined
    : `invalid version identifier: Invalid version to create an DeferredCallId: ${version}`
}

/** The varint that bytes with a checksum begin with, and what comes after it. */
function readVersion(text: string): { version: bigint; rest: Uint8Array } {
  const bytes = decodeBase58(text).subarray(0, -CHECKSUM_BYTES)
  const last = bytes.findIndex((byte) => byte < VARINT)
  let version = 0n
  for (const byte of bytes.subarray(0, last + 1).reverse()) version = version * BigInt(VARINT) + BigInt(byte % VARINT)
  return { version, rest: decodeBase58(text).subarray(last + 1, -CHECKSUM_BYTES) }
}

/** `undefined` for base58 whose checksum is right. */
function describeBase58Fault(text: string): string | undefined {
  const bad = NO_DIGIT.exec(text)
  if (bad) {
    const [character] = bad
    if (character > '\u007f') return `provided string contained non-ascii character starting at byte ${bad.index}`
    return `provided string contained invalid character '${character}' at byte ${bad.index}`
  }
  if (text.length > MAX_DIGITS) return 'invalid checksum'
  const bytes = decodeBase58(text)
  if (bytes.length < CHECKSUM_BYTES) return 'provided string is too small to contain a checksum'
  const given = bytes.subarray(-CHECKSUM_BYTES)
  const computed = sha256(sha256(bytes.subarray(0, -CHECKSUM_BYTES))).subarray(0, CHECKSUM_BYTES)
  if (equalBytes(given, computed)) return undefined
  return `invalid checksum, calculated checksum: '[${[...computed].join(', ')}]', expected checksum: [${[...given].join(', ')}]`
}

function decodeBase58(text: string): Uint8Array {
  let value = 0n
  for (const character of text) value = value * 58n + BigInt(ALPHABET.indexOf(character))
  const zeros = text.length - text.replace(/^1+/, '').length
  const hex = value === 0n ? '' : value.toString(16)
  return concatBytes(new Uint8Array(zeros), fromHex(hex.padStart(hex.length + (hex.length % 2), '0')))
}
