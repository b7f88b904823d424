import type { ArchivedPeriod, ErrorCode, Period } from '../core/index.ts'
import { isBearable } from './table-file.ts'

export interface Damage {
  /** Absent: of no period (marks, quarantine). */
  readonly period?: Period
  /** 'chunk 3', 'holding', 'seals', 'execution results', 'manifest', 'body', 'index', 'spool blocks', 'database files' ... */
  readonly what: string
  readonly code: ErrorCode
  /** From what is at hand: the index from the bodies, the rest through `refetchPeriod`. */
  readonly repairable: boolean
  /** What is wrong with it, for a table of LevelDB. */
  readonly reason?: string
  /** Set when repair was asked for. */
  readonly repaired?: boolean
  /** No repair brings it back: what stands in its place is sound, and empty of it. */
  readonly lost?: true
  /** What came of a repair: how much is back, and where the rest lies. */
  readonly note?: string
}

export interface VerifyReport {
  /** Visible periods that were looked at. */
  readonly periods: number
  /** Of these on this disk. */
  readonly chunks: number
  /** Read from `bodies`. */
  readonly bytes: number
  readonly damages: readonly Damage[]
  /** Periods between the first and the last that are not archived; no damage. */
  readonly gaps: readonly { readonly from: Period; readonly to: Period }[]
}

export interface VerifyOptions {
  readonly from?: Period
  readonly to?: Period
  /** Also recompute chunk ids from leaves, hold SEALS against BODY, and every block of LevelDB's against its CRC. */
  readonly deep?: boolean
  /** Write what can be written anew. */
  readonly repair?: boolean
  /** Gives a period from elsewhere, verified; `undefined` when nobody has it. */
  readonly refetchPeriod?: (period: Period) => Promise<ArchivedPeriod | undefined>
  /** Default: one per core; 0: in this thread. */
  readonly threads?: number
}

export interface VerifyProgress {
  readonly period: Period
  readonly bytes: number
}

/** What a run of verify has found damaged so far. */
export class DamageList {
  readonly all: Damage[] = []
  private readonly unbearable = new Set<Damage>()
  private readonly canRefetch: boolean

  /** @param canRefetch - damaged periods can be had from elsewhere */
  constructor(canRefetch: boolean) {
    this.canRefetch = canRefetch
  }

  add(period: Period | undefined, what: string, code: ErrorCode): void {
    const isLocal = what === 'index' || code === 'STORE_VALUE_ORPHANED'
    const repairable = isLocal || this.canRefetch
    this.all.push({ ...(period === undefined ? {} : { period }), what, code, repairable })
  }

  /** A file of LevelDB, which `openStore` with `rebuild` mends. Returns whether LevelDB may read it all the same. */
  addTable(database: string, file: string, reason: string): boolean {
    const what = `${database}/${file}`
    const damage: Damage = { what, code: 'STORE_DATABASE_DAMAGED', repairable: true, reason }
    this.all.push(damage)
    if (!isBearable(reason)) this.unbearable.add(damage)
    return isBearable(reason)
  }

  /** LevelDB may end the process when it reads these: then nothing else is to be looked at. */
  listTables(): Damage[] {
    return [...this.unbearable]
  }

  /** @param what - absent: anything */
  has(period: Period, what?: string): boolean {
    return this.all.some((damage) => damage.period === period && (what === undefined || damage.what === what))
  }
}
