import { toBase64 } from '../base64.ts'
import { MAX_BLOCK_OPERATIONS, SEAL_BYTES } from '../block-record.ts'
import { toHex } from '../bytes.ts'
import { ByteReader } from '../codec.ts'
import { MAX_PERIOD_CHUNKS, type PeriodBinding } from '../manifest.ts'
import { HASH_BYTES } from '../merkle.ts'
import { CHUNK_SIZE_BYTES, ERA_PERIODS, LEAF_SIZE_BYTES, THREAD_COUNT } from '../units.ts'
import type { ChunkProof, LeafRun } from './chunk-proof.ts'
import {
  malformed,
  parseProofJson,
  readArray,
  readBase64,
  readDecimal,
  readHex,
  readInteger,
  readObject,
} from './json-form.ts'

export const PROOF_FORMAT = 'massa-storage/proof/1'
const ERA_PATH_HASHES = Math.log2(ERA_PERIODS)
const FIELDS = [
  'format',
  'chainId',
  'genesisTimestampMs',
  'period',
  'bitmap',
  'chunkIds',
  'thread',
  'chunks',
  'era',
  'seals',
] as const
const CHUNK_FIELDS = ['index', 'byteLength', 'runs', 'siblings'] as const
const MAX_CHUNK_LEAVES = CHUNK_SIZE_BYTES / LEAF_SIZE_BYTES

/** What leads from a period root to the root of its era. */
export interface EraPath {
  readonly era: number
  /** Of BODY, of this era alone: the era root binds both. */
  readonly totalBytes: bigint
  readonly totalChunks: bigint
  /** 7 hashes, from the period upward. */
  readonly path: readonly Uint8Array[]
}

/** Signatures of what a proof shows, 64 bytes each. */
export interface ShownSeals {
  readonly header: Uint8Array
  /** Of the operations shown, in the order of BODY. */
  readonly operations: readonly Uint8Array[]
}

/** Proof of an answer (docs/FORMAT.md, Proof of an answer): what `formatProof` makes JSON of. */
export interface AnswerProof {
  readonly period: PeriodBinding
  /** Whose block is shown; null where the manifest alone is the answer. */
  readonly thread: number | null
  /** By index, ascending. */
  readonly chunks: readonly ChunkProof[]
  /** Null where the era is not whole in the archive. */
  readonly era: EraPath | null
  /** Null where the archive does not hold them, or there is no block to be signed. */
  readonly seals: ShownSeals | null
}

/** The same as JSON. */
export interface AnswerProofJson {
  readonly format: typeof PROOF_FORMAT
  readonly chainId: string
  readonly genesisTimestampMs: string
  readonly period: number
  /** 8 hex digits, bit t for thread t. */
  readonly bitmap: string
  readonly chunkIds: readonly string[]
  readonly thread: number | null
  readonly chunks: readonly {
    readonly index: number
    readonly byteLength: number
    readonly runs: readonly { readonly firstLeaf: number; readonly bytes: string }[]
    readonly siblings: readonly string[]
  }[]
  readonly era: EraPathJson | null
  readonly seals: { readonly header: string; readonly operations: readonly string[] } | null
}

interface EraPathJson {
  readonly era: number
  readonly totalBytes: string
  readonly totalChunks: string
  readonly path: readonly string[]
}

export function formatProof(proof: AnswerProof): AnswerProofJson {
  const { period, thread, chunks, era, seals } = proof
  return {
    format: PROOF_FORMAT,
    chainId: String(period.network.chainId),
    genesisTimestampMs: String(period.network.genesisTimestampMs),
    period: period.period,
    bitmap: formatBitmap(period.bitmap),
    chunkIds: period.chunks.map(({ chunkId }) => toHex(chunkId)),
    thread,
    chunks: chunks.map(({ index, byteLength, runs, siblings }) => ({
      index,
      byteLength,
      runs: runs.map(({ firstLeaf, bytes }) => ({ firstLeaf, bytes: toBase64(bytes) })),
      siblings: siblings.map(toHex),
    })),
    era: era && {
      era: era.era,
      totalBytes: String(era.totalBytes),
      totalChunks: String(era.totalChunks),
      path: era.path.map(toHex),
    },
    seals: seals && { header: toHex(seals.header), operations: seals.operations.map(toHex) },
  }
}

