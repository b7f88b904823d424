import {
  ADDRESS_BYTES,
  type ByteReader,
  type Period,
  SIGNATURE_BYTES,
  type SignatureArgument,
} from '../../core/index.ts'
import { MAX_CHALLENGE_ID_BYTES, MAX_PROOF_BYTES } from '../limits.ts'
import { ANSWER_STATUS, type Refusal, readAnswerStatus } from './answer-status.ts'
import { readHash, readPeriod, writePeriod } from './fields.ts'
import { readSignature, SIGNATURE_FIELD_BYTES, writeSignature } from './signed.ts'
import { wireCodec } from './wire-codec.ts'

const KIND = { challenge: 0, rehearsal: 1 } as const
const DRAWN = { no: 0, yes: 1 } as const

/** The seed's `Challenge`. */
export interface ChallengeMessage {
  /** A rehearsal is worth nothing on chain. */
  readonly kind: keyof typeof KIND
  /** 1 to 64 of [0-9A-Za-z_-], as the contract takes it. */
  readonly challengeId: string
  /** 34 bytes, of the challenged node. */
  readonly node: Uint8Array
  readonly chunkId: Uint8Array
  readonly nonce: bigint
  /** As the chain recorded it; 0 in a rehearsal. */
  readonly issuedPeriod: Period
  /** 65 bytes over the text of the draw (docs/FORMAT.md, Challenge draw); absent for a challenge made by hand. */
  readonly drawSignature: Uint8Array | undefined
}

export const challengeCodec = wireCodec<ChallengeMessage>({
  name: 'Challenge',
  maxBytes: 1 + 1 + 1 + MAX_CHALLENGE_ID_BYTES + ADDRESS_BYTES + 32 + 8 + 8 + 1 + SIGNATURE_BYTES,
  write: (writer, message) => {
    writer.u8(KIND[message.kind]).bytes(new TextEncoder().encode(message.challengeId)).raw(message.node)
    writer.raw(message.chunkId).u64(message.nonce)
    writePeriod(writer, message.issuedPeriod)
    if (message.drawSignature) writer.u8(DRAWN.yes).raw(message.drawSignature)
    else writer.u8(DRAWN.no)
  },
  read: (reader) => {
    const kind = readKind(reader)
    const challengeId = readChallengeId(reader)
    const node = reader.raw(ADDRESS_BYTES)
    if (node[0] !== 0 || node[1] !== 0) throw reader.error('the challenged node is no user address')
    const chunkId = readHash(reader)
    const nonce = reader.u64()
    const issuedPeriod = readPeriod(reader)
    const drawn = reader.u8()
    if (drawn !== DRAWN.no && drawn !== DRAWN.yes) throw reader.error(`flag ${drawn}`)
    const drawSignature = drawn === DRAWN.yes ? readDrawSignature(reader) : undefined
    return { kind, challengeId, node, chunkId, nonce, issuedPeriod, drawSignature }
  },
})

/** The seed's `ChallengeProof`: bytes as `submitProof` takes them. */
export type ChallengeProofMessage =
  | {
      readonly status: 'ok'
      readonly challengeId: string
      readonly proof: Uint8Array
      readonly signature: SignatureArgument
    }
  | { readonly status: Refusal; readonly challengeId: string }

export const challengeProofCodec = wireCodec<ChallengeProofMessage>({
  name: 'ChallengeProof',
  maxBytes: 1 + 1 + 1 + MAX_CHALLENGE_ID_BYTES + 4 + MAX_PROOF_BYTES + SIGNATURE_FIELD_BYTES,
  write: (writer, message) => {
    writer.u8(ANSWER_STATUS[message.status]).bytes(new TextEncoder().encode(message.challengeId))
    if (message.status !== 'ok') return
    writer.u32(message.proof.length).raw(message.proof)
    writeSignature(writer, message.signature)
  },
  read: (reader) => {
    const status = readAnswerStatus(reader)
    const challengeId = readChallengeId(reader)
    if (status !== 'ok') return { status, challengeId }
    const length = reader.u32()
    if (length < 1 || length > MAX_PROOF_BYTES) throw reader.error(`a proof of ${length} bytes`)
    const proof = reader.raw(length)
    return { status, challengeId, proof, signature: readSignature(reader) }
  },
})

function readKind(reader: ByteReader): ChallengeMessage['kind'] {
  const kind = reader.u8()
  if (kind === KIND.challenge) return 'challenge'
  if (kind === KIND.rehearsal) return 'rehearsal'
  throw reader.error(`kind of challenge ${kind} is not known`)
}

/** 65 bytes, of version 0. */
export function readDrawSignature(reader: ByteReader): Uint8Array {
  const signature = reader.raw(SIGNATURE_BYTES)
  if (signature[0] !== 0) throw reader.error('a signature of another version than 0')
  return signature
}

/** 1 to 64 of [0-9A-Za-z_-]. */
export function readChallengeId(reader: ByteReader): string {
  const text = reader.utf8(reader.sized(MAX_CHALLENGE_ID_BYTES))
  if (!/^[0-9A-Za-z_-]+$/.test(text)) throw reader.error('a challenge id is not 1 to 64 of [0-9A-Za-z_-]')
  return text
}
