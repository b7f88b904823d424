import { toHex } from '../bytes.ts'
import { ArchiveError } from '../errors.ts'
import { formatSlot, LEAF_SIZE_BYTES, type Slot } from '../units.ts'
import { BodyCursor, type BodyPiece } from './body-cursor.ts'
import { hasBlock, walkToBlock } from './body-walk.ts'
import { verifyChunkProof } from './chunk-proof.ts'
import { malformed } from './json-form.ts'
import type { CheckList } from './proof-checks.ts'
import type { AnswerProof } from './proof-form.ts'

/** Authenticates the leaves, and walks to the block. */
export function openBlock(proof: AnswerProof, checks: CheckList): { readonly cursor: BodyCursor; readonly slot: Slot } {
  const { period, thread } = proof
  if (thread === null) throw malformed('it names no thread')
  const slot = { period: period.period, thread }
  if (!hasBlock(period, thread)) {
    throw new ArchiveError('CORE_READING_SLOT_EMPTY', `slot ${formatSlot(slot)} has no block`, { ...slot })
  }
  const { pieces, bodyBytes } = authenticate(proof, checks)
  const cursor = new BodyCursor(pieces, bodyBytes)
  walkToBlock(cursor, period, thread)
  return { cursor, slot }
}

/** Checks the leaves of all chunks that are shown, and says where in BODY they stand. */
function authenticate({ period, chunks }: AnswerProof, checks: CheckList) {
  const last = period.chunks.length - 1
  const [first] = chunks
  if (first?.index !== 0) {
    throw new ArchiveError('CORE_READING_LEAVES_MISSING', 'the beginning of BODY is not shown', { offset: 0 })
  }
  // All but the last chunk are as long as the first, whose id binds its length: that says where each of them stands.
  const chunkBytes = first.byteLength
  const pieces: BodyPiece[] = []
  let bodyBytes = chunkBytes * period.chunks.length
  let previous = -1
  for (const chunk of chunks) {
    const { index, byteLength } = chunk
    const known = period.chunks[index]
    const isLength = index === last ? byteLength <= chunkBytes : byteLength === chunkBytes
    if (!known || index <= previous || !isLength || (last > 0 && chunkBytes % LEAF_SIZE_BYTES !== 0)) {
      const message = `chunk ${index} of ${byteLength} bytes behind ${previous}, of ${period.chunks.length}`
      throw new ArchiveError('CORE_READING_CHUNK_INVALID', message, { chunk: index })
    }
    verifyChunkProof(chunk, known.chunkId)
    checks.add('chunk', toHex(known.chunkId))
    for (const { firstLeaf, bytes } of chunk.runs) {
      pieces.push({ start: index * chunkBytes + firstLeaf * LEAF_SIZE_BYTES, bytes })
    }
    if (index === last) bodyBytes += byteLength - chunkBytes
    previous = index
  }
  return { pieces, bodyBytes }
}
