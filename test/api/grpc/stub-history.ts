import type { History } from '../../../api/json-rpc/archive-context.ts'
import type { SlotExecution } from '../../../archiver/index.ts'

export const NETWORK = { chainId: 77n, genesisTimestampMs: 1_795_246_964_000n }

/** Nothing was executed. */
export const QUIET: SlotExecution = { source: 'stream', complete: true, trailHash: 'T', outcomes: [], events: [] }

/** An archive of these periods in which every slot is missed, but for what a test puts there. */
export function makeHistory(range: { first: number; last: number }, own: Partial<History> = {}): History {
  return {
    readRange: async () => range,
    findBlock: async () => undefined,
    findSlot: async () => ({ kind: 'miss' }),
    findOperation: async () => undefined,
    findEndorsement: async () => undefined,
    readExecution: async () => QUIET,
    readExecutions: async () => [],
    ...own,
  }
}
