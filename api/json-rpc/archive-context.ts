import { ArchiveError, type Network, type Period, THREAD_COUNT } from '../../core/index.ts'
import type { HistoryBlock, HistoryReader } from '../../storage-worker/index.ts'
import { badRequest, type RpcMethod } from '../../telemetry/json-rpc/index.ts'
import type { NodePort } from './node-proxy.ts'
import type { RecentHistory } from './recent-counts.ts'

/** What is asked for history. What is not archived is `undefined`. */
export type History = Pick<
  HistoryReader,
  'readRange' | 'findBlock' | 'findSlot' | 'findOperation' | 'findEndorsement' | 'readExecution' | 'readExecutions'
>

/** Who answers. */
export interface ArchiveIdentity {
  readonly network: Network
  /** What stands where a node says its release. */
  readonly version: string
  /** Text of a node id. */
  readonly nodeId: string
}

export interface ArchiveContext {
  readonly history: History
  readonly recent: RecentHistory
  readonly identity: ArchiveIdentity
  readonly nowMs: () => number
  /** Absent: what is not archived is not asked of anybody. */
  readonly node?: NodePort | undefined
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal
}

export type ArchiveMethod = RpcMethod<ArchiveContext>

/** Slots, the end itself no more. */
export interface SlotRange {
  readonly from: number
  readonly to: number
}

/**
 * The archived periods that a range of slots touches.
 *
 * @param most - so many are read for one answer
 * @param open - the end that was not asked for: of more periods those at the other one
 * @returns ascending; empty when none is archived
 * @throws JsonRpcError when there are more
 */
export async function listPeriods(
  { history }: ArchiveContext,
  range: SlotRange,
  { most, open }: { readonly most: number; readonly open?: 'from' | 'to' | undefined },
): Promise<Period[]> {
  const archived = await history.readRange()
  if (!archived || range.from >= range.to) return []
  const first = Math.max(archived.first, Math.floor(range.from / THREAD_COUNT))
  const last = Math.min(archived.last, Math.ceil(range.to / THREAD_COUNT) - 1)
  const count = Math.max(0, last - first + 1)
  if (count > most && open === undefined) {
    throw badRequest(
      `the range holds ${count} archived periods, of which an answer takes at most ${most}: ask in parts`,
    )
  }
  const kept = Math.min(count, most)
  const begin = open === 'from' ? last + 1 - kept : first
  return Array.from({ length: kept }, (_, i) => begin + i)
}

/** The blocks of a period, in thread order; none of one that was not archived. @throws ArchiveError STORE_CHUNK_AWAY */
export async function* readBlocks(history: History, period: Period): AsyncGenerator<HistoryBlock> {
  for (let thread = 0; thread < THREAD_COUNT; thread++) {
    const slot = await history.findSlot({ period, thread })
    if (!slot && thread === 0 && !(await isBelow(history, period))) return
    if (!slot) throw new ArchiveError('STORE_CHUNK_AWAY', `period ${period} was deleted while it was read`, { period })
    if (slot.kind === 'block') yield slot.block
  }
}

async function isBelow(history: History, period: Period): Promise<boolean> {
  const range = await history.readRange()
  return range !== undefined && period < range.first
}

/** The first period behind the archived ones: from it on the node is asked. */
export async function findNextPeriod({ history }: Pick<ArchiveContext, 'history'>): Promise<Period> {
  const range = await history.readRange()
  return range ? range.last + 1 : 0
}
