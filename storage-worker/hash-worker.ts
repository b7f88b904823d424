import { concatBytes } from '../core/bytes.ts'
import { computeBodyBytes, computePeriodRoot } from '../core/manifest.ts'
import type { Holding } from '../core/ports.ts'
import type { Network, Period } from '../core/units.ts'
import { countHeldChunks } from './holding.ts'
import { sumPlaces } from './key-sum.ts'
import { decodeBodyKey, HOLDING, isChunkPlace, type KeyRange, MANIFEST, SEALS } from './keyspace.ts'
import { SealsCheck } from './seals-check.ts'
import { scanTable } from './table-scan.ts'
import { computeValueFact, type ValueFact } from './value-fact.ts'
import { verifyPeriod } from './verify-period.ts'

/*
 * What threads do with whole table files of `bodies`: hash the values where they lie, since through LevelDB a value is
 * copied three times, which takes as long as hashing it; and judge the periods that lie in one table alone, which are
 * nearly all, so that the main thread has next to nothing to do with those that are intact.
 */

export const INTACT = 0
const DAMAGED = 1
export const DELETED = 2

export interface TableJob {
  readonly path: string
  readonly range: KeyRange
  /** Compute chunk ids, too. */
  readonly deep: boolean
  readonly network: Network
  /** Periods of which no other table holds anything: those in [from, to]; none when `from` is the larger. */
  readonly alone: { readonly from: Period; readonly to: Period }
}

/** An intact period, and what the index must have of it. */
export interface IntactPeriod {
  readonly period: Period
  readonly valueBytes: number
  readonly bodyBytes: number
  readonly bitmap: number
  readonly chunks: number
  readonly heldChunks: number
  /** 32 bytes */
  readonly root: Uint8Array
  /** KeySum of its places. */
  readonly low: number
  readonly high: number
}

/** What a table holds, in columns, since a table of small periods has thousands of values. */
export interface TableFacts {
  /** Why LevelDB must not read this table. */
  readonly damage?: string
  /** Intact periods that are nowhere else, ascending: INTACT_COLUMNS numbers each. */
  readonly intact: Float64Array
  /** Their roots, 32 bytes each. */
  readonly roots: Uint8Array
  /** All others have a row per entry in the order of keys. */
  readonly periods: Float64Array
  readonly places: Uint32Array
  /** 0 intact, 1 damaged, 2 deleted */
  readonly states: Uint8Array
  readonly sealedBytes: Uint32Array
  /** Chunk ids, manifests, holdings, and a byte of SEALS that were held against their BODY, one behind the other. */
  readonly details: Uint8Array
  /** Where those of a row end, which is where those of the next begin. */
  readonly detailEnds: Uint32Array
}

const NO_DETAIL = new Uint8Array(0)
const SEALS_FIT = [Uint8Array.of(0), Uint8Array.of(1)] as const
const INTACT_COLUMNS = 8
/** Execution results, SEALS, manifest. */
const VALUES_BESIDE_CHUNKS = 3

interface Row {
  readonly period: Period
  readonly n: number
  readonly sealedBytes: number
  /** Absent: deleted. */
  readonly fact: ValueFact | undefined
}

function countBeside(holding: Holding | undefined): number {
  if (!holding) return VALUES_BESIDE_CHUNKS
  // Itself and the manifest.
  return 2 + (holding.hasSeals ? 1 : 0) + (holding.hasExecutionResults ? 1 : 0)
}

/** It stands behind the chunks, before at most three values. */
function isHoldingAmong(rows: readonly Row[]): boolean {
  for (let i = 2; i <= 1 + VALUES_BESIDE_CHUNKS; i++) if (rows[rows.length - i]?.n === HOLDING) return true
  return false
}

type Look = (n: number) => ValueFact | undefined

/** In the order of keys: chunks, execution results, SEALS, manifest. */
function lookInWhole(rows: readonly Row[]): Look {
  return (n) => {
    const row = rows[isChunkPlace(n) ? n : rows.length - 1 - (MANIFEST - n)]
    return row?.n === n ? row.fact : undefined
  }
}

function lookByPlace(rows: readonly Row[]): Look {
  const facts = new Map(rows.map(({ n, fact }) => [n, fact]))
  return (n) => facts.get(n)
}

