// Module by module: worker threads load this, and all of core takes them twice as long to start.
import { equalBytes } from '../core/bytes.ts'
import type { ErrorCode } from '../core/error-codes.ts'
import { isArchiveError } from '../core/errors.ts'
import { type Manifest, parseManifest } from '../core/manifest.ts'
import type { Holding } from '../core/ports.ts'
import type { Network, Period } from '../core/units.ts'
import { parseHolding } from './holding.ts'
import { describePlace, EXECUTION_RESULTS, HOLDING, isChunkPlace, MANIFEST, SEALS } from './keyspace.ts'
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
  /** Places of values that belong to no manifest, or to no chunk that is held. */
  readonly orphans: readonly number[]
  /** As it is on disk, when it is intact and it can be said what is held. */
  readonly manifest?: Manifest
  /** Absent: the period is whole. */
  readonly holding?: Holding
  readonly valueBytes: number
}

/**
 * Holds what `bodies` has of one period against its manifest, and against what is said to be held of it.
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
  const chunkCount = manifest?.chunks.length ?? (places.filter(isChunkPlace).at(-1) ?? -1) + 1
  const holdingFact = look(HOLDING) && open(HOLDING)
  const holding = holdingFact?.holding && parseOwnHolding(holdingFact.holding, manifest, findings)
  // Of a damaged one it is not known what lacks: what is there is looked at.
  const isUnclear = look(HOLDING) !== undefined && holding === undefined
  const here = isUnclear ? new Set(places) : undefined
  const missing = holding && new Set(holding.missingChunks)
  const orphans: number[] = []
  for (const n of places) {
    if (isChunkPlace(n) && (n >= chunkCount || missing?.has(n))) {
      orphans.push(n)
      findings.push({ what: describePlace(n), code: 'STORE_VALUE_ORPHANED' })
    }
  }
  for (let i = 0; i < chunkCount; i++) {
    if (missing?.has(i) || here?.has(i) === false) continue
    const fact = open(i)
    if (fact && manifest && !isChunkOf(manifest, i, fact)) {
      findings.push({ what: describePlace(i), code: 'STORE_VALUE_CORRUPT' })
    }
  }
  // Of a BODY that is damaged nothing is to be said of its SEALS.
  const isBodyIntact = findings.length === 0
  const isHeld = (n: number, held: boolean | undefined) => (here ? here.has(n) : held !== false)
  const seals = isHeld(SEALS, holding?.hasSeals) ? open(SEALS) : undefined
  if (isBodyIntact && seals?.sealsFit === false) findings.push({ what: 'seals', code: 'CORE_SEALS_INVALID' })
  if (isHeld(EXECUTION_RESULTS, holding?.hasExecutionResults)) open(EXECUTION_RESULTS)
  return {
    period,
    findings,
    orphans,
    valueBytes,
    ...(manifest && !isUnclear ? { manifest } : {}),
    ...(holding ? { holding } : {}),
  }
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

function parseOwnHolding(
  bytes: Uint8Array,
  manifest: Manifest | undefined,
  findings: PeriodFinding[],
): Holding | undefined {
  try {
    return parseHolding(bytes, manifest?.chunks.length ?? Number.MAX_SAFE_INTEGER)
  } catch (error) {
    if (!isArchiveError(error)) throw error
    findings.push({ what: describePlace(HOLDING), code: error.code })
    return undefined
  }
}

function isChunkOf(manifest: Manifest, index: number, fact: ValueFact): boolean {
  const wanted = manifest.chunks[index]
  if (wanted === undefined || SEAL_BYTES + wanted.byteLength !== fact.sealedBytes) return false
  return fact.chunkId === undefined || equalBytes(fact.chunkId, wanted.chunkId)
}
