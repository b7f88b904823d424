import { ArchiveError, type Slot } from '../../core/index.ts'
import type { HistoryAnswer, ListRequest, RangeAnswer, RangeRequest } from '../../storage-worker/index.ts'

/** What the archive answers about history; undefined: it has nothing of the kind. */
export interface HistoryGateway {
  /** Another number whenever a period came or went. */
  version(): number
  block(id: string, hasProof: boolean): Promise<HistoryAnswer | undefined>
  operation(id: string, hasProof: boolean): Promise<HistoryAnswer | undefined>
  endorsement(id: string, hasProof: boolean): Promise<HistoryAnswer | undefined>
  slot(slot: Slot, hasProof: boolean): Promise<HistoryAnswer | undefined>
  period(period: number, hasProof: boolean): Promise<HistoryAnswer | undefined>
  operationsOf(address: string, request: ListRequest): Promise<HistoryAnswer>
  range(request: RangeRequest): Promise<RangeAnswer | undefined>
  /** @param chunkId - 32 bytes */
  chunk(chunkId: Uint8Array): Promise<Uint8Array | undefined>
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
