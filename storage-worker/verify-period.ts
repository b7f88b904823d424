// Module by module: worker threads load this, and all of core takes them twice as long to start.
import { type Body, parseBody, parseSeals } from '../core/body.ts'
import { concatBytes, equalBytes } from '../core/bytes.ts'
import { computeChunkId } from '../core/chunk.ts'
import type { ErrorCode } from '../core/error-codes.ts'
import { isArchiveError } from '../core/errors.ts'
import { type Manifest, parseManifest } from '../core/manifest.ts'
import type { Network, Period } from '../core/units.ts'
import { describePlace, EXECUTION_RESULTS, MANIFEST, SEALS } from './keyspace.ts'
import { openValue } from './sealed-value.ts'

/** One period to be verified, with the places that its keys name. Travels to worker threads. */
export interface PeriodJob {
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
  readonly manifest?: Uint8Array
  /** Known after a deep look at an intact BODY. */
  readonly operations?: number
  readonly valueBytes: number
}

export interface VerifyPeriodOptions {
  readonly network: Network
  /** Recompute chunk ids and parse BODY and SEALS, not just the flat hashes. */
  readonly deep: boolean
}

/**
 * Checks everything `bodies` holds of one period.
 *
 * @param read - the value at a place as it is on disk; may throw what the database throws
 */
export function verifyPeriod(
  job: PeriodJob,
  options: VerifyPeriodOptions,
  read: (n: number) => Uint8Array | undefined,
): PeriodFindings {
  const findings: PeriodFinding[] = []
  let valueBytes = 0
  const open = (n: number): Uint8Array | undefined => {
    let sealed: Uint8Array | undefined
    try {
      sealed = read(n)
    } catch {
      findings.push({ what: describePlace(n), code: 'STORE_READ_FAILED' })
      return undefined
    }
    valueBytes += sealed?.length ?? 0
    const value = sealed && openValue(sealed)
    if (value === undefined) {
      findings.push({ what: describePlace(n), code: sealed ? 'STORE_VALUE_CORRUPT' : 'STORE_VALUE_MISSING' })
    }
    return value
  }
  const manifestBytes = open(MANIFEST)
  const manifest = manifestBytes && parseOwnManifest(manifestBytes, job.period, options.network, findings)
  const chunkCount = manifest?.chunks.length ?? job.places.filter((n) => n < EXECUTION_RESULTS).length
  const orphans: number[] = []
  for (const n of job.places) {
    if (n >= chunkCount && n < EXECUTION_RESULTS) {
      orphans.push(n)
      findings.push({ what: describePlace(n), code: 'STORE_VALUE_ORPHANED' })
    }
  }
  const chunks: (Uint8Array | undefined)[] = []
  for (let i = 0; i < chunkCount; i++) {
    const chunk = open(i)
    const isGood = chunk && (!manifest || isChunkOf(manifest, i, chunk, options.deep))
    if (chunk && !isGood) findings.push({ what: describePlace(i), code: 'STORE_VALUE_CORRUPT' })
    // Only a deep look reads BODY as a whole: do not hold 10 MB otherwise.
    if (options.deep) chunks.push(isGood ? chunk : undefined)
  }
  const seals = open(SEALS)
  open(EXECUTION_RESULTS)
  const body = manifest && options.deep ? parseOwnBody(manifest, chunks, findings) : undefined
  if (body && seals) checkSeals(seals, body, findings)
  return {
    period: job.period,
    findings,
    orphans,
    valueBytes,
    ...(manifest && manifestBytes ? { manifest: manifestBytes } : {}),
    ...(body ? { operations: countOperations(body) } : {}),
  }
}

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
    findings.push({ what: 'manifest', code: codeOf(error) })
  }
  return undefined
}

function isChunkOf(manifest: Manifest, index: number, chunk: Uint8Array, deep: boolean): boolean {
  const wanted = manifest.chunks[index]
  if (wanted?.byteLength !== chunk.length) return false
  return !deep || equalBytes(computeChunkId(chunk), wanted.chunkId)
}

function parseOwnBody(
  manifest: Manifest,
  chunks: readonly (Uint8Array | undefined)[],
  findings: PeriodFinding[],
): Body | undefined {
  const whole: Uint8Array[] = []
  for (const chunk of chunks) {
    if (!chunk) return undefined
    whole.push(chunk)
  }
  try {
    const body = parseBody(concatBytes(...whole))
    if (body.period === manifest.period) return body
    findings.push({ what: 'body', code: 'CORE_BODY_INVALID' })
  } catch (error) {
    findings.push({ what: 'body', code: codeOf(error) })
  }
  return undefined
}

function checkSeals(seals: Uint8Array, body: Body, findings: PeriodFinding[]): void {
  try {
    parseSeals(seals, body)
  } catch (error) {
    findings.push({ what: 'seals', code: codeOf(error) })
  }
}

function countOperations(body: Body): number {
  return body.slots.reduce((sum, slot) => sum + (slot.kind === 'block' ? slot.record.operations.length : 0), 0)
}

function codeOf(error: unknown): ErrorCode {
  if (isArchiveError(error)) return error.code
  throw error
}
