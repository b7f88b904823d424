import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { bail } from '../faults.ts'
import type { Machine } from '../machine.ts'
import { type HostFamily, host } from './host-table.ts'

const SIGNATURE_BYTES = 65
const HASH_BYTES = 32
const RAW_KEY_BYTES = 64
/** What Ethereum adds to the recovery bit. */
const RECOVERY_OFFSET = 27
const { Point } = secp256k1
const ORDER = Point.Fn.ORDER

/** Signatures and addresses as Ethereum makes them. */
export function makeEvmFunctions(machine: Machine): HostFamily {
  return {
    evm_signature_verify: host('iii>i', (data: number, signature: number, publicKey: number) => {
      const { memory } = machine
      memory.charge(machine.gas.evm_signature_verify)
      const message = memory.readBuffer(data)
      const bytes = memory.readBuffer(signature)
      const keyBytes = memory.readBuffer(publicKey)
      if (bytes.length !== SIGNATURE_BYTES) throw bail('invalid signature length in evm_signature_verify')
      const key = parseKey(keyBytes)
      const { r, s } = parseSignature(bytes, 'evm_signature_verify', 'recovery_id')
      if (r === 0n || s === 0n) return 0
      const title = Buffer.from(`\x19Ethereum Signed Message:\n${message.length}`)
      const digest = keccak_256(Buffer.concat([title, message]))
      const compact = bytes.subarray(0, 64)
      return secp256k1.verify(compact, digest, key, { prehash: false }) ? 1 : 0
    }),
    evm_get_address_from_pubkey: host('i>i', (publicKey: number) => {
      const { memory } = machine
      memory.charge(machine.gas.evm_get_address_from_pubkey)
      const key = parseKey(memory.readBuffer(publicKey))
      return memory.writeBuffer(keccak_256(key.subarray(1)).slice(12))
    }),
    evm_get_pubkey_from_signature: host('ii>i', (digest: number, signature: number) => {
      const { memory } = machine
      memory.charge(machine.gas.evm_get_pubkey_from_signature)
      const hash = memory.readBuffer(digest)
      const bytes = memory.readBuffer(signature)
      if (bytes.length !== SIGNATURE_BYTES) throw bail('invalid signature length in evm_get_pubkey_from_signature')
      if (hash.length !== HASH_BYTES) throw bail('Invalid input length')
      const { r, s, recovery } = parseSignature(bytes, 'evm_get_pubkey_from_signature', 'recovery_id_')
      try {
        const recovered = new secp256k1.Signature(r, s, recovery).recoverPublicKey(hash)
        return memory.writeBuffer(recovered.toBytes(false))
      } catch (error) {
        if (error instanceof Error) throw bail('Invalid signature')
        throw error
      }
    }),
  }
}

/** 33, 64 or 65 bytes -> the 65 bytes of the uncompressed form. */
function parseKey(bytes: Uint8Array): Uint8Array {
  const encoded = bytes.length === RAW_KEY_BYTES ? Buffer.concat([Uint8Array.of(4), bytes]) : bytes
  if (encoded.length !== 33 && encoded.length !== 65) throw bail('Invalid input length')
  try {
    return Point.fromBytes(encoded).toBytes(false)
  } catch {
    throw bail('Invalid public key')
  }
}

function parseSignature(
  bytes: Uint8Array,
  functionName: string,
  printedName: string,
): { readonly r: bigint; readonly s: bigint; readonly recovery: number } {
  const r = readBigInt(bytes.subarray(0, 32))
  const s = readBigInt(bytes.subarray(32, 64))
  if (r >= ORDER || s >= ORDER) throw bail('Invalid signature')
  const recovery = (bytes[64] ?? 0) - RECOVERY_OFFSET
  const isHigh = s > ORDER / 2n
  // The node checks these in another order in its two functions, and prints the name of the variable.
  const high = () => bail('High-Order s Value are prohibited in evm_get_pubkey_from_signature')
  if (isHigh && functionName === 'evm_get_pubkey_from_signature') throw high()
  if (recovery < 0 || recovery > 3) throw bail('Invalid recovery ID')
  if (recovery > 1) throw bail(`invalid recovery id value (v = {${printedName}}) in ${functionName}`)
  if (isHigh) throw high()
  return { r, s, recovery }
}

function readBigInt(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
}
