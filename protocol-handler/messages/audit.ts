import { CHUNK_SIZE_BYTES, computePathLength, LEAF_SIZE_BYTES } from '../../core/index.ts'
import { ANSWER_STATUS, type Refusal, readAnswerStatus } from './answer-status.ts'
import { readHash } from './fields.ts'
import { wireCodec } from './wire-codec.ts'

const MAX_LEAVES = CHUNK_SIZE_BYTES / LEAF_SIZE_BYTES
const MAX_PATH = 10

/** One leaf of a chunk at an index that the asker drew. */
export interface AuditRequest {
  readonly chunkId: Uint8Array
  /** 0 to 1,023 */
  readonly leafIndex: number
}

export const auditRequestCodec = wireCodec<AuditRequest>({
  name: 'AuditRequest',
  maxBytes: 1 + 32 + 2,
  write: (writer, { chunkId, leafIndex }) => {
    writer.raw(chunkId).u16(leafIndex)
  },
  read: (reader) => {
    const chunkId = readHash(reader)
    const leafIndex = reader.u16()
    if (leafIndex >= MAX_LEAVES) throw reader.error(`leaf ${leafIndex} of a chunk`)
    return { chunkId, leafIndex }
  },
})

/** The leaf with its path; length and tree root make the chunk id, as in a storage proof. */
export type AuditResponse =
  | {
      readonly status: 'ok'
      readonly leafIndex: number
      readonly byteLength: number
      readonly treeRoot: Uint8Array
      readonly leaf: Uint8Array
      readonly path: readonly Uint8Array[]
    }
  | { readonly status: Refusal }

export const auditResponseCodec = wireCodec<AuditResponse>({
  name: 'AuditResponse',
  maxBytes: 1 + 1 + 2 + 4 + 32 + LEAF_SIZE_BYTES + MAX_PATH * 32,
  write: (writer, response) => {
    writer.u8(ANSWER_STATUS[response.status])
    if (response.status !== 'ok') return
    writer.u16(response.leafIndex).u32(response.byteLength).raw(response.treeRoot).raw(response.leaf)
    for (const hash of response.path) writer.raw(hash)
  },
  read: (reader) => {
    const status = readAnswerStatus(reader)
    if (status !== 'ok') return { status }
    const leafIndex = reader.u16()
    const byteLength = reader.u32()
    const leafCount = Math.ceil(byteLength / LEAF_SIZE_BYTES)
    if (byteLength < 1 || byteLength > CHUNK_SIZE_BYTES) throw reader.error(`a chunk of ${byteLength} bytes`)
    if (leafIndex >= leafCount) throw reader.error(`leaf ${leafIndex} of ${leafCount}`)
    const treeRoot = readHash(reader)
    const leaf = reader.raw(Math.min(LEAF_SIZE_BYTES, byteLength - leafIndex * LEAF_SIZE_BYTES))
    const path = Array.from({ length: computePathLength(leafIndex, leafCount) }, () => readHash(reader))
    return { status, leafIndex, byteLength, treeRoot, leaf, path }
  },
})
