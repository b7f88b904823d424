import { ArchiveError } from '../errors.ts'
import {
  type BoundPeriod,
  computeEraRootFromTree,
  computePeriodRootFromTree,
  type Manifest,
  summarizeChunks,
} from '../manifest.ts'
import { computeLeafHash, computeTreeLevels } from '../merkle.ts'
import { ERA_PERIODS, type Network, type Period } from '../units.ts'
import type { ProofSource } from './build-proof.ts'
import {
  type Completeness,
  type CompletenessJson,
  type EraShare,
  eraOf,
  formatCompleteness,
  MAX_CERTIFICATE_PERIODS,
  parseCompleteness,
} from './completeness-form.ts'
import { computeRootFromSiblings, type LeafRange, pickSiblings } from './multiproof.ts'
import { judgeTrust, type Trust, type TrustedHistory } from './trusted-roots.ts'

/** First and last period, both of them in it. */
export interface PeriodRange {
  readonly from: Period
  readonly to: Period
}

/** A period of a verified certificate. */
export interface CertifiedPeriod extends BoundPeriod {
  /** 32 bytes */
  readonly root: Uint8Array
  /** Whether a root that the reader trusts binds it. */
  readonly trust: Trust
}

/** An era of a verified certificate, of which some or all periods are in the range. */
export interface CertifiedEra {
  readonly era: number
  /** 32 bytes; absent where the era was not whole in the archive. */
  readonly root?: Uint8Array
  /** Whether the reader trusts this root; else it was compared with nothing, and is what the archive says. */
  readonly isTrusted: boolean
}

/** No period of the range lacks; the bitmaps say which slots have blocks. */
export interface VerifiedCompleteness extends PeriodRange {
  readonly network: Network
  /** Each period of the range, ascending. */
  readonly periods: readonly CertifiedPeriod[]
  readonly eras: readonly CertifiedEra[]
  /** Slots of the range that have a block. */
  readonly blocks: number
  /** Periods that no root binds which the reader trusts: that they are so is what the archive says. */
  readonly untrusted: number
}

/**
 * Makes a certificate that nothing lacks in a range of periods.
 *
 * @throws ArchiveError CORE_NUMBER_OUT_OF_RANGE for a range of no periods or more than 65,536; CORE_READING_NOT_HELD
 */
export async function buildCompleteness(source: ProofSource, range: PeriodRange): Promise<CompletenessJson> {
  const { from, to } = range
  const count = to - from + 1
  if (
    !Number.isSafeInteger(from) ||
    !Number.isSafeInteger(to) ||
    from < 0 ||
    count < 1 ||
    count > MAX_CERTIFICATE_PERIODS
  ) {
    throw new ArchiveError(
      'CORE_NUMBER_OUT_OF_RANGE',
      `periods ${from} to ${to}: 1 to ${MAX_CERTIFICATE_PERIODS} in one certificate`,
    )
  }
  const manifests: Manifest[] = []
  for (let period = from; period <= to; period++) {
    const manifest = await source.readManifest(period)
    if (!manifest) throw new ArchiveError('CORE_READING_NOT_HELD', `period ${period} is not held`, { period })
    manifests.push(manifest)
  }
  const eras: (EraShare | null)[] = []
  for (let era = eraOf(from); era <= eraOf(to); era++) eras.push(await readShare(source, era, range))
  const { network } = manifests[0] ?? { network: { chainId: 0n, genesisTimestampMs: 0n } }
  const periods = manifests.map(({ bitmap, chunks }) => ({ bitmap, ...summarizeChunks(chunks) }))
  return formatCompleteness({ network, from, to, periods, eras })
}

async function readShare(source: ProofSource, era: number, range: PeriodRange): Promise<EraShare | null> {
  const roots = await source.readEra(era)
  if (!roots) return null
  const { totalBytes, totalChunks, periodRoots } = roots
  const levels = computeTreeLevels(periodRoots.map(computeLeafHash))
  return { era, totalBytes, totalChunks, siblings: pickSiblings(levels, [shareOf(era, range)]) }
}

