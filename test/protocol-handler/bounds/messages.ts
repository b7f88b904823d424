import { computePathLength, isArchiveError } from '../../../core/index.ts'
import {
  announcementCodec,
  type BlockResponse,
  blockRequestCodec,
  blockResponseCodec,
  type ChallengeMessage,
  type ChallengeProofMessage,
  type ChunkResponse,
  capabilitiesCodec,
  challengeCodec,
  challengeProofCodec,
  chunkResponseCodec,
  type EraResponse,
  eraResponseCodec,
  type HaveResponse,
  haveResponseCodec,
  type ManifestRequest,
  type ManifestResponse,
  manifestRequestCodec,
  manifestResponseCodec,
  type SuspicionResponse,
  sealsResponseCodec,
  signHavePage,
  suspicionResponseCodec,
  type WireCodec,
} from '../../../protocol-handler/index.ts'
import { PeerClient } from '../../../storage-worker/peers/peer-client.ts'
import { StillClock } from '../../clocks.ts'
import { NETWORK, SEED, SIGNATURE, signSample } from '../sample-messages.ts'
import { type BoundName, tested, tried } from './bound.ts'

const HASH = new Uint8Array(32).fill(1)
const ID = new Uint8Array(33)
const PART_BYTES = 1_048_576

/** What stands around the bytes of an answer of variable length. */
const MANIFEST_HEAD_BYTES = 1 + 1 + 1 + 8 + 1
const BLOCK_HEAD_BYTES = 1 + 1 + 33
const HAVE_HEAD_BYTES = 1 + 1 + 16 + 8 + 4 + 2 + 2 + 2 + 2 + 1 + 33 + 65
const HAVE_ENTRY_BYTES = 6
/** LEB128 of a number of 3 bytes, and of 64. */
const LONG = 3
const SHORT = 1

/** Whether a message of such a size is read; `write` of a codec itself refuses nothing but what is too long in all. */
function read<T>(codec: WireCodec<T>, make: (size: number) => T, step = 1) {
  return tried((size) => {
    try {
      codec.decode(codec.encode(make(size)))
      return true
    } catch (error) {
      if (isArchiveError(error, 'PROTOCOL_MESSAGE_INVALID')) return false
      if (isArchiveError(error, 'CORE_NUMBER_OUT_OF_RANGE')) return false
      throw error
    }
  }, step)
}

/** SEALS of so many bytes, as a peer gives them part by part. */
async function takesSeals(totalBytes: number): Promise<boolean> {
  let offset = 0
  const request = async (): Promise<Uint8Array[]> => {
    const part = new Uint8Array(Math.min(PART_BYTES, totalBytes - offset))
    offset += part.length
    return [sealsResponseCodec.encode({ status: 'ok', totalBytes, offset: offset - part.length, part })]
  }
  const client = new PeerClient({ request }, () => undefined, { clock: new StillClock() })
  return await client.fetchSeals('peer', HASH, totalBytes).then(
    ({ status }) => status === 'ok',
    (error) => {
      if (isArchiveError(error, 'PROTOCOL_ANSWER_WRONG')) return false
      throw error
    },
  )
}

/** Whether an answer that takes so long is waited for. */
async function waitsFor(ms: number): Promise<boolean> {
  const waited: number[] = []
  const request = async (_peer: string, _name: string, { deadlineMs }: { deadlineMs: number }) => {
    waited.push(deadlineMs)
    return [sealsResponseCodec.encode({ status: 'busy' })]
  }
  await new PeerClient({ request }, () => undefined, { clock: new StillClock() }).fetchSeals('peer', HASH, 1)
  return waited.every((deadlineMs) => deadlineMs >= ms)
}

