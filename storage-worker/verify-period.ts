// Module by module: worker threads load this, and all of core takes them twice as long to start.
import { equalBytes } from '../core/bytes.ts'
import type { ErrorCode } from '../core/error-codes.ts'
import { isArchiveError } from '../core/errors.ts'
import { type Manifest, parseManifest } from '../core/manifest.ts'
import type { Network, Period } from '../core/units.ts'
import { describePlace, EXECUTION_RESULTS, MANIFEST, SEALS } from './keyspace.ts'
import { SEAL_BYTES } from './sealed-value.ts'
import type { ValueFact } from './value-fact.ts'

/** One period to be verified, with the places that its keys name. */
export interface PeriodPlaces {
  readonly period: Period
  readonly places: readonly number[]
}

export interface PeriodFinding {
  readonly what: string
  readonly code: ErrorCode
}

export interface PeriodFindings {
  readonly period: Period
  readonly findings: readonly PeriodFinding[]
  /** Places of values that belong to no manifest. */
  readonly orphans: readonly number[]
  /** As it is on disk, when it is intact. */
  readonly manifest?: Manifest
  readonly valueBytes: number
}

/**
 * Holds what `bodies` has of one period against its manifest.
 *
 * With chunk ids in the facts (`--deep`) this says that BODY is byte for byte the one that was verified before it was
 * archived, if the manifest has the recorded root: so nothing of it is parsed but the lengths that say which signatures
 * SEALS must hold.
 *
 * @param look - what was found at a place; `undefined`: nothing
 */
export function verifyPeriod(
  { period, places }: PeriodPlaces,
  network: Network,
  look: (n: number) => ValueFact | undefined,
): PeriodFindings {
  const findings: PeriodFinding[] = []
  let valueBytes = 0
  const open = (n: number): ValueFact | undefined => {
    const fact = look(n)
    valueBytes += fact?.sealedBytes ?? 0
    if (fact?.state === 'intact') return fact
    const code = fact ? CODES[fact.state] : 'STORE_VALUE_MISSING'
    findings.push({ what: describePlace(n), code })
    return undefined
  }
  const manifestBytes = open(MANIFEST)?.manifest
  const manifest = manifestBytes && parseOwnManifest(manifestBytes, period, network, findings)
  const chunkCount = manifest?.chunks.length ?? places.filter((n) => n < EXECUTION_RESULTS).length
  const orphans: number[] = []
  for (const n of places) {
    if (n >= chunkCount && n < EXECUTION_RESULTS) {
      orphans.push(n)
      findings.push({ what: describePlace(n), code: 'STORE_VALUE_ORPHANED' })
    }
  }
  for (let i = 0; i < chunkCount; i++) {
    const fact = open(i)
    if (fact && manifest && !isChunkOf(manifest, i, fact)) {
      findings.push({ what: describePlace(i), code: 'STORE_VALUE_CORRUPT' })
    }
  }
  // Of a BODY that is damaged nothing is to be said of its SEALS.
  const isBodyIntact = findings.length === 0
  const seals = open(SEALS)
  if (isBodyIntact && seals?.sealsFit === false) findings.push({ what: 'seals', code: 'CORE_SEALS_INVALID' })
  open(EXECUTION_RESULTS)
  return { period, findings, orphans, valueBytes, ...(manifest ? { manifest } : {}) }
}

const CODES = { damaged: 'STORE_VALUE_CORRUPT', unreadable: 'STORE_READ_FAILED' } as const

function parseOwnManifest(
  bytes: Uint8Array,
  period: Period,
  network: Network,
  findings: PeriodFinding[],
): Manifest | undefined {
  try {
    const manifest = parseManifest(bytes)
    const isOwn =
      manifest.period === period &&
      manifest.network.chainId === network.chainId &&
      manifest.network.genesisTimestampMs === network.genesisTimestampMs
    if (isOwn) return manifest
    findings.push({ what: 'manifest', code: 'CORE_MANIFEST_INVALID' })
  } catch (error) {
    if (!isArchiveError(error)) throw error
    findings.push({ what: 'manifest', code: error.code })
  }
  return undefined
}

function isChunkOf(manifest: Manifest, index: number, fact: ValueFact): boolean {
  const wanted = manifest.chunks[index]
  if (wanted === undefined || SEAL_BYTES + wanted.byteLength !== fact.sealedBytes) return false
  return fact.chunkId === undefined || equalBytes(fact.chunkId, wanted.chunkId)
}
