import { sha256 } from '#sha256'
import { ByteReader, ByteWriter } from './codec.ts'
import { ArchiveError } from './errors.ts'
import { computeLeafHash, computeTreeRoot } from './merkle.ts'
import { CHUNK_SIZE_BYTES, ERA_PERIODS, LEAF_SIZE_BYTES, type Network, type Period } from './units.ts'

const MANIFEST_VERSION = 1
/** Chunks are replicas; other codecs (erasure codes) are reserved. */
const CODEC_REPLICA = 0
const PERIOD_ROOT_PREFIX = 0x03
const ERA_ROOT_PREFIX = 0x04
/** 32 blocks of 300 kB of operations and their headers fit into 11 chunks of 1 MiB; small chunks make more of them. */
export const MAX_PERIOD_CHUNKS = 16 * 1024

export interface ManifestChunk {
  readonly byteLength: number
  /** 32 bytes */
  readonly chunkId: Uint8Array
}

/** What a period consists of. The period root is computed from it and nothing else. */
export interface Manifest {
  readonly network: Network
  readonly period: Period
  /** Bit t is set when thread t has a block, u32. */
  readonly bitmap: number
  readonly chunks: readonly ManifestChunk[]
}

export function encodeManifest(manifest: Manifest): Uint8Array {
  const writer = new ByteWriter(34 + manifest.chunks.length * 36).u8(MANIFEST_VERSION).u8(CODEC_REPLICA)
  writer.u64(manifest.network.chainId).u64(manifest.network.genesisTimestampMs).u64(BigInt(manifest.period))
  writer.u32(manifest.bitmap).u32(manifest.chunks.length)
  for (const { byteLength, chunkId } of manifest.chunks) writer.u32(byteLength).raw(chunkId)
  return writer.finish()
}

/** @throws ArchiveError CORE_MANIFEST_INVALID */
export function parseManifest(bytes: Uint8Array): Manifest {
  const reader = new ByteReader(bytes, 'CORE_MANIFEST_INVALID')
  const version = reader.u8()
  if (version !== MANIFEST_VERSION) throw reader.error(`version ${version} is not known`)
  const codec = reader.u8()
  if (codec !== CODEC_REPLICA) throw reader.error(`codec ${codec} is not known`)
  const network = { chainId: reader.u64(), genesisTimestampMs: reader.u64() }
  const period = reader.u64()
  if (period > BigInt(Number.MAX_SAFE_INTEGER)) throw reader.error(`period ${period} is too large`)
  const bitmap = reader.u32()
  const chunkCount = reader.u32()
  if (chunkCount < 1 || chunkCount > MAX_PERIOD_CHUNKS) throw reader.error(`${chunkCount} chunks`)
  const chunks: ManifestChunk[] = []
  for (let i = 0; i < chunkCount; i++) {
    const byteLength = reader.u32()
    if (byteLength < 1 || byteLength > CHUNK_SIZE_BYTES) throw reader.error(`chunk of ${byteLength} bytes`)
    chunks.push({ byteLength, chunkId: reader.raw(32) })
  }
  reader.end()
  checkLengths(chunks, reader)
  return { network, period: Number(period), bitmap, chunks }
}

/** What of a manifest its period root binds: not how long the chunks are, which their ids do. */
export interface PeriodBinding extends Omit<Manifest, 'chunks'> {
  readonly chunks: readonly Pick<ManifestChunk, 'chunkId'>[]
}

// Used again: an archive of quiet periods has thousands of roots to be computed at once.
const rootInput = new ByteWriter(80)

/** 32 bytes; commits to network, period, bitmap and every chunk (docs/FORMAT.md, Chunks and roots). */
export function computePeriodRoot(manifest: PeriodBinding): Uint8Array {
  return computePeriodRootFromTree({ ...manifest, ...summarizeChunks(manifest.chunks) })
}

/** What a period root binds, with the chunks in one hash. */
export interface BoundPeriod extends Omit<Manifest, 'chunks'> {
  readonly chunkCount: number
  /** 32 bytes, of the tree over the chunk ids */
  readonly chunkTree: Uint8Array
}

export function summarizeChunks(chunks: PeriodBinding['chunks']): Pick<BoundPeriod, 'chunkCount' | 'chunkTree'> {
  return {
    chunkCount: chunks.length,
    chunkTree: computeTreeRoot(chunks.map(({ chunkId }) => computeLeafHash(chunkId))),
  }
}

export function computePeriodRootFromTree({ network, period, bitmap, chunkCount, chunkTree }: BoundPeriod): Uint8Array {
  const writer = rootInput.reset().u8(PERIOD_ROOT_PREFIX)
  writer.u64(network.chainId).u64(network.genesisTimestampMs).u64(BigInt(period))
  return sha256(writer.u32(bitmap).u32(chunkCount).raw(chunkTree).written())
}

/** Bytes of BODY that the manifest describes. */
export function computeBodyBytes(manifest: Manifest): number {
  return manifest.chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0)
}

/** Of a manifest whose last chunk is so long: its id binds that, the period root does not. */
export function withLastLength(manifest: Manifest, byteLength: number): Manifest {
  const last = manifest.chunks.at(-1)
  if (!last || last.byteLength === byteLength) return manifest
  return { ...manifest, chunks: [...manifest.chunks.slice(0, -1), { ...last, byteLength }] }
}

/** What an era root binds beside the period roots: totals of BODY, of this era alone. */
export interface EraTotals {
  readonly network: Network
  readonly era: number
  readonly totalBytes: bigint
  readonly totalChunks: bigint
}

/**
 * 32 bytes over the 128 period roots of an era, all of them.
 *
 * @throws ArchiveError CORE_NUMBER_OUT_OF_RANGE when there are not exactly 128 roots
 */
export function computeEraRoot(totals: EraTotals, periodRoots: readonly Uint8Array[]): Uint8Array {
  if (periodRoots.length !== ERA_PERIODS) {
    throw new ArchiveError(
      'CORE_NUMBER_OUT_OF_RANGE',
      `an era has ${ERA_PERIODS} period roots, not ${periodRoots.length}`,
    )
  }
  return computeEraRootFromTree(totals, computeTreeRoot(periodRoots.map(computeLeafHash)))
}

/** The same of the root of the tree over the 128 period roots. */
export function computeEraRootFromTree(totals: EraTotals, treeRoot: Uint8Array): Uint8Array {
  const writer = new ByteWriter(80).u8(ERA_ROOT_PREFIX)
  writer.u64(totals.network.chainId).u64(totals.network.genesisTimestampMs).u64(BigInt(totals.era))
  writer.u64(totals.totalBytes).u64(totals.totalChunks)
  return sha256(writer.raw(treeRoot).finish())
}

/** All chunks but the last are equally long, the last not longer: otherwise the chunks are not a cut of one BODY. */
function checkLengths(chunks: readonly ManifestChunk[], reader: ByteReader): void {
  const size = chunks[0]?.byteLength ?? 0
  if (chunks.length > 1 && size % LEAF_SIZE_BYTES !== 0) throw reader.error(`chunks of ${size} bytes`)
  for (const [i, { byteLength }] of chunks.entries()) {
    const last = i === chunks.length - 1
    if (last ? byteLength > size : byteLength !== size) throw reader.error(`chunk ${i} has ${byteLength} bytes`)
  }
}
