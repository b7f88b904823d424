import {
  describeAddressFault,
  describeKeyFault,
  parseAddress,
  parseBlockId,
  parseEndorsementId,
  parseOperationId,
  parsePublicKey,
  parseSignature,
} from '../../core/index.ts'
import { optional, struct, u8, u64Number } from './shapes.ts'
import { quote, type Shape } from './typed-json.ts'

/* Massa's own types in request parameters, with the node's words for what is none. */

export const slot = struct('Slot', { period: u64Number, thread: u8 })
/** ms since 1970, the end itself no more. */
export const timeInterval = struct('TimeInterval', { start: optional(u64Number), end: optional(u64Number) })

export const address = textOf('A + {U | S} + base58::encode(version + hash)', parseAddress, describeAddressFault)
export const blockId = textOf('a string', parseBlockId, () => 'block id parsing error')
export const operationId = textOf('a string', parseOperationId, () => 'operation id parsing error')
export const endorsementId = textOf('a string', parseEndorsementId, () => 'endorsement id parsing error')
/** A public key with another letter before it. */
export const nodeId = textOf('a string', parseNodeId, () => 'node id parsing error')
/** 33 bytes. */
export const publicKey = bytesOf(parsePublicKey, describeKeyFault)
/** 65 bytes. */
export const signature = bytesOf(parseSignature, (text) => `Parsing error: bad signature bs58: ${text}`)

function parseNodeId(text: string): Uint8Array {
  return parsePublicKey(text.replace(/^[^N]/, '').replace(/^N/, 'P'))
}

const AMOUNT = 'an Amount type representing a fixed-point currency amount'
const NANO_DECIMALS = 9
const MAX_NANO_MAS = 2n ** 64n - 1n

/** Decimal MAS -> nanoMAS; digits beyond the ninth decimal are refused unless they are zeros. */
export const amount: Shape<bigint> = (json) => {
  const text = json.string(AMOUNT)
  const match = /^\+?(\d+)(?:\.(\d*))?$/.exec(text) ?? /^\+?()\.(\d+)$/.exec(text)
  const decimals = (match?.[2] ?? '').replace(/0+$/, '')
  if (match && decimals.length <= NANO_DECIMALS) {
    const nanoMas = BigInt(`${match[1] ?? ''}${decimals.padEnd(NANO_DECIMALS, '0')}`)
    if (nanoMas <= MAX_NANO_MAS) return nanoMas
  }
  return json.fail(`invalid value: string ${quote(text)}, expected ${AMOUNT}`)
}

/** A text that `parse` takes. */
function textOf(
  expected: string,
  parse: (text: string) => Uint8Array,
  describeFault: (text: string) => string,
): Shape<string> {
  return (json) => {
    const text = json.string(expected)
    try {
      parse(text)
      return text
    } catch {
      return json.fail(describeFault(text))
    }
  }
}

function bytesOf(parse: (text: string) => Uint8Array, describeFault: (text: string) => string): Shape<Uint8Array> {
  return (json) => {
    const text = json.string('an ASCII base58check string')
    try {
      return parse(text)
    } catch {
      return json.fail(describeFault(text))
    }
  }
}
