import { ID_BYTES, type Period, readVersioned, SEAL_BYTES, THREAD_COUNT } from '../../core/index.ts'
import { MAX_BLOCK_ANSWER_BYTES, MAX_BLOCKS_PER_REQUEST } from '../limits.ts'
import { ANSWER_STATUS, type Refusal, readAnswerStatus } from './answer-status.ts'
import { readPeriod, writePeriod } from './fields.ts'
import { wireCodec } from './wire-codec.ts'

/** Blocks that no massa-node has any more, by id: authentic as parents of accepted final blocks. */
export interface BlockRequest {
  /** 1 to 16 */
  readonly blocks: readonly WantedBlock[]
}

/** The last block of its thread before a period. It is found by its place: nobody keeps an index of all block ids. */
export interface WantedBlock {
  readonly thread: number
  readonly beforePeriod: Period
  /** 33 bytes */
  readonly id: Uint8Array
}

const WANTED_BLOCK_BYTES = 1 + 8 + ID_BYTES

export const blockRequestCodec = wireCodec<BlockRequest>({
  name: 'BlockRequest',
  maxBytes: 1 + 1 + MAX_BLOCKS_PER_REQUEST * WANTED_BLOCK_BYTES,
  write: (writer, { blocks }) => {
    writer.u8(blocks.length)
    for (const { thread, beforePeriod, id } of blocks) {
      writer.u8(thread)
      writePeriod(writer, beforePeriod)
      writer.raw(id)
    }
  },
  read: (reader) => {
    const count = reader.u8()
    if (count < 1 || count > MAX_BLOCKS_PER_REQUEST) throw reader.error(`${count} blocks`)
    const blocks = Array.from({ length: count }, () => {
      const thread = reader.u8()
      if (thread >= THREAD_COUNT) throw reader.error(`thread ${thread}`)
      return { thread, beforePeriod: readPeriod(reader), id: readVersioned(reader, ID_BYTES) }
    })
    return { blocks }
  },
})

/** One for each block of the request, in its order. */
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
