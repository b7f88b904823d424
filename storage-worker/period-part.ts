import {
  ArchiveError,
  encodeManifest,
  equalBytes,
  type Holding,
  type Manifest,
  type PeriodPart,
  type PeriodSummary,
  type StoreIdentity,
  VerifiedChunk,
  withLastLength,
} from '../core/index.ts'
import { computePartSummary, isWhole } from './holding.ts'
import { EXECUTION_RESULTS, LAST_PERIOD, MANIFEST, SEALS } from './keyspace.ts'
import type { PeriodValue } from './sealed-period.ts'
import { areSealsFor, SealsCheck } from './seals-check.ts'

/* What a period becomes when parts of it come or go. Nothing here writes. */

/** A part that a store may hold. Where it has the last chunk its manifest says how long that is. */
export interface CheckedPart extends PeriodPart {
  /** With the ids of the manifest. */
  readonly chunks: ReadonlyMap<number, Uint8Array>
}

/** A period as it is to be. */
export interface PeriodChange {
  readonly manifest: Manifest
  readonly summary: PeriodSummary
  /** Absent: it is whole. */
  readonly holding: Holding | undefined
  /** To be written. */
  readonly values: readonly PeriodValue[]
  /** Places of values that go. */
  readonly dropped: readonly number[]
}

/** What is known of the period before. */
export interface PeriodBefore {
  /** Absent: it is not visible, and nothing of it is held. */
  readonly manifest: Manifest | undefined
  /** Absent: it is whole. */
  readonly holding: Holding | undefined
}

/** Reads what is held already. */
export interface HeldValues {
  readChunk(index: number): Promise<Uint8Array | undefined>
  /** `undefined` when they are damaged, too. */
  readSeals(): Promise<Uint8Array | undefined>
  readSummary(): Promise<PeriodSummary | undefined>
  /** Whether it stands intact on disk, or one that may be in its place. */
  isKept(value: PeriodValue): Promise<boolean>
}

/**
 * @param operations - of the whole period
 * @throws ArchiveError STORE_PERIOD_INVALID when it has no such chunk
 */
export function planDrop(
  manifest: Manifest,
  before: { readonly holding: Holding | undefined; readonly operations: number },
  indexes: readonly number[],
): PeriodChange {
  const unknown = indexes.find((index) => manifest.chunks[index] === undefined)
  if (unknown !== undefined) {
    throw new ArchiveError('STORE_PERIOD_INVALID', `period ${manifest.period} has no chunk ${unknown}`, {
      period: manifest.period,
    })
  }
  const missing = new Set([...(before.holding?.missingChunks ?? []), ...indexes])
  const isHead = indexes.includes(0)
  const holding: Holding = {
    operations: before.operations,
    isCounted: before.holding?.isCounted ?? true,
    missingChunks: [...missing].sort((a, b) => a - b),
    hasSeals: !isHead && (before.holding?.hasSeals ?? true),
    // No holder shows them, and nobody gives them again.
    hasExecutionResults: before.holding?.hasExecutionResults ?? true,
  }
  const dropped = isHead ? [...indexes, SEALS] : [...indexes]
  return { manifest, summary: computePartSummary(manifest, holding), holding, values: [], dropped }
}

/**
 * @param before - with a manifest of the same root, if any
 * @throws ArchiveError STORE_PART_INVALID, and what reading throws
 */
export async function planPart(given: CheckedPart, before: PeriodBefore, held: HeldValues): Promise<PeriodChange> {
  const isTold = given.chunks.has(given.manifest.chunks.length - 1)
  // How long the last chunk is nobody knows better than who has it.
  const part = isTold || !before.manifest ? given : { ...given, manifest: before.manifest }
  const { manifest, chunks } = part
  const isVisible = before.manifest !== undefined
  const wasMissing = new Set(isVisible ? before.holding?.missingChunks : manifest.chunks.keys())
  const missingChunks = [...wasMissing].filter((index) => !chunks.has(index))
  const hadSeals = isVisible && (before.holding?.hasSeals ?? true)
  const hadResults = isVisible && (before.holding?.hasExecutionResults ?? true)
  const isBodyNew = missingChunks.length === 0 && (wasMissing.size > 0 || part.seals !== undefined)
  const wasCounted = before.holding?.isCounted === true
  const counted = isBodyNew && !wasCounted ? await countOperations(part, held) : undefined
  const operations = wasCounted ? before.holding.operations : counted
  // Those that came before anything was counted could not be checked, and the first stay until then.
  const heldSeals = hadSeals && (counted !== undefined || part.seals) ? await held.readSeals() : undefined
  const fits = (each: Uint8Array) => operations === undefined || areSealsFor(each, manifest, operations)
  const seals = [heldSeals, part.seals].find((each) => each !== undefined && fits(each))
  if (part.seals && !seals) throw invalid(manifest, 'SEALS of another BODY')
  const holding: Holding = {
    operations: operations ?? before.holding?.operations ?? part.operations,
    isCounted: operations !== undefined,
    missingChunks,
    // Held and damaged stays damage, which `verify` names.
    hasSeals: seals !== undefined || (hadSeals && heldSeals === undefined),
    hasExecutionResults: hadResults || part.executionResults !== undefined,
  }
  const isWholeNow = isWhole(holding)
  const values: PeriodValue[] = [...chunks].map(([n, value]) => ({ n, value }))
  if (part.executionResults) values.push({ n: EXECUTION_RESULTS, value: part.executionResults })
  const lacking: PeriodValue[] = []
  for (const value of values) if (wasMissing.has(value.n) || !(await held.isKept(value))) lacking.push(value)
  const said = encodeManifest(manifest)
  if (!before.manifest || !equalBytes(encodeManifest(before.manifest), said)) lacking.push({ n: MANIFEST, value: said })
  if (seals && seals !== heldSeals) lacking.push({ n: SEALS, value: seals })
  return {
    manifest,
    summary:
      (isWholeNow && operations === undefined ? await held.readSummary() : undefined) ??
      computePartSummary(manifest, holding),
    holding: isWholeNow ? undefined : holding,
    values: lacking,
    dropped: hadSeals && !holding.hasSeals ? [SEALS] : [],
  }
}

