import { attestExecutions, encodePeriod } from '../../archiver/index.ts'
import type { DecidedSlot } from '../../archiver/period-encoder.ts'
import {
  type ArchivedPeriod,
  computeGenesisBlock,
  encodeBlockRecord,
  type Period,
  type StoreIdentity,
  signGenesisBlock,
  THREAD_COUNT,
} from '../../core/index.ts'

/** The period that a chain, or the part of it behind a restart, begins with. It is computed, never fetched. */
export function makeGenesisPeriod(identity: StoreIdentity, period: Period): ArchivedPeriod {
  const slots = Array.from({ length: THREAD_COUNT }, (_, thread): DecidedSlot => {
    const block = computeGenesisBlock({ period, thread })
    const { publicKey, content: headerContent } = block
    const record = encodeBlockRecord({ publicKey, headerContent, operationIds: [], operations: [] })
    return { kind: 'block', record, seals: signGenesisBlock(block, { period, thread }).subarray(1), operationCount: 0 }
  })
  return make(identity, period, slots)
}

/** A period without any block. */
export function makeEmptyPeriod(identity: StoreIdentity, period: Period): ArchivedPeriod {
  return make(
    identity,
    period,
    Array.from({ length: THREAD_COUNT }, (): DecidedSlot => ({ kind: 'miss' })),
  )
}

function make({ network, chunkSizeBytes }: StoreIdentity, period: Period, slots: DecidedSlot[]): ArchivedPeriod {
  const executionResults = attestExecutions(new Map(), { network, period })
  return encodePeriod({ network, period, slots, executionResults }, chunkSizeBytes)
}
