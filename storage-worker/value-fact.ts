// Module by module: worker threads load this, and all of core takes them twice as long to start.
import { computeChunkId } from '../core/chunk.ts'
import { HOLDING, isChunkPlace, MANIFEST, SEALS } from './keyspace.ts'
import { openValue } from './sealed-value.ts'
import type { SealsCheck } from './seals-check.ts'

/** What a look at one value of a period says. */
export interface ValueFact {
  readonly state: 'intact' | 'damaged' | 'unreadable'
  /** As it is on disk, seal included. */
  readonly sealedBytes: number
  /** 32 bytes, of an intact chunk after a deep look. */
  readonly chunkId?: Uint8Array
  /** Of intact SEALS after a deep look at a whole BODY: whether they are what it asks for. */
  readonly sealsFit?: boolean
  /** Of an intact manifest. */
  readonly manifest?: Uint8Array
  /** Of what is intact in the place of a holding. */
  readonly holding?: Uint8Array
}

/**
 * Hashes a value as it is on disk.
 *
 * @param deep - compute the id of a chunk, too: its tree of 1 KiB leaves
 * @param seals - of the period, given its values in order: holds SEALS against BODY
 * @returns nothing in it is a view into `sealed`
 */
export function computeValueFact(n: number, sealed: Uint8Array, deep: boolean, seals?: SealsCheck): ValueFact {
  const sealedBytes = sealed.length
  const value = openValue(sealed)
  if (!value) return { state: 'damaged', sealedBytes }
  if (n === MANIFEST) return { state: 'intact', sealedBytes, manifest: value.slice() }
  if (n === HOLDING) return { state: 'intact', sealedBytes, holding: value.slice() }
  if (n === SEALS) {
    const sealsFit = seals?.fits(value)
    return sealsFit === undefined ? { state: 'intact', sealedBytes } : { state: 'intact', sealedBytes, sealsFit }
  }
  if (isChunkPlace(n)) seals?.takeChunk(n, value)
  if (!deep || !isChunkPlace(n) || value.length === 0) return { state: 'intact', sealedBytes }
  return { state: 'intact', sealedBytes, chunkId: computeChunkId(value) }
}
