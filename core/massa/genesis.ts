import { ed25519PublicKey, ed25519Sign } from '#crypto'
import { concatBytes } from '../bytes.ts'
import { parseSecretKey } from './atoms.ts'
import { computeBlockId, computeHeaderSignedHash, computeOperationsHash, encodeHeaderContent } from './header.ts'

/** A constant of Massa's source, the same on every network: it signs genesis blocks and is worth nothing. */
const GENESIS_SECRET = parseSecretKey('S1UxdCJv5ckDK8z87E5Jq5fEfSVLi2cTHgtpfZy7iURs3KpPns8').subarray(1)

const genesisPublicKey = concatBytes(Uint8Array.of(0), ed25519PublicKey(GENESIS_SECRET))

export interface GenesisBlock {
  readonly publicKey: Uint8Array
  readonly content: Uint8Array
  readonly id: Uint8Array
}

/** The block that every thread begins with, at period 0 or at the period of a restart of the chain. */
export function computeGenesisBlock(slot: { readonly period: number; readonly thread: number }): GenesisBlock {
  const publicKey = genesisPublicKey
  const content = encodeHeaderContent({
    currentVersion: 0,
    slot,
    parents: [],
    operationsHash: computeOperationsHash([]),
    endorsements: [],
    denunciations: [],
  })
  const id = computeBlockId(publicKey, content)
  return { publicKey, content, id }
}

/** Its signature, 65 bytes; Ed25519 is deterministic, so it is the one that nodes have. */
export function signGenesisBlock(
  block: GenesisBlock,
  slot: { readonly period: number; readonly thread: number },
): Uint8Array {
  const signedHash = computeHeaderSignedHash(block.publicKey, slot, block.id.subarray(1))
  return concatBytes(Uint8Array.of(0), ed25519Sign(GENESIS_SECRET, signedHash))
}