export const MESSAGES = {
  MAX_ANNOUNCED_PERIODS: read(announcementCodec, (periodCount) => {
    return { firstPeriod: 1, periodCount, chunkCount: 1, rootsHash: HASH, incompleteSlots: [] }
  }),
  MAX_PERIODS_AHEAD: tested(
    'test/storage-worker/replication/announcement-board.test.ts',
    'limit: future period: eight past the newest final one are taken, nine are not; none while none is known',
  ),
  MAX_LISTEN_ADDRESSES: read(capabilitiesCodec, (count) =>
    signSample({ listenAddresses: Array.from({ length: count }, () => '/dns4/a') }),
  ),
  MAX_LISTEN_ADDRESS_BYTES: read(capabilitiesCodec, (bytes) => signSample({ listenAddresses: ['x'.repeat(bytes)] })),
  MAX_HAVE_PAGE_BYTES: read<HaveResponse>(
    haveResponseCodec,
    (bytes) => {
      const count = Math.floor((bytes - HAVE_HEAD_BYTES) / HAVE_ENTRY_BYTES)
      const held = Array.from({ length: count }, (_, hashSlot) => ({ hashSlot, endEra: 1 }))
      const slots = { fromHashSlot: 0, endHashSlot: 16_384 }
      const page = { network: NETWORK, headPeriod: 1, firstEra: 0, ...slots, held, exceptions: [], missingPeriods: [] }
      return { status: 'ok', page: signHavePage(SEED, page) }
    },
    HAVE_ENTRY_BYTES,
  ),
  MAX_MISSING_RANGES: read<HaveResponse>(haveResponseCodec, (count) => {
    const missingPeriods = Array.from({ length: count }, (_, i) => ({ fromPeriod: 2 * i, endPeriod: 2 * i + 1 }))
    const slots = { fromHashSlot: 0, endHashSlot: 16_384, held: [], exceptions: [] }
    const page = { network: NETWORK, headPeriod: 1_000, firstEra: 0, ...slots, missingPeriods }
    return { status: 'ok', page: signHavePage(SEED, page) }
  }),
  MAX_HAVE_PAGES: tested(
    'test/storage-worker/peers/fetch-have-map.test.ts',
    'limit: pages without end: 32 pages are read, not one more',
  ),
  MAX_PERIODS_PER_REQUEST: read<ManifestRequest>(manifestRequestCodec, (periodCount) => {
    return { wanted: 'roots', firstPeriod: 1, periodCount }
  }),
  MAX_BLOCKS_PER_REQUEST: read(blockRequestCodec, (count) => {
    return { blocks: Array.from({ length: count }, () => ({ thread: 0, beforePeriod: 1, id: ID })) }
  }),
  MAX_PERIODS_BACK: tested('test/storage-worker/peers/gap-filler.test.ts', 'looks 1,024 periods back and no further'),
  MAX_ERA_SIGNATURES: read<EraResponse>(eraResponseCodec, (count) => {
    const totals = { era: 1, eraRoot: HASH, totalBytes: 1n, totalChunks: 1n, nextPlacementRoot: HASH }
    return { status: 'ok', ...totals, signatures: Array.from({ length: count }, () => SIGNATURE) }
  }),
  MAX_CHALLENGE_ID_BYTES: read<ChallengeMessage>(challengeCodec, (bytes) => {
    const drawn = { node: new Uint8Array(34), chunkId: HASH, nonce: 1n, issuedPeriod: 0, drawSignature: undefined }
    return { kind: 'rehearsal', challengeId: 'x'.repeat(bytes), ...drawn }
  }),
  MAX_PROOF_BYTES: read<ChallengeProofMessage>(challengeProofCodec, (bytes) => {
    return { status: 'ok', challengeId: 'x', proof: new Uint8Array(bytes), signature: SIGNATURE }
  }),
  MAX_TOLD_SUSPICIONS: read<SuspicionResponse>(suspicionResponseCodec, (count) => {
    const suspicions = Array.from({ length: count }, (_, i) => {
      return { node: new Uint8Array(34).fill(i, 33), period: 1, index: 0 }
    })
    return { status: 'ok', suspicions }
  }),
  MAX_MANIFEST_ANSWER_BYTES: read<ManifestResponse>(manifestResponseCodec, (bytes) => {
    const items = [new Uint8Array(bytes - MANIFEST_HEAD_BYTES - LONG)]
    return { status: 'ok', wanted: 'manifests', firstPeriod: 1, items }
  }),
  MAX_BLOCK_ANSWER_BYTES: read<BlockResponse>(blockResponseCodec, (bytes) => {
    const record = new Uint8Array(bytes - BLOCK_HEAD_BYTES - LONG - 64 - SHORT)
    return { status: 'ok', id: ID, record, seals: new Uint8Array(64) }
  }),
  MAX_PERIOD_CHUNKS: read<ChunkResponse>(chunkResponseCodec, (chunkCount) => {
    const path = Array.from({ length: computePathLength(0, chunkCount) }, () => HASH)
    return { status: 'ok', position: { period: 1, index: 0, chunkCount, path }, data: HASH }
  }),
  MAX_SEALS_BYTES: tried(takesSeals),
  MAX_ANSWER_MS: tried(waitsFor),
  MAX_SEALS_MS: tested(
    'test/storage-worker/peers/peer-client.test.ts',
    'slow peer: all parts of SEALS together have a minute, however long each of them takes',
  ),
} satisfies Partial<Record<BoundName, unknown>>