/**
 * Verifies a certificate: it has each period of the range once, and where eras are whole their roots follow from it.
 *
 * @param certificate - JSON text, or what was parsed of it; of any origin
 * @param trusted - where the reader knows a root, the certificate has to lead to it
 * @throws ArchiveError CORE_READING_*: what is wrong
 * @remarks 3 hashes a period.
 */
export function verifyCompleteness(
  certificate: unknown,
  range: PeriodRange,
  trusted: TrustedHistory = {},
): VerifiedCompleteness {
  const parsed = parseCompleteness(certificate)
  const { network, from, to } = parsed
  const wanted = trusted.network ?? network
  if (wanted.chainId !== network.chainId || wanted.genesisTimestampMs !== network.genesisTimestampMs) {
    throw new ArchiveError('CORE_READING_NETWORK_OTHER', `the certificate is of chain ${network.chainId}`)
  }
  if (from !== range.from || to !== range.to) {
    const message = `the certificate is of periods ${from} to ${to}, asked were ${range.from} to ${range.to}`
    throw new ArchiveError('CORE_READING_SLOT_OTHER', message)
  }
  const bound = parsed.periods.map((one, i): BoundPeriod => ({ ...one, network, period: from + i }))
  const roots = bound.map(computePeriodRootFromTree)
  const eras = parsed.eras.map((share, i) => verifyShare(parsed, share, eraOf(from) + i, roots))
  const periods = bound.map((one, i) => {
    const root = roots[i] ?? new Uint8Array(0)
    const eraRoot = eras[eraOf(one.period) - eraOf(from)]?.root
    return { ...one, root, trust: judgeTrust({ period: one.period, periodRoot: root, eraRoot }, trusted) }
  })
  const blocks = periods.reduce((sum, { bitmap }) => sum + countBits(bitmap), 0)
  const untrusted = periods.filter(({ trust }) => trust === 'none').length
  const judged = eras.map((one) => ({ ...one, isTrusted: !!one.root && !!trusted.findEraRoot?.(one.era) }))
  return { network, from, to, periods, eras: judged, blocks, untrusted }
}

function verifyShare(
  { network, from, to }: Completeness,
  share: EraShare | null,
  era: number,
  roots: readonly Uint8Array[],
): Omit<CertifiedEra, 'isTrusted'> {
  if (!share) return { era }
  if (share.era !== era) throw new ArchiveError('CORE_READING_ERA_OTHER', `era ${share.era} in the place of era ${era}`)
  const { totalBytes, totalChunks, siblings } = share
  const known = shareOf(era, { from, to })
  const offset = era * ERA_PERIODS - from
  const leafHash = (leaf: number): Uint8Array => computeLeafHash(roots[offset + leaf] ?? new Uint8Array(0))
  let tree: Uint8Array
  try {
    tree = computeRootFromSiblings({ leafCount: ERA_PERIODS, known: [known], leafHash, siblings })
  } catch (cause) {
    const message = `era ${era}: ${cause instanceof Error ? cause.message : 'siblings'}`
    throw new ArchiveError('CORE_READING_PERIODS_MISSING', message, { era }, cause)
  }
  return { era, root: computeEraRootFromTree({ network, era, totalBytes, totalChunks }, tree) }
}

/** The periods of an era that a range has, counted from its beginning. */
function shareOf(era: number, { from, to }: PeriodRange): LeafRange {
  const start = era * ERA_PERIODS
  const first = Math.max(from, start) - start
  return { first, count: Math.min(to, start + ERA_PERIODS - 1) - start - first + 1 }
}

function countBits(bitmap: number): number {
  let count = 0
  for (let rest = bitmap; rest !== 0; rest >>>= 1) count += rest & 1
  return count
}
