import { SIGNATURE_BYTES } from '../../core/index.ts'
import { MAX_CHALLENGE_ID_BYTES } from '../limits.ts'
import { ANSWER_STATUS, type Refusal, readAnswerStatus } from './answer-status.ts'
import { readChallengeId, readDrawSignature } from './challenge.ts'
import { wireCodec } from './wire-codec.ts'

/** What a challenge was drawn by, of who issued it or was asked by it. */
export interface DrawRequest {
  readonly challengeId: string
}

export const drawRequestCodec = wireCodec<DrawRequest>({
  name: 'DrawRequest',
  maxBytes: 1 + 1 + MAX_CHALLENGE_ID_BYTES,
  write: (writer, { challengeId }) => {
    writer.bytes(new TextEncoder().encode(challengeId))
  },
  read: (reader) => ({ challengeId: readChallengeId(reader) }),
})

export type DrawResponse =
  /** 65 bytes, see `ChallengeMessage` */
  { readonly status: 'ok'; readonly drawSignature: Uint8Array } | { readonly status: Refusal }

export const drawResponseCodec = wireCodec<DrawResponse>({
  name: 'DrawResponse',
  maxBytes: 1 + 1 + SIGNATURE_BYTES,
  write: (writer, response) => {
    writer.u8(ANSWER_STATUS[response.status])
    if (response.status === 'ok') writer.raw(response.drawSignature)
  },
  read: (reader) => {
    const status = readAnswerStatus(reader)
    return status === 'ok' ? { status, drawSignature: readDrawSignature(reader) } : { status }
  },
})
