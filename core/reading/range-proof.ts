import { toBase64 } from '../base64.ts'
import { ArchiveError } from '../errors.ts'
import { MAX_PERIOD_CHUNKS } from '../manifest.ts'
import { CHUNK_SIZE_BYTES } from '../units.ts'
import { type AddressHistory, AddressScan } from './address-scan.ts'
import type { ProofSource } from './build-proof.ts'
import { buildCompleteness, type PeriodRange, type VerifiedCompleteness, verifyCompleteness } from './completeness.ts'
import { type CompletenessJson, MAX_CERTIFICATE_PERIODS } from './completeness-form.ts'
import { malformed, parseProofJson, readArray, readBase64, readObject } from './json-form.ts'
import type { TrustedHistory } from './trusted-roots.ts'

export const RANGE_FORMAT = 'massa-storage/range/1'

/** All that happened in a range of periods: who has it needs no index to know that nothing lacks (docs/FORMAT.md, Completeness). */
export interface RangeProofJson {
  readonly format: typeof RANGE_FORMAT
  readonly completeness: CompletenessJson
  /** Of each period that has a block, ascending: its chunks in base64, all of them, in their order. */
  readonly bodies: readonly (readonly string[])[]
}

/** What an address did in a range, and what that was read from. */
export interface VerifiedAddressHistory {
  readonly history: AddressHistory
  readonly completeness: VerifiedCompleteness
}

/**
 * Certificate of a range with the BODY of each of its periods that has a block: the proof of what any address did there.
 *
 * @throws ArchiveError CORE_NUMBER_OUT_OF_RANGE as of `buildCompleteness`; CORE_READING_NOT_HELD
 * @remarks All of it is held in memory: who serves it bounds the range by the lengths in the manifests.
 */
export async function buildRangeProof(source: ProofSource, range: PeriodRange): Promise<RangeProofJson> {
  const completeness = await buildCompleteness(source, range)
  const bodies: string[][] = []
  for (let period = range.from; period <= range.to; period++) {
    const manifest = await source.readManifest(period)
    // Deleted since the certificate was made.
    if (!manifest) throw new ArchiveError('CORE_READING_NOT_HELD', `period ${period} is not held`, { period })
    if (manifest.bitmap === 0) continue
    const chunks: string[] = []
    for (const [index] of manifest.chunks.entries()) {
      const chunk = await source.readChunk(period, index)
      if (!chunk) {
        const message = `chunk ${index} of period ${period} is not held`
        throw new ArchiveError('CORE_READING_NOT_HELD', message, { period, chunk: index })
      }
      chunks.push(toBase64(chunk))
    }
    bodies.push(chunks)
  }
  return { format: RANGE_FORMAT, completeness, bodies }
}

/**
 * Lists exactly the operations of an address in a range: verifies the certificate, and scans every BODY that has blocks.
 *
 * @param proof - JSON text, or what was parsed of it; of any origin
 * @param trusted - where the reader knows a root, the certificate has to lead to it
 * @throws ArchiveError CORE_READING_*: what is wrong; CORE_BASE58_INVALID for what is no address
 */
export function verifyAddressHistory(
  proof: unknown,
  { address, ...range }: PeriodRange & { readonly address: string },
  trusted: TrustedHistory = {},
): VerifiedAddressHistory {
  const json = typeof proof === 'string' ? parseProofJson(proof) : proof
  const fields = readObject(json, 'it', ['format', 'completeness', 'bodies'])
  if (fields.format !== RANGE_FORMAT) throw malformed(`its format is not ${RANGE_FORMAT}`)
  const completeness = verifyCompleteness(fields.completeness, range, trusted)
  const bodies = readArray(fields.bodies, 'bodies', MAX_CERTIFICATE_PERIODS)
  const scan = new AddressScan(completeness, address)
  const periods = scan.listMissing()
  if (bodies.length !== periods.length) {
    const message = `${bodies.length} bodies, ${periods.length} periods of the range have a block`
    throw new ArchiveError('CORE_READING_PERIODS_MISSING', message)
  }
  for (const [i, period] of periods.entries()) scan.add(period, readChunks(bodies[i]))
  return { history: scan.finish(), completeness }
}

function readChunks(json: unknown): Uint8Array[] {
  return readArray(json, 'chunks', MAX_PERIOD_CHUNKS).map((chunk) => readBase64(chunk, 'a chunk', CHUNK_SIZE_BYTES))
}
