import { ID_BYTES, readVersioned, SEAL_BYTES } from '../../core/index.ts'
import { MAX_BLOCK_ANSWER_BYTES, MAX_BLOCKS_PER_REQUEST } from '../limits.ts'
import { ANSWER_STATUS, type Refusal, readAnswerStatus } from './answer-status.ts'
import { wireCodec } from './wire-codec.ts'

/** Blocks that no massa-node has any more, by id: authentic as parents of accepted final blocks. */
export interface BlockRequest {
  /** 1 to 16, 33 bytes each. */
  readonly ids: readonly Uint8Array[]
}

export const blockRequestCodec = wireCodec<BlockRequest>({
  name: 'BlockRequest',
  maxBytes: 1 + 1 + MAX_BLOCKS_PER_REQUEST * ID_BYTES,
  write: (writer, { ids }) => {
    writer.u8(ids.length)
    for (const id of ids) writer.raw(id)
  },
  read: (reader) => {
    const count = reader.u8()
    if (count < 1 || count > MAX_BLOCKS_PER_REQUEST) throw reader.error(`${count} blocks`)
    return { ids: Array.from({ length: count }, () => readVersioned(reader, ID_BYTES)) }
  },
})

/** One for each id of the request, in its order. */
export type BlockResponse =
  | {
      readonly status: 'ok'
      readonly id: Uint8Array
      /** As BODY holds a block (docs/FORMAT.md, BODY). */
      readonly record: Uint8Array
      /** Signatures of header and distinct operations, 64 bytes each. */
      readonly seals: Uint8Array
    }
  | { readonly status: Refusal; readonly id: Uint8Array }

export const blockResponseCodec = wireCodec<BlockResponse>({
  name: 'BlockResponse',
  maxBytes: MAX_BLOCK_ANSWER_BYTES,
  write: (writer, response) => {
    writer.u8(ANSWER_STATUS[response.status]).raw(response.id)
    if (response.status === 'ok') writer.bytes(response.record).bytes(response.seals)
  },
  read: (reader) => {
    const status = readAnswerStatus(reader)
    const id = readVersioned(reader, ID_BYTES)
    if (status !== 'ok') return { status, id }
    const record = reader.sized(MAX_BLOCK_ANSWER_BYTES)
    const seals = reader.sized(MAX_BLOCK_ANSWER_BYTES)
    if (seals.length === 0 || seals.length % SEAL_BYTES !== 0) throw reader.error(`seals of ${seals.length} bytes`)
    return { status, id, record, seals }
  },
})