/**
 * Takes what a stranger gave as a proof for what it looks like; nothing of it is verified.
 *
 * @param proof - JSON text, or what was parsed of it
 * @throws ArchiveError CORE_READING_MALFORMED, CORE_READING_TOO_LARGE
 */
export function parseProof(proof: unknown): AnswerProof {
  const json = typeof proof === 'string' ? parseProofJson(proof) : proof
  const fields = readObject(json, 'it', FIELDS)
  const { format, thread, era, seals } = fields
  if (format !== PROOF_FORMAT) throw malformed(`its format is not ${PROOF_FORMAT}`)
  const chunkIds = parseHashes(fields.chunkIds, 'chunkIds', MAX_PERIOD_CHUNKS)
  if (chunkIds.length === 0) throw malformed('a period without chunks')
  return {
    period: {
      network: {
        chainId: readDecimal(fields.chainId, 'chainId'),
        genesisTimestampMs: readDecimal(fields.genesisTimestampMs, 'genesisTimestampMs'),
      },
      period: readInteger(fields.period, 'period', Number.MAX_SAFE_INTEGER),
      bitmap: new ByteReader(readHex(fields.bitmap, 'bitmap', 4)).u32(),
      chunks: chunkIds.map((chunkId) => ({ chunkId })),
    },
    thread: thread === null ? null : readInteger(thread, 'thread', THREAD_COUNT - 1),
    chunks: readArray(fields.chunks, 'chunks', MAX_PERIOD_CHUNKS).map(parseChunk),
    era: era === null ? null : parseEra(era),
    seals: seals === null ? null : parseSeals(seals),
  }
}

function parseChunk(json: unknown): ChunkProof {
  const { index, byteLength, runs, siblings } = readObject(json, 'a chunk', CHUNK_FIELDS)
  return {
    index: readInteger(index, 'the index of a chunk', MAX_PERIOD_CHUNKS - 1),
    byteLength: readInteger(byteLength, 'the length of a chunk', CHUNK_SIZE_BYTES),
    runs: readArray(runs, 'runs', MAX_CHUNK_LEAVES).map(parseRun),
    siblings: parseHashes(siblings, 'siblings', MAX_CHUNK_LEAVES),
  }
}

function parseRun(json: unknown): LeafRun {
  const { firstLeaf, bytes } = readObject(json, 'a run', ['firstLeaf', 'bytes'])
  return {
    firstLeaf: readInteger(firstLeaf, 'firstLeaf', MAX_CHUNK_LEAVES - 1),
    bytes: readBase64(bytes, 'bytes', CHUNK_SIZE_BYTES),
  }
}

function parseEra(json: unknown): EraPath {
  const fields = ['era', 'totalBytes', 'totalChunks', 'path'] as const
  const { era, totalBytes, totalChunks, path } = readObject(json, 'era', fields)
  const hashes = parseHashes(path, 'path', ERA_PATH_HASHES)
  if (hashes.length !== ERA_PATH_HASHES)
    throw malformed(`a path of ${hashes.length} hashes, an era has ${ERA_PATH_HASHES}`)
  return {
    era: readInteger(era, 'era', Number.MAX_SAFE_INTEGER),
    totalBytes: readDecimal(totalBytes, 'totalBytes'),
    totalChunks: readDecimal(totalChunks, 'totalChunks'),
    path: hashes,
  }
}

function parseSeals(json: unknown): ShownSeals {
  const { header, operations } = readObject(json, 'seals', ['header', 'operations'])
  return {
    header: readHex(header, 'a signature', SEAL_BYTES),
    operations: readArray(operations, 'signatures', MAX_BLOCK_OPERATIONS).map((one) =>
      readHex(one, 'a signature', SEAL_BYTES),
    ),
  }
}

export function formatBitmap(bitmap: number): string {
  return bitmap.toString(16).padStart(8, '0')
}

function parseHashes(json: unknown, what: string, max: number): Uint8Array[] {
  return readArray(json, what, max).map((hash) => readHex(hash, what, HASH_BYTES))
}
