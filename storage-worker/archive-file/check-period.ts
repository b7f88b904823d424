import { parseAttestedExecutions } from '../../archiver/attestation.ts'
import type { BackgroundCpuWork } from '../../archiver/cpu-pool.ts'
import { SIGNATURE_ENTRY_BYTES } from '../../archiver/signature-list.ts'
import type { SealedRecord } from '../../archiver/verify-record.ts'
import {
  type ArchiveError,
  concatBytes,
  type FilePeriod,
  fileError,
  type IdentifyChunk,
  isArchiveError,
  type PeriodPlace,
  type StoreIdentity,
  VerifiedChunk,
} from '../../core/index.ts'
import { type PeriodHeads, readHeads } from '../bootstrap/period-links.ts'
import { checkManifest } from '../period-part.ts'
import { joinSeals, splitOwnBody } from '../sealed-body.ts'
import { listSealSignatures } from './seal-signatures.ts'

export interface FileCpu extends BackgroundCpuWork {
  /** Takes the memory of the chunk. */
  identifyChunk(chunk: Uint8Array): ReturnType<IdentifyChunk>
  /** The same as `findForgedSignature`. */
  findForged(list: Uint8Array): Promise<number>
}

/** A period of a file of which all that can be checked by itself was. */
export interface CheckedPeriod {
  readonly period: FilePeriod
  readonly chunks: readonly VerifiedChunk[]
  readonly heads: PeriodHeads
  readonly operations: number
  /** False: it holds an operation whose bytes neither its id nor a trusted root binds, or a block newer than this release. */
  readonly isBound: boolean
}

/**
 * Chunk ids, ids of blocks and operations, every signature of SEALS, the attestation of execution results.
 *
 * @param isRooted - a root that is trusted binds the root of this period, and that its chunks: then contents of operations are not
 *   hashed once more. It binds no SEALS: these are verified all the same
 * @throws ArchiveError CORE_ARCHIVE_FILE_INVALID, naming what of which period is wrong
 */
export async function checkFilePeriod(
  period: FilePeriod,
  {
    identity,
    place,
    isRooted,
  }: { readonly identity: StoreIdentity; readonly place: PeriodPlace; readonly isRooted: boolean },
  cpu: FileCpu,
): Promise<CheckedPeriod> {
  const { manifest } = period
  const wrong = (record: string, what: string, cause?: unknown): ArchiveError =>
    fileError({ record, period: manifest.period, offset: place.offset }, what, cause)
  const passing = async <T>(record: string, what: string, act: () => T | Promise<T>): Promise<T> => {
    try {
      return await act()
    } catch (error) {
      if (!isArchiveError(error)) throw error
      throw wrong(record, `${what}: ${error.message}`, error)
    }
  }
  await passing('manifest', 'is of another archive', () => checkManifest(manifest, identity))
  const chunks = await Promise.all(
    manifest.chunks.map(async ({ chunkId }, index) => {
      // In memory of its own: around it lies what is still needed.
      const bytes = new Uint8Array(period.chunks[index] ?? [])
      const chunk = await VerifiedChunk.verifyBy((own) => cpu.identifyChunk(own), bytes, chunkId)
      if (!chunk) throw wrong(`chunk ${index}`, 'has not the id that the manifest says')
      return chunk
    }),
  )
  const body = splitOwnBody(concatBytes(...chunks.map(({ bytes }) => bytes)), manifest)
  if (!body) throw wrong('BODY', 'is none of its manifest')
  const sealed = joinSeals(period.seals, body)
  if (!sealed) throw wrong('seals', 'are not those of BODY')
  const { heads, isBound, forgedThread } = await passing('BODY', 'cannot be read', async () => {
    const heads = readHeads(body.slots)
    if (isRooted) return { heads, isBound: true, forgedThread: await findForgedThread(sealed, heads, cpu) }
    const records = await cpu.verifyRecords(sealed, identity.network)
    const forged = records.findIndex(({ isSealed }) => !isSealed)
    return { heads, isBound: records.every(({ isBound }) => isBound), forgedThread: sealed[forged]?.slot.thread }
  })
  if (forgedThread !== undefined) {
    throw wrong('seals', `have a signature in thread ${forgedThread} that does not verify`)
  }
  await passing('execution results', 'cannot be read', () => parseAttestedExecutions(period.executionResults, manifest))
  return {
    period,
    chunks,
    heads,
    operations: body.slots.reduce((sum, slot) => sum + (slot.kind === 'block' ? slot.operationCount : 0), 0),
    isBound,
  }
}

async function findForgedThread(
  sealed: readonly SealedRecord[],
  heads: PeriodHeads,
  cpu: FileCpu,
): Promise<number | undefined> {
  const blocks = listSealSignatures(sealed, heads)
  let left = await cpu.findForged(concatBytes(...blocks.map(({ list }) => list)))
  if (left === -1) return undefined
  return blocks.find(({ list }) => {
    left -= list.length / SIGNATURE_ENTRY_BYTES
    return left < 0
  })?.thread
}
