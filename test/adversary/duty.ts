import { type HistoryChunk, listHistory } from './history.ts'

/** Chunks that fall to a node. */
export interface Duty {
  readonly byEra: ReadonlyMap<number, readonly HistoryChunk[]>
  readonly all: readonly HistoryChunk[]
}

const known = new WeakMap<ReadonlySet<number>, Duty>()

/** The same hash slots have the same object. */
export function listDuty(hashSlots: ReadonlySet<number>): Duty {
  const duty = known.get(hashSlots) ?? select(({ hashSlot }) => hashSlots.has(hashSlot), listAll())
  known.set(hashSlots, duty)
  return duty
}

/** Those of a duty that are asked for. */
export function select(isWanted: (chunk: HistoryChunk) => boolean, { byEra }: Pick<Duty, 'byEra'>): Duty {
  const wanted = new Map([...byEra].map(([era, chunks]) => [era, chunks.filter(isWanted)]))
  return { byEra: wanted, all: [...wanted.values()].flat() }
}

function listAll(): Pick<Duty, 'byEra'> {
  return { byEra: new Map(listHistory().map(({ era, chunks }) => [era, chunks])) }
}
