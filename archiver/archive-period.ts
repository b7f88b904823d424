import {
  type BlockIdText,
  type ChunkStore,
  type Clock,
  computeGenesisBlock,
  encodeBlockRecord,
  isArchiveError,
  type Period,
  type PeriodSummary,
  type Slot,
  type Spool,
  signGenesisBlock,
} from '../core/index.ts'
import type { Logger } from '../telemetry/index.ts'
import type { CpuWork } from './cpu-pool.ts'
import { encodePeriodExecutions } from './execution-results.ts'
import type { DecidedSlot } from './period-encoder.ts'
import type { SlotDecision } from './slot-ledger.ts'

const RETRY_MS = 2_000

export interface ReadyPeriod {
  readonly period: Period
  /** 32, in thread order. */
  readonly decisions: readonly SlotDecision[]
  readonly decidedAtMs: number
}

/**
 * The use case: a decided period becomes chunks on disk.
 *
 * Reads the blocks from the spool, encodes, writes in one synced batch. A store that cannot be written (disk full,
 * quota, I/O error) is tried again until it can, or until `signal` aborts: the spool keeps the blocks meanwhile.
 *
 * @returns undefined when it was aborted
 */
export async function archivePeriod(
  ready: ReadyPeriod,
  modules: {
    readonly store: ChunkStore
    readonly spool: Spool
    readonly cpu: CpuWork
    readonly clock: Clock
    readonly log: Logger
    readonly onStalled: (error: unknown) => void
  },
  signal: AbortSignal,
): Promise<PeriodSummary | undefined> {
  const { store, spool, cpu, clock, log } = modules
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      const archived = await cpu.encodePeriod({
        decided: {
          network: store.identity.network,
          period: ready.period,
          slots: await readSlots(ready, spool),
          executionResults: encodePeriodExecutions(await spool.readExecutions(ready.period)),
        },
        chunkSizeBytes: store.identity.chunkSizeBytes,
      })
      await store.writePeriod(archived)
      return archived.summary
    } catch (error) {
      if (isArchiveError(error) && error.kind === 'bug') throw error
      if (attempt === 0) log.error({ period: ready.period, err: error }, 'period not written')
      modules.onStalled(error)
      await clock.sleep(RETRY_MS, signal)
    }
  }
  return undefined
}

async function readSlots(ready: ReadyPeriod, spool: Spool): Promise<DecidedSlot[]> {
  return Promise.all(
    ready.decisions.map((decision, thread): DecidedSlot | Promise<DecidedSlot> => {
      if (decision.kind !== 'block') return { kind: decision.kind }
      return readBlock({ period: ready.period, thread }, decision.id, spool)
    }),
  )
}

async function readBlock(slot: Slot, id: BlockIdText, spool: Spool): Promise<DecidedSlot> {
  const block = await spool.readBlock(slot, id)
  if (block) return { kind: 'block', record: block.record, seals: block.seals, operationCount: block.operationCount }
  const genesis = computeGenesisBlock(slot)
  const record = encodeBlockRecord({
    publicKey: genesis.publicKey,
    headerContent: genesis.content,
    operationIds: [],
    operations: [],
  })
  return { kind: 'block', record, seals: signGenesisBlock(genesis, slot).subarray(1), operationCount: 0 }
}
