import type { SignatureArgument } from '../../core/index.ts'
import { MAX_ERA_SIGNATURES } from '../limits.ts'
import { ANSWER_STATUS, type Refusal, readAnswerStatus } from './answer-status.ts'
import { readHash } from './fields.ts'
import { readSignature, SIGNATURE_FIELD_BYTES, writeSignature } from './signed.ts'
import { wireCodec } from './wire-codec.ts'

export interface EraRequest {
  readonly era: number
}

export const eraRequestCodec = wireCodec<EraRequest>({
  name: 'EraRequest',
  maxBytes: 1 + 4,
  write: (writer, { era }) => {
    writer.u32(era)
  },
  read: (reader) => ({ era: reader.u32() }),
})

/** What the sender makes of an era, and who signed that it is so: the text is that of docs/FORMAT.md, era signature. */
export type EraResponse =
  | {
      readonly status: 'ok'
      readonly era: number
      readonly eraRoot: Uint8Array
      readonly totalBytes: bigint
      readonly totalChunks: bigint
      /** Of the placement of era + 1. */
      readonly nextPlacementRoot: Uint8Array
      /** Up to 100, the sender's own first. */
      readonly signatures: readonly SignatureArgument[]
    }
  | { readonly status: Refusal }

export const eraResponseCodec = wireCodec<EraResponse>({
  name: 'EraResponse',
  maxBytes: 1 + 1 + 4 + 32 + 8 + 8 + 32 + 1 + MAX_ERA_SIGNATURES * SIGNATURE_FIELD_BYTES,
  write: (writer, response) => {
    writer.u8(ANSWER_STATUS[response.status])
    if (response.status !== 'ok') return
    writer.u32(response.era).raw(response.eraRoot).u64(response.totalBytes).u64(response.totalChunks)
    writer.raw(response.nextPlacementRoot).u8(response.signatures.length)
    for (const signature of response.signatures) writeSignature(writer, signature)
  },
  read: (reader) => {
    const status = readAnswerStatus(reader)
    if (status !== 'ok') return { status }
    const era = reader.u32()
    const eraRoot = readHash(reader)
    const totalBytes = reader.u64()
    const totalChunks = reader.u64()
    const nextPlacementRoot = readHash(reader)
    const count = reader.u8()
    if (count > MAX_ERA_SIGNATURES) throw reader.error(`${count} signatures`)
    const signatures = Array.from({ length: count }, () => readSignature(reader))
    return { status, era, eraRoot, totalBytes, totalChunks, nextPlacementRoot, signatures }
  },
})
