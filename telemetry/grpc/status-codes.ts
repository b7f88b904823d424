/* Enumerations of the public API (facts: massa-node 1.2, 1.3). */

/** 0 for what nothing is known of. */
export const BLOCK_STATUS = { blockclique: 1, final: 2, alternateClique: 3, discarded: 4 } as const
/** ExecutionQueryExecutionStatus: done, failed, or nothing known. */
export const EXECUTION_QUERY_STATUS = { success: 1, failure: 2, unknown: 3 } as const
/** Nodes never say CANDIDATE, 3, themselves: it is what filters say. */
export const EVENT_STATUS = { unspecified: 0, final: 1, readOnly: 2, candidate: 3 } as const
export const OUTPUT_STATUS = { candidate: 1, final: 2 } as const
export const OPERATION_STATUS = { success: 1, failed: 2 } as const
export const LEDGER_CHANGE = { set: 1, update: 2 } as const
