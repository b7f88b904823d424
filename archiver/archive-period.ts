import {
  type BlockIdText,
  type ChunkStore,
  type Clock,
  computeGenesisBlock,
  encodeBlockRecord,
  formatBlockId,
  isArchiveError,
  type Period,
  type PeriodSummary,
  type Slot,
  type Spool,
  signGenesisBlock,
} from '../core/index.ts'
import type { Logger } from '../telemetry/index.ts'
import { attestExecutions } from './attestation.ts'
import type { CpuWork } from './cpu-pool.ts'
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
 * @returns undefined when it was aborted; `lost` when the spool no longer holds all bodies, which were named to `onLost`
 */
export async function archivePeriod(
  ready: ReadyPeriod,
  modules: {
    readonly store: ChunkStore
    readonly spool: Spool
    readonly cpu: CpuWork
    readonly clock: Clock
    readonly log: Logger
    /** 32-byte secret that signs execution results; absent: they stay unsigned. */
    readonly attesterSeed: Uint8Array | undefined
    readonly onStalled: (error: unknown) => void
    /** The spool lost a body that was on disk: it has to be fetched again. */
    readonly onLost: (slot: Slot, id: BlockIdText) => void
  },
  signal: AbortSignal,
): Promise<PeriodSummary | 'lost' | undefined> {
  const { store, spool, cpu, clock, log } = modules
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      const archived = await cpu.encodePeriod({
        decided: {
          network: store.identity.network,
          period: ready.period,
          slots: await readSlots(ready, modules),
          executionResults: attestExecutions(
            await spool.readExecutions(ready.period),
            { network: store.identity.network, period: ready.period },
            modules.attesterSeed,
          ),
        },
        chunkSizeBytes: store.identity.chunkSizeBytes,
      })
      await store.writePeriod(archived)
      return archived.summary
    } catch (error) {
      if (isArchiveError(error) && error.kind === 'bug') throw error
      if (error instanceof LostBodies) return 'lost'
      if (attempt === 0) log.error({ period: ready.period, err: error }, 'period not written')
      modules.onStalled(error)
      await clock.sleep(RETRY_MS, signal)
    }
  }
  return undefined
}

interface Bodies {
  readonly spool: Spool
  readonly onLost: (slot: Slot, id: BlockIdText) => void
}

/** The period waits, and others do not wait for it. */
class LostBodies extends Error {}

async function readSlots(ready: ReadyPeriod, { spool, onLost }: Bodies): Promise<DecidedSlot[]> {
  const slots = await Promise.all(
    ready.decisions.map(async (decision, thread): Promise<DecidedSlot | undefined> => {
      if (decision.kind !== 'block') return { kind: decision.kind }
      const slot = { period: ready.period, thread }
      const block = await readBlock(slot, decision.id, spool)
      if (!block) onLost(slot, decision.id)
      return block
    }),
  )
  const held = slots.filter((slot) => slot !== undefined)
  if (held.length < slots.length) throw new LostBodies()
  return held
}

async function readBlock(slot: Slot, id: BlockIdText, spool: Spool): Promise<DecidedSlot | undefined> {
  const block = await spool.readBlock(slot, id)
  if (block) return { kind: 'block', record: block.record, seals: block.seals, operationCount: block.operationCount }
  const genesis = computeGenesisBlock(slot)
  if (formatBlockId(genesis.id) !== id) return undefined
  const record = encodeBlockRecord({
    publicKey: genesis.publicKey,
    headerContent: genesis.content,
    operationIds: [],
    operations: [],
  })
  return { kind: 'block', record, seals: signGenesisBlock(genesis, slot).subarray(1), operationCount: 0 }
}
