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
/** All 32 at once would be 10 MB in one turn of the event loop. */
const BLOCKS_AT_ONCE = 8
/** Of what is no passing fault of the store: a thread that died is replaced, damage and bugs come again. */
const MAX_TRIES = 3

export interface ReadyPeriod {
  readonly period: Period
  /** 32, in thread order. */
  readonly decisions: readonly SlotDecision[]
  /** By the monotonic clock. */
  readonly decidedAtMs: number
}

/**
 * The use case: a decided period becomes chunks on disk.
 *
 * Reads the blocks from the spool, encodes, writes in one synced batch. A store that cannot be written (disk full,
 * quota, I/O error) is tried again until it can, or until `signal` aborts: the spool keeps the blocks meanwhile.
 * Anything else, but for bugs that have a code, is tried three times. Whether it may be written is asked before each try
 * and, since encoding takes a while, again before the write.
 *
 * @returns undefined when it was aborted; `held` when it may not be written any more; `lost` when the spool no longer
 *   holds all bodies, which were named to `onLost`
 * @throws what is no transient error: damage, another period in its place, a bug
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
    readonly mayArchive: (period: Period) => boolean
    readonly onStalled: (error: unknown) => void
    /** The spool lost a body that was on disk: it has to be fetched again. */
    readonly onLost: (slot: Slot, id: BlockIdText) => void
  },
  signal: AbortSignal,
): Promise<PeriodSummary | 'held' | 'lost' | undefined> {
  const { store, spool, cpu, clock, log, mayArchive } = modules
  let triesLeft = MAX_TRIES
  for (let attempt = 0; !signal.aborted; attempt++) {
    if (!mayArchive(ready.period)) return 'held'
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
      if (!mayArchive(ready.period)) return 'held'
      await store.writePeriod(archived)
      return archived.summary
    } catch (error) {
      if (error instanceof LostBodies) return 'lost'
      const isTransient = isArchiveError(error) && error.kind === 'transient'
      if (!isTransient && (isBug(error) || --triesLeft === 0)) throw error
      if (attempt === 0) log.error({ period: ready.period, err: error }, 'period not written')
      modules.onStalled(error)
      await clock.sleep(RETRY_MS, signal)
    }
  }
  return undefined
}

function isBug(error: unknown): boolean {
  return isArchiveError(error) && error.kind === 'bug'
}

interface Bodies {
  readonly spool: Spool
  readonly onLost: (slot: Slot, id: BlockIdText) => void
}

/** The period waits, and others do not wait for it. */
class LostBodies extends Error {}

async function readSlots({ period, decisions }: ReadyPeriod, { spool, onLost }: Bodies): Promise<DecidedSlot[]> {
  const slots: (DecidedSlot | undefined)[] = []
  const readSlot = async (decision: SlotDecision, thread: number): Promise<DecidedSlot | undefined> => {
    if (decision.kind !== 'block') return { kind: decision.kind }
    const slot = { period, thread }
    const block = await readBlock(slot, decision.id, spool)
    if (!block) onLost(slot, decision.id)
    return block
  }
  for (let thread = 0; thread < decisions.length; thread += BLOCKS_AT_ONCE) {
    const some = decisions.slice(thread, thread + BLOCKS_AT_ONCE)
    slots.push(...(await Promise.all(some.map((decision, i) => readSlot(decision, thread + i)))))
  }
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
