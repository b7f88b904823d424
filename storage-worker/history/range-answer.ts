import {
  ArchiveError,
  buildCompleteness,
  buildRangeProof,
  computeBodyBytes,
  type Manifest,
  type Period,
  type PeriodRange,
  type ProofSource,
} from '../../core/index.ts'

/** Periods in one answer: eight eras, 60 kB of certificate. */
export const MAX_RANGE_PERIODS = 1024
/** Of the bodies in one answer, but for a period that alone is larger: all of it is in memory, once more as base64. */
const MAX_RANGE_BODY_BYTES = 4 * 1024 * 1024

/** What somebody wants to know that nothing lacks in it. */
export interface RangeRequest {
  /** Absent: the answer ends with `to` and is as long as it may be. */
  readonly from?: Period | undefined
  /** Absent: the last that is archived. */
  readonly to?: Period | undefined
  /** Also all bodies, hence what each address did. */
  readonly hasBodies: boolean
}

/** Of as many periods from `from` on as fit; `next` goes on behind them and is null where `to` is among them. */
export type RangeAnswer = PeriodRange & {
  readonly next: Period | null
  readonly proof: Awaited<ReturnType<typeof buildCompleteness | typeof buildRangeProof>>
}

/**
 * Proves that nothing lacks in a range of periods.
 *
 * @param archived - undefined: nothing is
 * @throws ArchiveError API_QUERY_INVALID, CORE_READING_NOT_HELD
 */
export async function answerRange(
  source: ProofSource,
  archived: { readonly first: Period; readonly last: Period } | undefined,
  request: RangeRequest,
): Promise<RangeAnswer | undefined> {
  if (!archived) return undefined
  const to = request.to ?? archived.last
  const from = request.from ?? Math.max(archived.first, to - MAX_RANGE_PERIODS + 1)
  if (from > to)
    throw new ArchiveError('API_QUERY_INVALID', `periods ${from} to ${to}: the range ends before it begins`)
  if (to > archived.last) throw notHeld(to)
  const range = { from, to: await findEnd(source, { from, to }, request.hasBodies) }
  const proof = await (request.hasBodies ? buildRangeProof : buildCompleteness)(source, range)
  return { ...range, next: range.to === to ? null : range.to + 1, proof }
}

/** The last period that fits into one answer. */
async function findEnd(source: ProofSource, { from, to }: PeriodRange, hasBodies: boolean): Promise<Period> {
  const last = Math.min(to, from + MAX_RANGE_PERIODS - 1)
  let bytes = 0
  for (let period = from; period <= last; period++) {
    const manifest = await source.readManifest(period)
    if (!manifest) throw notHeld(period)
    if (hasBodies) bytes += measure(manifest)
    if (bytes > MAX_RANGE_BODY_BYTES && period > from) return period - 1
  }
  return last
}

/** Of a period without a block no BODY is shown. */
function measure(manifest: Manifest): number {
  return manifest.bitmap === 0 ? 0 : computeBodyBytes(manifest)
}

function notHeld(period: Period): ArchiveError {
  return new ArchiveError('CORE_READING_NOT_HELD', `period ${period} is not archived here`, { period })
}
