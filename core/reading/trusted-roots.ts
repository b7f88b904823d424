import { equalBytes, toHex } from '../bytes.ts'
import { ArchiveError } from '../errors.ts'
import { computeEraRootFromTree, computePeriodRoot } from '../manifest.ts'
import { computeLeafHash, computeRootFromPath } from '../merkle.ts'
import { ERA_PERIODS, type Network, type Period } from '../units.ts'
import type { CheckList } from './proof-checks.ts'
import type { AnswerProof } from './proof-form.ts'

/** What a reader knows from elsewhere: from a contract that anchors eras, from his own node or archive, or from before. */
export interface TrustedHistory {
  /** The network that was asked about. */
  readonly network?: Network
  /** 32 bytes; `undefined` for a period of which the reader does not know it. */
  readonly findPeriodRoot?: (period: Period) => Uint8Array | undefined
  /** 32 bytes; `undefined` for an era of which the reader does not know it. */
  readonly findEraRoot?: (era: number) => Uint8Array | undefined
}

export type Trust = 'era-root' | 'period-root' | 'none'

/** The era root that a proof leads to. */
export interface ShownEra {
  readonly era: number
  /** 32 bytes */
  readonly root: Uint8Array
  /** Whether the reader trusts this root; else it was compared with nothing, and is what the archive says. */
  readonly isTrusted: boolean
  readonly totalBytes: bigint
  readonly totalChunks: bigint
}

export interface ProvenRoots {
  readonly periodRoot: Uint8Array
  readonly era?: ShownEra
  readonly trust: Trust
}

/**
 * Computes the roots that a proof leads to, and compares them with those that the reader trusts.
 *
 * @throws ArchiveError CORE_READING_ERA_OTHER; those of `judgeTrust`
 */
export function verifyRoots(proof: AnswerProof, trusted: TrustedHistory, checks: CheckList): ProvenRoots {
  const { period } = proof.period
  const periodRoot = computePeriodRoot(proof.period)
  checks.add('period-root', toHex(periodRoot))
  const era = computeEra(proof, periodRoot)
  const trust = judgeTrust({ period, periodRoot, eraRoot: era?.root }, trusted)
  const isTrusted = trust === 'era-root'
  if (era && isTrusted) checks.add('era-root', toHex(era.root))
  else checks.lacks(era ? 'trusted-era-root' : 'era-root')
  if (trust === 'none') checks.lacks('trusted-root')
  else checks.add('trusted-root', trust)
  return { periodRoot, ...(era ? { era: { ...era, isTrusted } } : {}), trust }
}

function computeEra(
  { period: shown, era }: AnswerProof,
  periodRoot: Uint8Array,
): Omit<ShownEra, 'isTrusted'> | undefined {
  if (!era) return undefined
  const { network, period } = shown
  if (era.era !== Math.floor(period / ERA_PERIODS)) {
    throw new ArchiveError('CORE_READING_ERA_OTHER', `period ${period} is not of era ${era.era}`, {
      period,
      era: era.era,
    })
  }
  const place = { index: period % ERA_PERIODS, leafCount: ERA_PERIODS }
  const tree = computeRootFromPath(computeLeafHash(periodRoot), era.path, place)
  const { totalBytes, totalChunks } = era
  const root = computeEraRootFromTree({ network, era: era.era, totalBytes, totalChunks }, tree)
  return { era: era.era, root, totalBytes, totalChunks }
}

/** Where a proof leads to. */
interface RootsOfPeriod {
  readonly period: Period
  readonly periodRoot: Uint8Array
  /** Absent where it ends at the root of the period. */
  readonly eraRoot: Uint8Array | undefined
}

/**
 * Compares the roots of a period with those that the reader trusts.
 *
 * @throws ArchiveError CORE_READING_ROOT_UNTRUSTED, also when the proof leads to no root where the reader knows one: who lies
 *   leaves out what shows it
 */
export function judgeTrust({ period, periodRoot, eraRoot }: RootsOfPeriod, trusted: TrustedHistory): Trust {
  const era = Math.floor(period / ERA_PERIODS)
  const knownEraRoot = trusted.findEraRoot?.(era)
  const knownPeriodRoot = trusted.findPeriodRoot?.(period)
  if (knownPeriodRoot && !equalBytes(knownPeriodRoot, periodRoot)) {
    throw otherRoot(`period ${period}`, knownPeriodRoot, periodRoot)
  }
  if (knownEraRoot && eraRoot && !equalBytes(knownEraRoot, eraRoot))
    throw otherRoot(`era ${era}`, knownEraRoot, eraRoot)
  if (knownEraRoot && !eraRoot && !knownPeriodRoot) throw endsBefore(era, knownEraRoot, period)
  return knownEraRoot && eraRoot ? 'era-root' : knownPeriodRoot ? 'period-root' : 'none'
}

/** The proof of a period ends before the root that the reader trusts for its era. */
export function endsBefore(era: number, trusted: Uint8Array, period: Period): ArchiveError {
  const what = `what was answered does not lead to the root that you trust for era ${era}, ${toHex(trusted)}`
  const message = `${what}: it ends at the root of period ${period}, as where the era is not whole in an archive`
  return new ArchiveError('CORE_READING_ROOT_UNTRUSTED', message, { era, period })
}

function otherRoot(of: string, trusted: Uint8Array, shown: Uint8Array): ArchiveError {
  const roots = `for ${of} you trust the root ${toHex(trusted)}, what was answered leads to ${toHex(shown)}`
  return new ArchiveError('CORE_READING_ROOT_UNTRUSTED', `not the history that you trust: ${roots}`)
}
