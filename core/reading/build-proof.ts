import { SEAL_BYTES } from '../block-record.ts'
import { ArchiveError, isArchiveError } from '../errors.ts'
import { computeBodyBytes, type Manifest } from '../manifest.ts'
import { parseEndorsementId, parseOperationId } from '../massa/atoms.ts'
import { computeLeafHash, computeTreeLevels, pickPath } from '../merkle.ts'
import { PERIOD_HEAD_BYTES } from '../period-head.ts'
import { ERA_PERIODS, formatSlot, LEAF_SIZE_BYTES, type Period, type Slot } from '../units.ts'
import { BodyCursor, type BodyPiece } from './body-cursor.ts'
import { hasBlock, locateEndorsement, locateOperation, passBlock, readHead, walkToBlock } from './body-walk.ts'
import { buildChunkProof, type ChunkProof } from './chunk-proof.ts'
import type { LeafRange } from './multiproof.ts'
import { type AnswerProofJson, type EraPath, formatProof, type ShownSeals } from './proof-form.ts'

/** What leads to the root of a whole era. */
export interface EraRoots {
  readonly totalBytes: bigint
  readonly totalChunks: bigint
  /** 128 of them, 32 bytes each. */
  readonly periodRoots: readonly Uint8Array[]
}

/** Where the builder of proofs reads: an archive, or who fetches for it. What it gives is taken for authentic. */
export interface ProofSource {
  readManifest(period: Period): Promise<Manifest | undefined>
  readChunk(period: Period, index: number): Promise<Uint8Array | undefined>
  /** `undefined`: the proof goes without signatures. */
  readSeals(period: Period): Promise<Uint8Array | undefined>
  /** `undefined` where the era is not whole: the proof ends at the period root. */
  readEra(era: number): Promise<EraRoots | undefined>
}

/**
 * Proves which block stands at a slot, with all its operations.
 *
 * @throws ArchiveError CORE_READING_NOT_HELD; CORE_READING_SLOT_EMPTY when there is none: see `buildMissProof`
 * @remarks Reads the chunks that hold lengths or bytes which are shown, and hashes them: 2 ms per MiB.
 */
export async function buildBlockProof(source: ProofSource, slot: Slot): Promise<AnswerProofJson> {
  const manifest = await readManifest(source, slot.period)
  checkTaken(manifest, slot)
  const { chunks, found } = await showBody(source, manifest, (cursor) => {
    const { signaturesBefore } = walkToBlock(cursor, manifest, slot.thread)
    const start = cursor.position
    const operations = passBlock(cursor)
    cursor.since(start)
    return Array.from({ length: 1 + operations }, (_, i) => signaturesBefore + i)
  })
  const seals = await showSeals(source, slot.period, found)
  return finish(source, { manifest, thread: slot.thread, chunks, seals })
}

/**
 * Proves one operation of the block at a slot; of its other operations nothing is shown but their lengths.
 *
 * @param id - text of the operation id
 * @throws ArchiveError CORE_READING_NOT_HELD, CORE_READING_SLOT_EMPTY; CORE_READING_ID_OTHER when the block does not list it
 */
export async function buildOperationProof(source: ProofSource, slot: Slot, id: string): Promise<AnswerProofJson> {
  const idBytes = parseOperationId(id)
  const manifest = await readManifest(source, slot.period)
  checkTaken(manifest, slot)
  const { chunks, found } = await showBody(source, manifest, (cursor) => {
    const { signaturesBefore } = walkToBlock(cursor, manifest, slot.thread)
    const { position } = locateOperation(cursor, slot, idBytes)
    return [signaturesBefore, signaturesBefore + 1 + position]
  })
  const seals = await showSeals(source, slot.period, found)
  return finish(source, { manifest, thread: slot.thread, chunks, seals })
}

/**
 * Proves an endorsement: shows the head of a block that carries it.
 *
 * @param slot - of that block
 * @param id - text of the endorsement id
 * @throws ArchiveError CORE_READING_NOT_HELD, CORE_READING_SLOT_EMPTY; CORE_READING_ID_OTHER when the block does not carry it
 */
export async function buildEndorsementProof(source: ProofSource, slot: Slot, id: string): Promise<AnswerProofJson> {
  const idBytes = parseEndorsementId(id)
  const manifest = await readManifest(source, slot.period)
  checkTaken(manifest, slot)
  const { chunks, found } = await showBody(source, manifest, (cursor) => {
    const { signaturesBefore } = walkToBlock(cursor, manifest, slot.thread)
    locateEndorsement(readHead(cursor, slot), idBytes)
    return [signaturesBefore]
  })
  const seals = await showSeals(source, slot.period, found)
  return finish(source, { manifest, thread: slot.thread, chunks, seals })
}

/**
 * Proves that a slot has no block, because it was missed or because a restart of the chain undid it.
 *
 * @throws ArchiveError CORE_READING_NOT_HELD; CORE_READING_SLOT_TAKEN when it has one
 */
