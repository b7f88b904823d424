import {
  type ArchivedPeriod,
  type Body,
  computeHeaderSignedHash,
  concatBytes,
  equalBytes,
  isArchiveError,
  parseBody,
  parseSeals,
  SEAL_BYTES,
  verifySignature,
} from '../core/index.ts'
import type { ChunkReader } from './chunk-reader.ts'

export interface KeptPeriod {
  readonly period: ArchivedPeriod
  /** What the source has of execution results stands in place of those that were archived. */
  readonly areResultsLost: boolean
}

/**
 * A period from elsewhere with what is intact of the archived one in its place, of what the root does not bind: execution
 * results, which no node gives again, and SEALS whose signatures verify.
 *
 * @param fetched - with the root of the archived one
 */
export async function keepIntact(store: ChunkReader, fetched: ArchivedPeriod): Promise<KeptPeriod> {
  const { period } = fetched.manifest
  const executionResults = await readIntact(store.readExecutionResults(period))
  const seals = await readIntact(store.readSeals(period))
  return {
    period: {
      ...fetched,
      executionResults: executionResults ?? fetched.executionResults,
      seals: seals && areSealsOf(seals, fetched) ? seals : fetched.seals,
    },
    areResultsLost: executionResults === undefined,
  }
}

async function readIntact(reading: Promise<Uint8Array | undefined>): Promise<Uint8Array | undefined> {
  try {
    return await reading
  } catch (error) {
    if (isArchiveError(error, 'STORE_VALUE_CORRUPT') || isArchiveError(error, 'STORE_READ_FAILED')) return undefined
    throw error
  }
}

/** Some 50 ms per thousand signatures, where they are not what the source gives too. */
function areSealsOf(seals: Uint8Array, fetched: ArchivedPeriod): boolean {
  if (equalBytes(seals, fetched.seals)) return true
  try {
    return doVerify(seals, parseBody(concatBytes(...fetched.chunks)))
  } catch (error) {
    if (isArchiveError(error, 'CORE_SEALS_INVALID')) return false
    throw error
  }
}

/** @throws ArchiveError CORE_SEALS_INVALID when they are of another BODY */
function doVerify(seals: Uint8Array, body: Body): boolean {
  const records = body.slots.flatMap((slot) => (slot.kind === 'block' ? [slot.record] : []))
  return parseSeals(seals, body).every((ofBlock, i) => {
    const record = records[i]
    if (!record) return false
    const { publicKey, header, id, operations } = record
    const signed = [
      { publicKey, hash: computeHeaderSignedHash(publicKey, header.slot, id.subarray(1)) },
      ...operations.map((operation) => ({ publicKey: operation.publicKey, hash: operation.id.subarray(1) })),
    ]
    return signed.every(({ publicKey: key, hash }, n) => {
      const signature = ofBlock.subarray(n * SEAL_BYTES, (n + 1) * SEAL_BYTES)
      return verifySignature(key, hash, concatBytes(Uint8Array.of(0), signature))
    })
  })
}
