import type { IncomingHttpHeaders } from 'node:http'
import { ArchiveError, type Slot } from '../../core/index.ts'
import type {
  HistoryAnswer,
  ListRequest,
  RangeAnswer,
  RangeRequest,
  SlotListOptions,
} from '../../storage-worker/index.ts'
import { isOwner } from '../caller.ts'
import type { CallGate } from '../json-rpc/call-gate.ts'

/** What the archive answers about history; undefined: it has nothing of the kind. */
export interface HistoryGateway {
  /** Another number whenever a period came or went. */
  version(): number
  /** Which periods there are, and the latest of them. */
  archive(): Promise<HistoryAnswer | undefined>
  block(id: string, hasProof: boolean): Promise<HistoryAnswer | undefined>
  operation(id: string, hasProof: boolean): Promise<HistoryAnswer | undefined>
  endorsement(id: string, hasProof: boolean): Promise<HistoryAnswer | undefined>
  slot(slot: Slot, hasProof: boolean): Promise<HistoryAnswer | undefined>
  period(period: number, hasProof: boolean): Promise<HistoryAnswer | undefined>
  operationsOf(address: string, request: ListRequest): Promise<HistoryAnswer>
  blocksOf(address: string, request: SlotListOptions): Promise<HistoryAnswer>
  endorsementsOf(address: string, request: SlotListOptions): Promise<HistoryAnswer>
  eventsOf(address: string, request: SlotListOptions, hasProof: boolean): Promise<HistoryAnswer>
  range(request: RangeRequest): Promise<RangeAnswer | undefined>
  /** @param chunkId - 32 bytes */
  chunk(chunkId: Uint8Array): Promise<Uint8Array | undefined>
  /** The same answers, with what only others hold, for whoever runs this sidecar; absent: nobody gets more than from this. */
  readonly fetching?: HistoryGateway | undefined
}

/** Routes that prove what they answer. */
export interface ProvingModules {
  readonly history: HistoryGateway | undefined
  /** How many proofs are made at a time. */
  readonly proofs: CallGate
}

/** @throws ArchiveError API_HISTORY_OFF */
export function needHistory(history: HistoryGateway | undefined): HistoryGateway {
  if (history) return history
  throw historyOff()
}

export function historyOff(): ArchiveError {
  return new ArchiveError(
    'API_HISTORY_OFF',
    'this sidecar keeps no index of ids and addresses: history.enabled is false',
  )
}

/**
 * Who answers a request: with `fetch=true` also what only others hold may be asked for, by whoever names the data directory.
 *
 * @throws ArchiveError API_HISTORY_OFF, API_FETCH_OFF
 */
export function pickHistory(
  history: HistoryGateway | undefined,
  { headers, query }: { readonly headers: IncomingHttpHeaders; readonly query: { readonly fetch: 'true' | 'false' } },
): HistoryGateway {
  const held = needHistory(history)
  if (query.fetch === 'false' || !held.fetching) return held
  if (isOwner(headers)) return held.fetching
  throw new ArchiveError(
    'API_FETCH_OFF',
    'this archive answers from what it holds: api.fetch is false, and the request does not come from who runs it',
  )
}