/** `undefined` when the table is no more. */
export function scanBodies(job: TableJob): TableFacts | undefined {
  const rows: Row[] = []
  let seals: SealsCheck | undefined
  const visit = (key: Uint8Array, sealed: Uint8Array | undefined) => {
    const place = decodeBodyKey(key)
    if (!place) return
    if (job.deep && place.period !== rows.at(-1)?.period) seals = new SealsCheck()
    const fact = sealed && computeValueFact(place.n, sealed, job.deep, seals)
    rows.push({ period: place.period, n: place.n, sealedBytes: sealed?.length ?? 0, fact })
  }
  try {
    const damage = scanTable(job.path, job.range, visit, job.deep)
    // Not value by value: what visits them is compiled while it runs, and so is all that it calls.
    return judgeRows(rows, job).finish(damage)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function judgeRows(rows: readonly Row[], job: TableJob): Columns {
  const columns = new Columns(job)
  for (let first = 0; first < rows.length; ) {
    const period = rows[first]?.period ?? 0
    let end = first + 1
    while (rows[end]?.period === period) end++
    columns.add(period, rows.slice(first, end))
    first = end
  }
  return columns
}

/** The `i`-th intact period of a table. */
export function readIntact({ intact, roots }: TableFacts, i: number): IntactPeriod {
  const column = (n: number) => intact[i * INTACT_COLUMNS + n] ?? 0
  return {
    period: column(0),
    valueBytes: column(1),
    bodyBytes: column(2),
    bitmap: column(3),
    chunks: column(4),
    heldChunks: column(5),
    low: column(6),
    high: column(7),
    root: roots.subarray(32 * i, 32 * (i + 1)),
  }
}

export function countIntact({ intact }: TableFacts): number {
  return intact.length / INTACT_COLUMNS
}

class Columns {
  private readonly job: TableJob
  private readonly intact: number[] = []
  private readonly roots: Uint8Array[] = []
  private readonly periods: number[] = []
  private readonly places: number[] = []
  private readonly states: number[] = []
  private readonly sealedBytes: number[] = []
  private readonly details: Uint8Array[] = []
  private readonly detailEnds: number[] = []
  private detailEnd = 0

  constructor(job: TableJob) {
    this.job = job
  }

  /** All rows of one period, in the order of keys. */
  add(period: Period, rows: readonly Row[]): void {
    if (!this.takeIntact(period, rows)) for (const row of rows) this.pushRow(row)
  }

  finish(damage: string | undefined): TableFacts {
    return {
      ...(damage === undefined ? {} : { damage }),
      intact: new Float64Array(this.intact),
      roots: concatBytes(...this.roots),
      periods: new Float64Array(this.periods),
      places: new Uint32Array(this.places),
      states: new Uint8Array(this.states),
      sealedBytes: new Uint32Array(this.sealedBytes),
      details: concatBytes(...this.details),
      detailEnds: new Uint32Array(this.detailEnds),
    }
  }

  /** Whether all that is held of the period is here, each value once, and intact. */
  private takeIntact(period: Period, rows: readonly Row[]): boolean {
    const { job } = this
    if (period < job.alone.from || period > job.alone.to) return false
    const isPart = isHoldingAmong(rows)
    const look = isPart ? lookByPlace(rows) : lookInWhole(rows)
    const { findings, manifest, holding, valueBytes } = verifyPeriod({ period, places: [] }, job.network, look)
    if (findings.length > 0 || !manifest) return false
    const heldChunks = countHeldChunks(manifest, holding)
    const isBodyHere = heldChunks === manifest.chunks.length && holding?.hasSeals !== false
    if (job.deep && isBodyHere && look(SEALS)?.sealsFit === undefined) return false
    // All that it wants are in their places: so many rows are no others, and none twice.
    if (rows.length !== heldChunks + countBeside(holding)) return false
    const bodyBytes = computeBodyBytes(manifest)
    const { low, high } = sumPlaces(manifest, holding)
    this.intact.push(period, valueBytes, bodyBytes, manifest.bitmap, manifest.chunks.length, heldChunks, low, high)
    this.roots.push(computePeriodRoot(manifest))
    return true
  }

  private pushRow({ period, n, sealedBytes, fact }: Row): void {
    const sealsFit = fact?.sealsFit === undefined ? undefined : SEALS_FIT[fact.sealsFit ? 1 : 0]
    const detail = fact?.manifest ?? fact?.chunkId ?? fact?.holding ?? sealsFit ?? NO_DETAIL
    this.periods.push(period)
    this.places.push(n)
    this.states.push(fact ? (fact.state === 'intact' ? INTACT : DAMAGED) : DELETED)
    this.sealedBytes.push(sealedBytes)
    if (detail.length > 0) this.details.push(detail)
    this.detailEnd += detail.length
    this.detailEnds.push(this.detailEnd)
  }
}
