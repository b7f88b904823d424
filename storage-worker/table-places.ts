import { join } from 'node:path'
import type { Period } from '../core/index.ts'
import type { GuardedLevel } from './guarded-level.ts'
import { decodeBodyKey } from './keyspace.ts'
import { listTableFiles } from './table-file.ts'
import type { OpenPeriods } from './table-periods.ts'
import { readKeyRange } from './table-scan.ts'

/** Behind every key of `bodies`. */
const BEYOND_ALL = new Uint8Array(13).fill(0xff)
/** Against compactions; damaged tables need as many. */
const LIST_ATTEMPTS = 3
const NO_PERIODS = { from: 0, to: -1 } as const

/** Which periods a table of `bodies` holds something of. */
export interface TablePlace {
  readonly path: string
  /** Absent: not known. */
  readonly periods?: { readonly first: Period; readonly last: Period }
}

/**
 * Table files of `bodies` with the first and last period of each, ascending; those of which it is not known first. One
 * that is not there stands for those that a compaction deleted.
 */
export async function listTablePlaces(bodies: GuardedLevel): Promise<TablePlace[]> {
  const { location } = bodies
  if (location === undefined) return []
  // What is in memory goes into a table: all of it is to be read from disk. No key is in the range.
  await bodies.compact(BEYOND_ALL, BEYOND_ALL)
  for (let attempt = 1; ; attempt++) {
    const live = bodies.listTables() ?? new Map<number, number>()
    const names = listTableFiles(location, live)
    const tables = names.map((name) => readTablePlace(join(location, name)))
    // A compaction deletes files while we look: what they held lies in others then.
    const isWhole = names.length === live.size && tables.every(({ periods }) => periods !== undefined)
    if (!isWhole && attempt < LIST_ATTEMPTS) continue
    if (names.length < live.size) tables.push({ path: join(location, 'deleted') })
    return tables.sort((a, b) => (a.periods?.first ?? -1) - (b.periods?.first ?? -1))
  }
}

/** For each of the tables, ascending, periods within [from, to] of which it alone holds something. */
export function findAlone(tables: readonly TablePlace[], range: OpenPeriods): OpenPeriods[] {
  // One that may hold anything leaves nobody alone.
  if (tables.some(({ periods }) => periods === undefined)) return tables.map(() => NO_PERIODS)
  let before = -1
  return tables.map(({ periods = { first: 0, last: -1 } }, i) => {
    const from = Math.max(periods.first, before + 1, range.from)
    const to = Math.min(periods.last, (tables[i + 1]?.periods?.first ?? Number.MAX_SAFE_INTEGER) - 1, range.to)
    before = Math.max(before, periods.last)
    return { from, to }
  })
}

function readTablePlace(path: string): TablePlace {
  const keys = readKeyRange(path)
  const first = keys && decodeBodyKey(keys.first)?.period
  const last = keys && decodeBodyKey(keys.last)?.period
  return first === undefined || last === undefined ? { path } : { path, periods: { first, last } }
}
