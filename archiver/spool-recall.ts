import { formatSlot, type Spool } from '../core/index.ts'
import type { Logger } from '../telemetry/index.ts'
import type { ArchivedIndex } from './archived-index.ts'
import type { BlockIntake } from './block-intake.ts'
import type { ConflictMark } from './conflict-mark.ts'
import type { FinalChain } from './final-chain.ts'
import type { FinalityClaims } from './finality-claims.ts'
import { NODE_MEMORY_PERIODS, type OpenSlots } from './open-slots.ts'
import type { PendingExecutions } from './pending-executions.ts'
import { readPendingFinals } from './pending-finals.ts'
import { NO_NODE } from './quarantine.ts'
import { isStoreFailure } from './store-watch.ts'

export interface RecalledConflict {
  readonly conflictMark: ConflictMark
  readonly claims: FinalityClaims
  readonly open: OpenSlots
  readonly log: Logger
}

/** A conflict of nodes that stood when the process ended. @param isSingle - there is one node now */
export async function recallConflict(isSingle: boolean, modules: RecalledConflict): Promise<void> {
  const { conflictMark, claims, open, log } = modules
  // A single node is believed: whatever stood between several, the operator has decided.
  const kept = isSingle ? await conflictMark.readAny() : await conflictMark.read()
  if (!kept) return
  if (kept !== 'unread' && !open.isDone(kept.slot.period) && claims.recall(kept)) return
  const about = kept === 'unread' ? {} : { slot: formatSlot(kept.slot), nodes: [...kept.claims.keys()] }
  // The mark goes with the first sync.
  log.warn({ ...about, code: 'ARCHIVER_CONFLICT_DROPPED' }, 'conflict of nodes dropped')
}

export interface RecalledSpool {
  readonly spool: Spool
  readonly archived: ArchivedIndex
  readonly intake: BlockIntake
  readonly executions: PendingExecutions
  readonly chain: FinalChain
  readonly log: Logger
}

/** Blocks, marks of final ones and execution results that waited when the process ended. */
export async function recallSpool(modules: RecalledSpool): Promise<void> {
  const { spool, archived, intake, executions, chain, log } = modules
  const finals = await readPendingFinals({ spool, archived, log })
  await intake.load()
  const periods = new Set(finals.map(({ slot }) => slot.period))
  // Results come before bodies at times: then no block of their period is marked final yet.
  const last = Math.max(archived.lastPeriod ?? 0, ...periods)
  for (let period = last + 1; period <= last + NODE_MEMORY_PERIODS; period++) periods.add(period)
  await executions.load(periods)
  for (const { slot, id } of finals) chain.want(id, slot)
  try {
    await chain.accept(
      finals.map(({ id }) => id),
      NO_NODE,
    )
  } catch (error) {
    if (!isStoreFailure(error)) throw error
    // A full disk must not keep the archiver from starting: they are accepted with the first claims.
    log.error({ err: error }, 'spool not written')
  }
}
