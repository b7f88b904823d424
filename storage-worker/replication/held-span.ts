import {
  type ChunkStore,
  computeHashSlot,
  type ErrorCode,
  isArchiveError,
  type Manifest,
  type Period,
} from '../../core/index.ts'
import type { MissingRange } from '../../protocol-handler/index.ts'
import { SlotSet } from './slot-set.ts'

export type HeldSpanStore = Pick<ChunkStore, 'listSummaries' | 'readHolding' | 'readManifest'>

/** What a disk holds of consecutive periods, all of them visible. */
export interface HeldSpan {
  /** One for each period. */
  readonly roots: readonly Uint8Array[]
  readonly heldChunks: number
  /** Hash slots of the chunks that are not held; without SEALS chunk 0 counts as missing. */
  readonly missing: SlotSet
}

/** What a disk holds of an era: periods of it may not be there. */
export interface HeldEra {
  /** Hash slots of the chunks that are not held of the periods that are there. */
  readonly missing: SlotSet
  /** Periods that are not visible, or of which what says what is held is damaged. Ascending. */
  readonly absent: readonly MissingRange[]
}

/** Enough to keep the disk busy, few enough for what they bring to be taken in at once. */
const READS_AT_ONCE = 16

/** What stands there cannot be read: it tells of nothing that is held. */
const DAMAGE: readonly ErrorCode[] = [
  'CORE_MANIFEST_INVALID',
  'STORE_HOLDING_INVALID',
  'STORE_READ_FAILED',
  'STORE_VALUE_CORRUPT',
  'STORE_VALUE_MISSING',
]

/**
 * Reads what is held of the periods of [from, to].
 *
 * @returns undefined when one of them is not visible, or what says so of it is damaged
 */
export async function readHeldSpan(store: HeldSpanStore, from: Period, to: Period): Promise<HeldSpan | undefined> {
  try {
    return await readVisible(store, from, to)
  } catch (error) {
    unlessDamaged(error)
    return undefined
  }
}

/** The same where periods may be missing. @returns undefined when all are, or the index of them is damaged */
export async function readHeldEra(store: HeldSpanStore, from: Period, to: Period): Promise<HeldEra | undefined> {
  try {
    const visible: Period[] = []
    for await (const { period } of store.listSummaries({ from, to })) visible.push(period)
    const missing = new Set<number>()
    const held: Period[] = []
    for (let i = 0; i < visible.length; i += READS_AT_ONCE) {
      const periods = visible.slice(i, i + READS_AT_ONCE)
      const read = await Promise.all(periods.map((period) => addMissing(store, period, missing).catch(unlessDamaged)))
      held.push(...periods.filter((_, k) => read[k]))
    }
    return held.length === 0 ? undefined : { missing: toSlotSet(missing), absent: listAbsent(held, from, to) }
  } catch (error) {
    unlessDamaged(error)
    return undefined
  }
}

function listAbsent(held: readonly Period[], from: Period, to: Period): readonly MissingRange[] {
  const absent: MissingRange[] = []
  let fromPeriod = from
  for (const period of [...held, to + 1]) {
    if (period > fromPeriod) absent.push({ fromPeriod, endPeriod: period })
    fromPeriod = period + 1
  }
  return absent
}

/** @returns false @throws what is no damage */
function unlessDamaged(error: unknown): false {
  if (DAMAGE.some((code) => isArchiveError(error, code))) return false
  throw error
}

function toSlotSet(slots: ReadonlySet<number>): SlotSet {
  return slots.size === 0 ? SlotSet.NONE : new SlotSet(slots)
}

/**
 * Roots of the periods of [from, to], and how many of their chunks are held.
 *
 * @returns undefined when one of them is not visible
 */
export async function readRoots(
  store: Pick<ChunkStore, 'listSummaries'>,
  from: Period,
  to: Period,
): Promise<Pick<HeldSpan, 'roots' | 'heldChunks'> | undefined> {
  const roots: Uint8Array[] = []
  let heldChunks = 0
  for await (const { period, root, chunks, heldChunks: held = chunks } of store.listSummaries({ from, to })) {
    if (period !== from + roots.length) return undefined
    roots.push(root)
    heldChunks += held
  }
  return roots.length === to - from + 1 ? { roots, heldChunks } : undefined
}

async function readVisible(store: HeldSpanStore, from: Period, to: Period): Promise<HeldSpan | undefined> {
  const visible = await readRoots(store, from, to)
  if (!visible) return undefined
  const { roots } = visible
  const missing = new Set<number>()
  for (let i = 0; i < roots.length; i += READS_AT_ONCE) {
    const periods = roots.slice(i, i + READS_AT_ONCE).map((_, k) => from + i + k)
    const read = await Promise.all(periods.map((period) => addMissing(store, period, missing)))
    if (read.includes(false)) return undefined
  }
  return { ...visible, missing: toSlotSet(missing) }
}

/** @returns false when the period is not visible any more */
async function addMissing(store: HeldSpanStore, period: Period, missing: Set<number>): Promise<boolean> {
  const holding = await store.readHolding(period)
  // Whole, as most are.
  if (!holding || (holding.missingChunks.length === 0 && holding.hasSeals)) return true
  const manifest = await store.readManifest(period)
  if (!manifest) return false
  for (const index of holding.missingChunks) addSlot(missing, manifest, index)
  if (!holding.hasSeals) addSlot(missing, manifest, 0)
  return true
}

function addSlot(slots: Set<number>, { chunks }: Manifest, index: number): void {
  const chunk = chunks[index]
  if (chunk) slots.add(computeHashSlot(chunk.chunkId))
}
