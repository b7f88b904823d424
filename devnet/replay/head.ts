import { computeGenesisBlock, formatBlockId, type Period, THREAD_COUNT } from '../../core/index.ts'
import type { RecordedBlock, Recording } from './timeline.ts'

/** How far behind a missed slot its proof is looked for. */
const PROOF_SEARCH_SLOTS = 8 * THREAD_COUNT

/** The periods that a recording holds whole. */
export interface WholePeriods {
  readonly first: Period
  /** The head: the newest that a faithful archive has when it has seen the whole recording. */
  readonly last: Period
  /** Ascending: those between, of which something was not recorded. An archive can only list them as gaps. */
  readonly holes: readonly Period[]
}

/**
 * Which periods of a recording an archive can decide: every block is there with its operations and links to the
 * block before it in its thread, every miss is proven by a final block at least 32 slots later (docs/ARCHITECTURE.md).
 *
 * @returns `undefined` when there is no such period
 */
export function computeWholePeriods(recording: Recording): WholePeriods | undefined {
  const indexes = [...recording.finals.keys()].filter((index) => index >= THREAD_COUNT).sort((a, b) => a - b)
  const firstIndex = indexes[0]
  const lastIndex = indexes.at(-1)
  if (firstIndex === undefined || lastIndex === undefined) return undefined
  const decided = findDecidedSlots(recording, firstIndex, lastIndex)
  const whole: Period[] = []
  for (let period = Math.floor(firstIndex / THREAD_COUNT); period <= Math.floor(lastIndex / THREAD_COUNT); period++) {
    const slots = Array.from({ length: THREAD_COUNT }, (_, thread) => period * THREAD_COUNT + thread)
    if (slots.every((index) => decided.has(index))) whole.push(period)
  }
  const first = whole[0]
  const last = whole.at(-1)
  if (first === undefined || last === undefined) return undefined
  const isWhole = new Set(whole)
  const holes = Array.from({ length: last - first }, (_, n) => first + n).filter((period) => !isWhole.has(period))
  return { first, last, holes }
}

function findDecidedSlots(recording: Recording, firstIndex: number, lastIndex: number): Set<number> {
  const previous: (string | undefined)[] = Array.from({ length: THREAD_COUNT }, (_, thread) =>
    firstIndex <= THREAD_COUNT ? formatBlockId(computeGenesisBlock({ period: 0, thread }).id) : undefined,
  )
  const decided = new Set<number>()
  for (let index = firstIndex; index <= lastIndex; index++) {
    const thread = index % THREAD_COUNT
    const id = recording.finals.get(index)
    const before = previous[thread]
    if (id === undefined) {
      if (before !== undefined && isMissProven(recording, index, before)) decided.add(index)
      continue
    }
    const block = recording.blocks.get(id)
    if (block && before !== undefined && block.parents[thread] === before && isWhole(recording, block)) {
      decided.add(index)
    }
    // A block that is named but was not recorded cannot be linked to: the chain of its thread begins anew after it.
    previous[thread] = block ? id : undefined
  }
  return decided
}

function isMissProven(recording: Recording, index: number, before: string): boolean {
  for (let later = index + THREAD_COUNT; later < index + PROOF_SEARCH_SLOTS; later++) {
    const id = recording.finals.get(later)
    const block = id === undefined ? undefined : recording.blocks.get(id)
    if (block && block.parents[index % THREAD_COUNT] === before) return true
  }
  return false
}

function isWhole(recording: Recording, block: RecordedBlock): boolean {
  return block.operationIds.every((id) => recording.operations.has(id))
}