export async function buildMissProof(source: ProofSource, slot: Slot): Promise<AnswerProofJson> {
  const manifest = await readManifest(source, slot.period)
  if (hasBlock(manifest, slot.thread)) {
    throw new ArchiveError('CORE_READING_SLOT_TAKEN', `slot ${formatSlot(slot)} has a block`, { ...slot })
  }
  return finish(source, { manifest, thread: null, chunks: [], seals: null })
}

/** Proves which chunks a period consists of, and which slots have blocks. @throws ArchiveError CORE_READING_NOT_HELD */
export async function buildPeriodProof(source: ProofSource, period: Period): Promise<AnswerProofJson> {
  return finish(source, { manifest: await readManifest(source, period), thread: null, chunks: [], seals: null })
}

interface Shown {
  readonly manifest: Manifest
  readonly thread: number | null
  readonly chunks: readonly ChunkProof[]
  readonly seals: ShownSeals | null
}

async function finish(source: ProofSource, shown: Shown): Promise<AnswerProofJson> {
  const era = await readEraPath(source, shown.manifest.period)
  const { manifest: period, ...rest } = shown
  return formatProof({ ...rest, period, era })
}

async function readEraPath(source: ProofSource, period: Period): Promise<EraPath | null> {
  const era = Math.floor(period / ERA_PERIODS)
  const roots = await source.readEra(era)
  if (!roots) return null
  const { totalBytes, totalChunks, periodRoots } = roots
  const path = pickPath(computeTreeLevels(periodRoots.map(computeLeafHash)), period % ERA_PERIODS)
  return { era, totalBytes, totalChunks, path }
}

async function readManifest(source: ProofSource, period: Period): Promise<Manifest> {
  const manifest = await source.readManifest(period)
  if (!manifest) throw new ArchiveError('CORE_READING_NOT_HELD', `period ${period} is not held`, { period })
  return manifest
}

function checkTaken(manifest: Manifest, slot: Slot): void {
  if (hasBlock(manifest, slot.thread)) return
  throw new ArchiveError('CORE_READING_SLOT_EMPTY', `slot ${formatSlot(slot)} has no block`, { ...slot })
}

/** Does a walk over the chunks that it turns out to need, and proves the leaves that it read. */
async function showBody<T>(source: ProofSource, manifest: Manifest, walk: (cursor: BodyCursor) => T) {
  const { period } = manifest
  const chunkBytes = manifest.chunks[0]?.byteLength ?? 0
  const held = new Map<number, Uint8Array>()
  for (;;) {
    const pieces: BodyPiece[] = [...held]
      .sort(([a], [b]) => a - b)
      .map(([index, bytes]) => ({ start: index * chunkBytes, bytes }))
    const readLeaves = new Set<number>()
    try {
      const found = walk(new BodyCursor(pieces, computeBodyBytes(manifest), readLeaves))
      return { found, chunks: proveLeaves(held, readLeaves, chunkBytes) }
    } catch (error) {
      if (!isArchiveError(error, 'CORE_READING_LEAVES_MISSING')) throw error
      const index = Math.floor(Number(error.context.offset) / chunkBytes)
      const bytes = held.has(index) ? undefined : await source.readChunk(period, index)
      if (!bytes) {
        const message = `chunk ${index} of period ${period} is not held`
        throw new ArchiveError('CORE_READING_NOT_HELD', message, { period, chunk: index })
      }
      held.set(index, bytes)
    }
  }
}

function proveLeaves(held: ReadonlyMap<number, Uint8Array>, leaves: ReadonlySet<number>, chunkBytes: number) {
  const perChunk = Math.ceil(chunkBytes / LEAF_SIZE_BYTES)
  const ranges = new Map<number, LeafRange[]>()
  for (const leaf of [...leaves].sort((a, b) => a - b)) {
    const index = Math.floor(leaf / perChunk)
    const first = leaf % perChunk
    const ofChunk = ranges.get(index) ?? []
    const last = ofChunk.at(-1)
    if (last && last.first + last.count === first) ofChunk.splice(-1, 1, { ...last, count: last.count + 1 })
    else ofChunk.push({ first, count: 1 })
    ranges.set(index, ofChunk)
  }
  return [...ranges].map(([index, known]) => buildChunkProof(held.get(index) ?? new Uint8Array(0), index, known))
}

/** The first of the wanted signatures is that of the header. */
async function showSeals(source: ProofSource, period: Period, wanted: readonly number[]): Promise<ShownSeals | null> {
  const seals = await source.readSeals(period)
  if (!seals) return null
  const [header, ...operations] = wanted.map((index) => {
    const start = PERIOD_HEAD_BYTES + index * SEAL_BYTES
    const signature = seals.subarray(start, start + SEAL_BYTES)
    if (signature.length !== SEAL_BYTES)
      throw new ArchiveError('CORE_SEALS_INVALID', `SEALS of period ${period} end early`)
    return signature
  })
  return header ? { header, operations } : null
}
