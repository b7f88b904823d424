import {
  fromU64,
  isArchiveError,
  parseAddress,
  parseBlockId,
  parseEndorsementId,
  parseOperationId,
  type SlotMessage,
  THREAD_COUNT,
} from '../../core/index.ts'
import type { SlotRangeMessage } from './messages.ts'
import { invalidArgument, type RpcError } from './rpc-error.ts'

/** Limits of the node, `[grpc.public]` as shipped (facts: massa-node 1.3, 0.1). */
const MAX_FILTERS = 32
const MAX_SLOT_RANGES = 50
const MAX_QUERIES = 128
const MAX_IDS = { block: 50, operation: 250, endorsement: 100, address: 50 } as const
const NAMES = {
  block: 'block id',
  operation: 'operation id',
  endorsement: 'endorsement id',
  address: 'address',
} as const
const PLURALS = {
  block: 'block ids',
  operation: 'operation ids',
  endorsement: 'endorsement ids',
  address: 'addresses',
} as const
const PARSERS = {
  block: parseBlockId,
  operation: parseOperationId,
  endorsement: parseEndorsementId,
  address: parseAddress,
} as const
type NamedKind = keyof typeof NAMES

export function checkFilterCount(filters: readonly unknown[]): void {
  if (filters.length > MAX_FILTERS) throw tooMany('filters', MAX_FILTERS)
}

export function checkQueryCount(queries: readonly unknown[]): void {
  if (queries.length === 0) throw invalidArgument('no query items specified')
  if (queries.length <= MAX_QUERIES) return
  throw invalidArgument(
    `too many query items received. Only a maximum of ${MAX_QUERIES} operations are accepted per request`,
  )
}

export function tooMany(what: string, maximum: number): RpcError {
  return invalidArgument(`too many ${what} received. Only a maximum of ${maximum} ${what} are accepted per request`)
}

/** @throws RpcError for a text that is no such id or address */
export function checkNamed(kind: NamedKind, text: string): void {
  if (!isNamed(kind, text)) throw invalidArgument(`invalid ${NAMES[kind]}: ${text}`)
}

export function isNamed(kind: NamedKind, text: string): boolean {
  try {
    PARSERS[kind](text)
    return true
  } catch (error) {
    if (!isArchiveError(error, 'CORE_BASE58_INVALID')) throw error
    return false
  }
}

/**
 * What filters of one kind name together; undefined when there is none of that kind.
 *
 * @param given - the lists of the filters of that kind
 * @throws RpcError
 */
export function joinNamed(kind: NamedKind, given: readonly (readonly string[])[]): ReadonlySet<string> | undefined {
  if (given.length === 0) return undefined
  const named = new Set<string>()
  for (const list of given) {
    if (list.length > MAX_IDS[kind]) {
      // The node names the limit of blocks here.
      const shown = kind === 'operation' ? MAX_IDS.block : MAX_IDS[kind]
      throw tooMany(PLURALS[kind], shown)
    }
    for (const text of list) {
      checkNamed(kind, text)
      named.add(text)
    }
  }
  return named
}

/** Slots as indices, `from` inclusive and `to` exclusive. */
export interface IndexRange {
  readonly from: number
  readonly to: number
}

export const EVERYTHING: IndexRange = { from: 0, to: Number.MAX_SAFE_INTEGER }

/**
 * What is in all ranges; undefined when there is none.
 *
 * @throws RpcError for one that is empty or the wrong way round, and for too many
 */
export function intersectRanges(ranges: readonly (SlotRangeMessage | undefined)[]): IndexRange | undefined {
  if (ranges.length === 0) return undefined
  let { from, to } = EVERYTHING
  for (const [place, range] of ranges.entries()) {
    if (place >= MAX_SLOT_RANGES) throw tooMany('slot ranges', MAX_SLOT_RANGES)
    const { startSlot, endSlot } = range ?? {}
    if (!startSlot && !endSlot) throw invalidArgument('Invalid slot range: both start slot and end slot are empty')
    if (startSlot && endSlot) checkOrder(startSlot, endSlot)
    from = Math.max(from, toIndex(startSlot, 0))
    to = Math.min(to, toIndex(endSlot, Number.MAX_SAFE_INTEGER))
  }
  return { from, to: Math.max(from, to) }
}

/** Thread 32 and above is taken as it comes: (43, 32) is after all of period 43. */
export function toIndex(slot: SlotMessage | null | undefined, absent: number): number {
  if (!slot) return absent
  return Math.min(
    Number.MAX_SAFE_INTEGER,
    Number(fromU64(slot.period)) * THREAD_COUNT + Math.min(threadOf(slot), THREAD_COUNT),
  )
}

function checkOrder(start: SlotMessage, end: SlotMessage): void {
  const [a, b] = [fromU64(start.period), fromU64(end.period)]
  const difference = a === b ? threadOf(start) - threadOf(end) : a < b ? -1 : 1
  if (difference < 0) return
  const relation = difference === 0 ? 'equal to' : 'greater than'
  throw invalidArgument(
    `Invalid slot range: start slot ${describeSlot(start)} is ${relation} end slot ${describeSlot(end)}`,
  )
}

function describeSlot(slot: SlotMessage): string {
  return `(period: ${fromU64(slot.period)}, thread: ${threadOf(slot)})`
}

/** The node keeps eight bits of a thread. */
function threadOf(slot: SlotMessage): number {
  return (slot.thread ?? 0) & 0xff
}
