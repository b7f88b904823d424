import {
  ByteReader,
  computeHeaderSignedHash,
  concatBytes,
  MAX_HEADER_VERSION,
  type Network,
  readBlockRecord,
  SEAL_BYTES,
  type Slot,
  verifySignature,
} from '../core/index.ts'

/** A block as BODY holds it, and what SEALS hold of it: 64 bytes for the header and for each distinct operation. */
export interface SealedRecord {
  readonly slot: Slot
  readonly record: Uint8Array
  readonly seals: Uint8Array
}

/** What is proven of an archived block by itself. */
export interface VerifiedRecord {
  /** All of its id is bound: every operation hashes to its own id, and this release knows what the header signs. */
  readonly isBound: boolean
  /** Every signature verifies. */
  readonly isSealed: boolean
}

/**
 * Checks all that the id of an archived block binds, and its signatures.
 *
 * @throws ArchiveError CORE_BODY_INVALID when the record is not what BODY may hold at this slot
 * @remarks CPU bound, 0.1 ms per signature: runs in a worker thread.
 */
export function verifyRecord({ slot, record, seals }: SealedRecord, network: Network): VerifiedRecord {
  const reader = new ByteReader(record, 'CORE_BODY_INVALID')
  const { id, publicKey, header, operations } = readBlockRecord(reader, network, slot)
  reader.end()
  const signed = [
    { publicKey, hash: computeHeaderSignedHash(publicKey, slot, id.subarray(1)) },
    ...operations.map((operation) => ({ publicKey: operation.publicKey, hash: operation.id.subarray(1) })),
  ]
  const isSealed =
    seals.length === SEAL_BYTES * signed.length &&
    signed.every((one, i) => verifySignature(one.publicKey, one.hash, signatureAt(seals, i)))
  return {
    isBound: header.currentVersion <= MAX_HEADER_VERSION && operations.every(({ reproducible }) => reproducible),
    isSealed,
  }
}

/** With the version byte that SEALS leave out. */
function signatureAt(seals: Uint8Array, index: number): Uint8Array {
  return concatBytes(Uint8Array.of(0), seals.subarray(index * SEAL_BYTES, (index + 1) * SEAL_BYTES))
}
