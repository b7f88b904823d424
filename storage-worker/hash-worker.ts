import { concatBytes } from '../core/bytes.ts'
import { decodeBodyKey, type KeyRange } from './keyspace.ts'
import { scanTable } from './table-scan.ts'
import { computeValueFact } from './value-fact.ts'

/*
 * Runs in worker threads. Each is given whole table files of `bodies` and hashes the values where they lie: through
 * LevelDB a value is copied three times, which takes as long as hashing it.
 */

export const INTACT = 0
const DAMAGED = 1
export const DELETED = 2

export interface TableJob {
  readonly path: string
  readonly range: KeyRange
  /** Compute chunk ids, too. */
  readonly deep: boolean
}

/** What a table holds, a row per entry in the order of keys: columns, since a table of small periods has thousands. */
export interface TableFacts {
  /** Why LevelDB must not read this table. */
  readonly damage?: string
  readonly periods: Float64Array
  readonly places: Uint32Array
  /** 0 intact, 1 damaged, 2 deleted */
  readonly states: Uint8Array
  readonly sealedBytes: Uint32Array
  /** Chunk ids and manifests, one behind the other. */
  readonly details: Uint8Array
  /** Where those of a row end, which is where those of the next begin. */
  readonly detailEnds: Uint32Array
}

const NO_DETAIL = new Uint8Array(0)

/** `undefined` when the table is no more. */
export function scanBodies({ path, range, deep }: TableJob): TableFacts | undefined {
  const periods: number[] = []
  const places: number[] = []
  const states: number[] = []
  const sealedBytes: number[] = []
  const details: Uint8Array[] = []
  const detailEnds: number[] = []
  let detailEnd = 0
  let damage: string | undefined
  try {
    damage = scanTable(path, range, (key, sealed) => {
      const place = decodeBodyKey(key)
      if (!place) return
      const fact = sealed && computeValueFact(place.n, sealed, deep)
      const detail = fact?.manifest ?? fact?.chunkId ?? NO_DETAIL
      periods.push(place.period)
      places.push(place.n)
      states.push(fact ? (fact.state === 'intact' ? INTACT : DAMAGED) : DELETED)
      sealedBytes.push(sealed?.length ?? 0)
      if (detail.length > 0) details.push(detail)
      detailEnd += detail.length
      detailEnds.push(detailEnd)
    })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  return {
    ...(damage === undefined ? {} : { damage }),
    periods: Float64Array.from(periods),
    places: Uint32Array.from(places),
    states: Uint8Array.from(states),
    sealedBytes: Uint32Array.from(sealedBytes),
    details: concatBytes(...details),
    detailEnds: Uint32Array.from(detailEnds),
  }
}
