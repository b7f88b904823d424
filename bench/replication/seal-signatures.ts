import {
  type ArchivedPeriod,
  computeHeaderSignedHash,
  concatBytes,
  parseBody,
  parseSeals,
  SEAL_BYTES,
} from '../../core/index.ts'

/** All that SEALS hold, in SIGNATURE_RECORD_BYTES each; none of genesis blocks, which are computed. */
export function listSealSignatures({ manifest, chunks, seals }: ArchivedPeriod): Uint8Array[] {
  if (manifest.period === 0) return []
  const body = parseBody(concatBytes(...chunks))
  const ofBlocks = parseSeals(seals, body)
  const records = body.slots.flatMap((slot) => (slot.kind === 'block' ? [slot.record] : []))
  return records.flatMap(({ publicKey, header, id, operations }, block) => {
    const signed = [
      { publicKey, hash: computeHeaderSignedHash(publicKey, header.slot, id.subarray(1)) },
      ...operations.map((operation) => ({ publicKey: operation.publicKey, hash: operation.id.subarray(1) })),
    ]
    return signed.map(({ publicKey, hash }, i) => {
      const signature = ofBlocks[block]?.subarray(SEAL_BYTES * i, SEAL_BYTES * (i + 1)) ?? new Uint8Array()
      return concatBytes(publicKey.subarray(1), hash, signature)
    })
  })
}
