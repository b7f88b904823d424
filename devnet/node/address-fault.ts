import { sha256 } from '#crypto'

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const CHECKSUM_BYTES = 4

/** What a node says of a text that is no address (massa-models, address.rs; the texts of the bs58 crate). */
export function describeAddressFault(text: string): string {
  const kind = text.startsWith('AU') ? 'UserAddress' : text.startsWith('AS') ? 'SCAddress' : undefined
  if (kind === undefined) return `address parsing error: ${text}`
  return `address parsing error: in ${kind} from_str_without_prefixed_type: ${describeBase58Fault(text.slice(2))}`
}

function describeBase58Fault(text: string): string {
  for (const [place, character] of [...text].entries()) {
    if (character > '\u007f') return `provided string contained non-ascii character starting at byte ${place}`
    if (!ALPHABET.includes(character)) {
      return `provided string contained invalid character '${character}' at byte ${place}`
    }
  }
  const bytes = decodeBase58(text)
  if (bytes.length < CHECKSUM_BYTES) return 'provided string is too small to contain a checksum'
  const given = bytes.subarray(-CHECKSUM_BYTES)
  const computed = sha256(sha256(bytes.subarray(0, -CHECKSUM_BYTES))).subarray(0, CHECKSUM_BYTES)
  return `invalid checksum, calculated checksum: '[${[...computed].join(', ')}]', expected checksum: [${[...given].join(', ')}]`
}

function decodeBase58(text: string): Uint8Array {
  let value = 0n
  for (const character of text) value = value * 58n + BigInt(ALPHABET.indexOf(character))
  const zeros = text.length - text.replace(/^1+/, '').length
  const hex = value === 0n ? '' : value.toString(16)
  const body = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex')
  return Buffer.concat([Buffer.alloc(zeros), body])
}
