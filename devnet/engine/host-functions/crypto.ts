import { ed25519 } from '@noble/curves/ed25519.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { blake3, ed25519Verify, sha256 } from '#crypto'
import { isArchiveError } from '../../../core/errors.ts'
import { computeAddress } from '../../../core/massa/address.ts'
import { formatAddress, parsePublicKey, parseSignature } from '../../../core/massa/atoms.ts'
import { describeKeyFault } from '../../../core/massa/text-faults.ts'
import { bail } from '../faults.ts'
import type { Machine } from '../machine.ts'
import { type HostFamily, host } from './host-table.ts'

/** Hashes, and signatures as Massa makes them. */
export function makeCryptoFunctions(machine: Machine): HostFamily {
  return {
    hash: host('i>i', (bytes: number) => {
      machine.memory.charge(machine.gas.hash)
      return machine.memory.writeBuffer(blake3(machine.memory.readBuffer(bytes)))
    }),
    hash_sha256: host('i>i', (bytes: number) => {
      machine.memory.charge(machine.gas.hash_sha256)
      return machine.memory.writeBuffer(sha256(machine.memory.readBuffer(bytes)))
    }),
    keccak256_hash: host('i>i', (bytes: number) => {
      machine.memory.charge(machine.gas.keccak256_hash)
      return machine.memory.writeBuffer(keccak_256(machine.memory.readBuffer(bytes)))
    }),
    signature_verify: host('iii>i', (data: number, signature: number, publicKey: number) => {
      const { memory } = machine
      memory.charge(machine.gas.signature_verify)
      const text = memory.readString(data)
      const signatureText = memory.readString(signature)
      return isSigned(text, signatureText, memory.readString(publicKey)) ? 1 : 0
    }),
    address_from_public_key: host('i>i', (publicKey: number) => {
      const { memory } = machine
      memory.charge(machine.gas.address_from_public_key)
      const text = memory.readString(publicKey)
      const key = tryParse(parsePublicKey, text)
      if (!key || !isPoint(key.subarray(1))) throw bail(describeKeyFault(text))
      return memory.writeString(formatAddress(computeAddress(key)))
    }),
  }
}

/** Ed25519 over BLAKE3 of the text; texts that are no signature or key give false. */
function isSigned(text: string, signatureText: string, publicKeyText: string): boolean {
  const signature = tryParse(parseSignature, signatureText)
  const publicKey = signature && tryParse(parsePublicKey, publicKeyText)
  if (!publicKey) return false
  return ed25519Verify(publicKey.subarray(1), blake3(Buffer.from(text)), signature.subarray(1))
}

/** A node takes points that are not written in the shortest way, too. */
function isPoint(bytes: Uint8Array): boolean {
  try {
    ed25519.Point.fromBytes(bytes, true)
    return true
  } catch {
    return false
  }
}

function tryParse(parse: (text: string) => Uint8Array, text: string): Uint8Array | undefined {
  try {
    return parse(text)
  } catch (error) {
    if (isArchiveError(error, 'CORE_BASE58_INVALID')) return undefined
    throw error
  }
}
