import { SIGNATURE_ENTRY_BYTES } from '../../archiver/signature-list.ts'
import type { SealedRecord } from '../../archiver/verify-record.ts'
import {
  ByteReader,
  ByteWriter,
  computeHeaderSignedHash,
  distinctIds,
  MAX_HEAD_BYTES,
  readOperationKeys,
  SEAL_BYTES,
} from '../../core/index.ts'
import type { PeriodHeads } from '../bootstrap/period-links.ts'

/** What SEALS hold of one block, for `findForgedSignature`. */
export interface BlockSignatures {
  readonly thread: number
  readonly list: Uint8Array
}

/**
 * Keys, signed hashes and signatures of the blocks of a period: of headers and of operations by the ids that are listed, whose contents
 * are not hashed.
 *
 * @param heads - of the same BODY
 * @throws ArchiveError CORE_BODY_INVALID
 */
export function listSealSignatures(sealed: readonly SealedRecord[], heads: PeriodHeads): BlockSignatures[] {
  return sealed.map(({ slot, record, seals }) => {
    const head = heads[slot.thread]
    const reader = new ByteReader(record, 'CORE_BODY_INVALID')
    reader.sized(MAX_HEAD_BYTES)
    const keys = readOperationKeys(reader)
    const ids = distinctIds(head?.operationIds ?? [])
    if (!head || keys.length !== ids.length)
      throw reader.error(`${keys.length} operations, the block lists ${ids.length}`)
    const signed = [
      { key: head.publicKey, hash: computeHeaderSignedHash(head.publicKey, slot, head.id.subarray(1)) },
      ...ids.map((id, i) => ({ key: keys[i] ?? new Uint8Array(), hash: id.subarray(1) })),
    ]
    const writer = new ByteWriter(signed.length * SIGNATURE_ENTRY_BYTES)
    for (const [i, { key, hash }] of signed.entries()) {
      // With the version byte that SEALS leave out.
      writer
        .raw(key)
        .raw(hash)
        .u8(0)
        .raw(seals.subarray(i * SEAL_BYTES, (i + 1) * SEAL_BYTES))
    }
    return { thread: slot.thread, list: writer.finish() }
  })
}