/**
 * Whether a store of this identity may hold it, every chunk with the id of the manifest.
 *
 * The last chunk may be of another length than the manifest says: its id binds its bytes, while the manifest was maybe
 * taken without it, and no period root binds the length that it says.
 *
 * @throws ArchiveError STORE_PERIOD_INVALID, STORE_PART_INVALID
 */
export function checkPart(part: PeriodPart, identity: StoreIdentity): CheckedPart {
  const { manifest } = part
  checkManifest(manifest, identity)
  const last = manifest.chunks.length - 1
  const chunks = new Map<number, Uint8Array>()
  for (const [index, chunk] of part.chunks) {
    const wanted = manifest.chunks[index]
    if (!wanted) throw invalid(manifest, `there is no chunk ${index}`)
    const verified = chunk instanceof VerifiedChunk ? chunk : VerifiedChunk.verify(chunk, wanted.chunkId)
    const isWanted = verified && equalBytes(verified.chunkId, wanted.chunkId)
    if (!isWanted || (index !== last && verified.bytes.length !== wanted.byteLength)) {
      throw invalid(manifest, `chunk ${index} is another one`)
    }
    chunks.set(index, verified.bytes)
  }
  const length = chunks.get(last)?.length
  if (length === undefined) return { ...part, chunks }
  const told = withLastLength(manifest, length)
  checkManifest(told, identity)
  return { ...part, manifest: told, chunks }
}

/** @throws ArchiveError STORE_PERIOD_INVALID unless it is of this network and cut as this store cuts */
export function checkManifest(manifest: Manifest, { network, chunkSizeBytes }: StoreIdentity): void {
  const wrong = (what: string) =>
    new ArchiveError('STORE_PERIOD_INVALID', `period ${manifest.period}: ${what}`, { period: manifest.period })
  const { chainId, genesisTimestampMs } = manifest.network
  if (chainId !== network.chainId || genesisTimestampMs !== network.genesisTimestampMs) {
    throw wrong('of another network')
  }
  if (manifest.period > LAST_PERIOD) throw wrong('is out of range')
  for (const [i, { byteLength }] of manifest.chunks.entries()) {
    const last = i === manifest.chunks.length - 1
    if (last ? byteLength > chunkSizeBytes : byteLength !== chunkSizeBytes) throw wrong(`size of chunk ${i}`)
  }
}

/**
 * Goes through a BODY that is whole now by its lengths: the ids of its chunks bind the rest.
 *
 * @throws ArchiveError STORE_PART_INVALID when chunks that fit the manifest are no BODY of it; STORE_VALUE_MISSING
 */
async function countOperations({ manifest, chunks }: CheckedPart, held: HeldValues): Promise<number> {
  const check = new SealsCheck()
  for (const index of manifest.chunks.keys()) {
    const chunk = chunks.get(index) ?? (await held.readChunk(index))
    if (!chunk) {
      throw new ArchiveError('STORE_VALUE_MISSING', `chunk ${index} of period ${manifest.period} is not on disk`, {
        period: manifest.period,
        index,
      })
    }
    check.takeChunk(index, chunk)
  }
  const operations = check.countOperations(manifest)
  if (operations === undefined) throw invalid(manifest, 'its chunks are no BODY of it')
  return operations
}

function invalid(manifest: Manifest, what: string): ArchiveError<'STORE_PART_INVALID'> {
  return new ArchiveError('STORE_PART_INVALID', `period ${manifest.period}: ${what}`, { period: manifest.period })
}
