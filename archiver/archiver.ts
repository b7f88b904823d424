import {
  ArchiveError,
  type BlockIdText,
  type ChunkStore,
  type Clock,
  type ErrorCode,
  formatSlot,
  type Period,
  type PeriodSummary,
  type Slot,
  type Spool,
  slotIndex,
  slotOfIndex,
  THREAD_COUNT,
} from '../core/index.ts'
import type { Logger } from '../telemetry/index.ts'
import { Agreement, type Conflict } from './agreement.ts'
import { archivePeriod, type ReadyPeriod } from './archive-period.ts'
import { ArchivedIndex } from './archived-index.ts'
import { BlockIntake } from './block-intake.ts'
import type { CpuWork } from './cpu-pool.ts'
import { encodeExecution, type SlotExecution } from './execution-results.ts'
import type { Feed, FinalityClaim, IntakeResult } from './feed.ts'
import type { NodeStatus } from './node-client.ts'
import { readOperationIds } from './read-operation-ids.ts'
import { type ChainRestart, type FinalBlock, type Gap, SlotLedger } from './slot-ledger.ts'

/** A node holds final blocks of six periods by default; a new archive begins with what it still shows. */
const NODE_MEMORY_PERIODS = 8
/** Decided slots that are looked at again, so that a node that changes its mind is noticed. */
const OVERLAP_PERIODS = 1
/** How long blocks that lost stay in the spool (docs/ARCHITECTURE.md). */
const LOSER_PERIODS = 64
const FORGET_PERIODS = 8
const SPOOL_SYNC_MS = 1_000
/** Where a block comes from that no node gives, but the disk. */
const NO_NODE = -1

/** What the archiver tells whoever runs it. */
export interface ArchiverEvents {
  readonly onArchived?: (summary: PeriodSummary, decidedToArchivedMs: number) => void
  readonly onRefused?: (code: ErrorCode) => void
}

export interface ArchiverStatus {
  readonly spooledBlocks: number
  readonly quarantinedBlocks: number
  readonly gaps: readonly Gap[]
  readonly conflict: Conflict | undefined
  /** Why nothing more is archived, if so. */
  readonly halted: { readonly code: ErrorCode; readonly message: string } | undefined
  /** Why the store cannot be written at the moment, if so. */
  readonly stalled: string | undefined
  readonly nodeFinalSlot: Slot | undefined
}

/**
 * From what nodes show to periods on disk: spool first, then finality, then links, then chunks.
 *
 * It is the Feed that followers of nodes bring their finds to. Deterministic: the same blocks in any order, from any
 * source, give the same periods.
 */
export class Archiver implements Feed {
  private readonly store: ChunkStore
  private readonly spool: Spool
  private readonly cpu: CpuWork
  private readonly clock: Clock
  private readonly log: Logger
  private readonly events: ArchiverEvents

  private readonly agreement: Agreement
  private readonly ledger: SlotLedger
  private readonly intake: BlockIntake
  private readonly archived: ArchivedIndex
  private readonly stopping = new AbortController()

  /** Ids that are final although their body is not spooled yet. */
  private readonly wanted = new Map<BlockIdText, Slot | undefined>()
  private readonly quarantined = new Set<BlockIdText>()
  private readonly executed = new Set<number>()
  /** Final blocks whose execution results nobody brought yet, by slot index. */
  private readonly unexecuted = new Map<number, BlockIdText>()
  private readonly ready = new Map<Period, ReadyPeriod>()
  private readonly loops: Promise<void>[] = []
  private wakeWriter = new AbortController()
  private conflict: Conflict | undefined
  private halted: ArchiveError | undefined
  private stalled: string | undefined
  private nodeFinalSlot: Slot | undefined

  constructor(
    options: { readonly nodeCount: number; readonly restarts: readonly ChainRestart[] },
    modules: {
      readonly store: ChunkStore
      readonly spool: Spool
      readonly cpu: CpuWork
      readonly clock: Clock
      readonly log: Logger
      readonly events?: ArchiverEvents
    },
  ) {
    this.store = modules.store
    this.spool = modules.spool
    this.cpu = modules.cpu
    this.clock = modules.clock
    this.log = modules.log
    this.events = modules.events ?? {}
    this.agreement = new Agreement(options.nodeCount)
    this.ledger = new SlotLedger(options.restarts)
    this.archived = new ArchivedIndex(modules.store, modules.spool)
    this.intake = new BlockIntake(
      { chainId: modules.store.identity.network.chainId },
      {
        spool: modules.spool,
        cpu: modules.cpu,
        log: modules.log,
        isWanted: (id) => this.wanted.has(id),
        onSpooled: (block) => this.onSpooled(block.id),
        onRefused: (code) => this.events.onRefused?.(code),
      },
    )
  }

  /** Takes up where the store and the spool were left; then `Feed` calls may begin. */
  async start(): Promise<void> {
    for (const block of await this.archived.load()) this.ledger.add(block)
    for await (const block of this.spool.listBlocks()) this.intake.remember(block)
    for await (const { slot, id } of this.spool.listFinals()) {
      if (this.archived.has(slot.period)) continue
      this.wanted.set(id, slot)
      await this.acceptFinal(id)
    }
    await this.retryQuarantined()
    this.loops.push(this.writeLoop(), this.syncLoop())
  }

  /** Finishes the period in hand and leaves everything on disk. */
  async stop(): Promise<void> {
    this.stopping.abort()
    this.wakeWriter.abort()
    await Promise.all(this.loops)
    await this.spool.sync()
  }

  status(): ArchiverStatus {
    return {
      spooledBlocks: this.intake.sizeBlocks,
      quarantinedBlocks: this.quarantined.size,
      gaps: this.ledger.listGaps(),
      conflict: this.conflict,
      halted: this.halted ? { code: this.halted.code, message: this.halted.message } : undefined,
      stalled: this.stalled,
      nodeFinalSlot: this.nodeFinalSlot,
    }
  }

  onStatus(node: number, status: NodeStatus): void {
    const { network } = this.store.identity
    const same =
      status.network.chainId === network.chainId && status.network.genesisTimestampMs === network.genesisTimestampMs
    if (!same || status.threadCount !== THREAD_COUNT) {
      throw new ArchiveError(
        'ARCHIVER_NETWORK_MISMATCH',
        `the node is on chain ${status.network.chainId} with genesis ${status.network.genesisTimestampMs} and ` +
          `${status.threadCount} threads, this archive on chain ${network.chainId} with genesis ${network.genesisTimestampMs}`,
        { node },
      )
    }
    this.agreement.setUp(node, true)
    this.agreement.setCursor(node, status.lastFinalSlot)
    if (!this.nodeFinalSlot || slotIndex(status.lastFinalSlot) > slotIndex(this.nodeFinalSlot)) {
      this.nodeFinalSlot = status.lastFinalSlot
    }
  }

  onNodeDown(node: number): void {
    this.agreement.setUp(node, false)
  }

  onNodeRestart(node: number): void {
    this.agreement.forgetNode(node)
  }

  takeBlock(node: number, filledBlock: Uint8Array, expectedId?: BlockIdText): Promise<IntakeResult> {
    return this.intake.take(node, filledBlock, expectedId)
  }

  async onClaims(node: number, claims: readonly FinalityClaim[], answeredUpTo: Slot | undefined): Promise<void> {
    for (const { slot, id } of claims) {
      const archivedId = this.archived.idAt(slot)
      if (archivedId !== undefined) {
        if (archivedId !== id) this.onReplaced(node, slot, id, archivedId)
      } else if (!this.archived.has(slot.period)) this.agreement.claim(node, slot, id)
    }
    if (answeredUpTo) this.agreement.setAnswered(node, answeredUpTo)
    for (const { slot, id } of this.agreement.takeAgreed()) {
      if (this.wanted.has(id) || this.ledger.has(id)) continue
      this.wanted.set(id, slot)
      await this.acceptFinal(id)
    }
    this.checkConflict()
    await this.quarantineWanted()
  }

  async onExecution(slot: Slot, execution: SlotExecution): Promise<void> {
    const index = slotIndex(slot)
    this.unexecuted.delete(index)
    if (this.executed.has(index) || this.archived.has(slot.period)) return
    this.executed.add(index)
    await this.spool.putExecution(slot, encodeExecution(execution))
  }

  isKnown(id: BlockIdText): boolean {
    return this.intake.isHandled(id) || this.ledger.has(id) || this.archived.hasId(id)
  }

  isWorthAsking(node: number, id: BlockIdText): boolean {
    return !this.isKnown(id) && !this.intake.wasRefusedFrom(node, id)
  }

  slotOf(id: BlockIdText): Slot | undefined {
    return this.intake.find(id)?.slot ?? this.archived.slotOf(id)
  }

  searchFrom(lastFinalSlot: Slot): Slot {
    const open = this.ledger.firstOpenSlot()
    // What is open at the head is asked for from its start: a node with a long memory may hold more than the default.
    if (open) return { period: Math.max(1, open.period - OVERLAP_PERIODS), thread: 0 }
    return { period: Math.max(1, lastFinalSlot.period - NODE_MEMORY_PERIODS), thread: 0 }
  }

  listWanted(): BlockIdText[] {
    const missing = this.ledger.listMissing().map(({ id }) => id)
    return [...new Set([...this.wanted.keys(), ...missing])].filter((id) => !this.isKnown(id))
  }

  async listUnexecuted(upTo: Slot): Promise<{ slot: Slot; operationIds: string[] }[]> {
    const slots: { slot: Slot; operationIds: string[] }[] = []
    for (const [index, id] of [...this.unexecuted].sort(([a], [b]) => a - b)) {
      const slot = slotOfIndex(index)
      const block = index <= slotIndex(upTo) ? await this.spool.readBlock(slot, id) : undefined
      if (block) slots.push({ slot, operationIds: readOperationIds(block.record) })
    }
    return slots
  }

  private async onSpooled(id: BlockIdText): Promise<void> {
    if (this.quarantined.delete(id)) await this.spool.deleteQuarantined([id])
    const implied = this.ledger.listMissing().some((missing) => missing.id === id)
    if (implied) this.wanted.set(id, undefined)
    if (this.wanted.has(id)) await this.acceptFinal(id)
  }

  /** A final block whose body is spooled joins the ledger, and with it every spooled ancestor: those are final too. */
  private async acceptFinal(id: BlockIdText): Promise<void> {
    const queue = [id]
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      const block = this.intake.find(next)
      if (!block || this.ledger.has(next) || this.halted) continue
      const named = this.wanted.get(next)
      if (named && slotIndex(named) !== slotIndex(block.slot)) {
        this.log.error({ blockId: next, slot: formatSlot(named), code: 'ARCHIVER_BLOCK_ID_MISMATCH' }, 'block refused')
        this.events.onRefused?.('ARCHIVER_BLOCK_ID_MISMATCH')
        this.wanted.delete(next)
        continue
      }
      await this.joinLedger(block)
      queue.push(...block.parents.filter((parent) => this.intake.find(parent) && !this.ledger.has(parent)))
    }
  }

  private async joinLedger(block: FinalBlock): Promise<void> {
    const result = this.ledger.add(block)
    this.wanted.delete(block.id)
    if (result.kind === 'broken') {
      this.log.error(
        { blockId: block.id, slot: formatSlot(block.slot), other: result.other, code: 'ARCHIVER_PARENT_LINK_BROKEN' },
        'block refused',
      )
      this.events.onRefused?.('ARCHIVER_PARENT_LINK_BROKEN')
    }
    if (result.kind === 'restarted') {
      this.halt(
        new ArchiveError(
          'ARCHIVER_CHAIN_RESTARTED',
          `block ${block.id} at ${formatSlot(block.slot)} descends from a restart of the chain at period ${result.restartPeriod}`,
          { restartPeriod: result.restartPeriod },
        ),
      )
    }
    if (result.kind !== 'added') return
    const index = slotIndex(block.slot)
    if (!this.executed.has(index)) this.unexecuted.set(index, block.id)
    await this.spool.putFinal(block.slot, block.id)
    this.collectReady(result.touched)
  }

  private collectReady(touched: { readonly from: Period; readonly to: Period }): void {
    for (let period = touched.from; period <= touched.to; period++) {
      if (this.ready.has(period) || this.archived.has(period)) continue
      const decisions = this.ledger.decidePeriod(period)
      if (!decisions) continue
      this.ready.set(period, { period, decisions, decidedAtMs: this.clock.nowMs() })
      this.wakeWriter.abort()
    }
  }

  private async writeLoop(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      const next = [...this.ready.keys()].sort((a, b) => a - b)[0]
      const ready = next === undefined ? undefined : this.ready.get(next)
      if (!ready) {
        this.wakeWriter = new AbortController()
        if (this.ready.size === 0) await this.clock.sleep(60_000, this.wakeWriter.signal)
        continue
      }
      const { store, spool, cpu, clock, log } = this
      const onStalled = (error: unknown): void => {
        this.stalled = error instanceof Error ? error.message : String(error)
      }
      const summary = await archivePeriod(ready, { store, spool, cpu, clock, log, onStalled }, this.stopping.signal)
      if (!summary) return
      this.stalled = undefined
      await this.onArchived(ready, summary)
    }
  }

  private async onArchived(ready: ReadyPeriod, summary: PeriodSummary): Promise<void> {
    const { period, blocks, operations, chunks } = summary
    const elapsedMs = this.clock.nowMs() - ready.decidedAtMs
    this.log.info({ period, blocks, operations, chunks, durationMs: elapsedMs }, 'archived period')
    const stored = ready.decisions.flatMap((decision, thread) =>
      decision.kind === 'block' ? [{ slot: { period, thread }, id: decision.id }] : [],
    )
    await this.archived.add(period, stored)
    this.ready.delete(period)
    await this.spool.deleteBlocks(stored)
    await this.spool.deleteFinals(stored.map(({ slot }) => slot))
    await this.spool.deleteExecutions(period)
    this.intake.forget(stored)
    await this.forgetOld(period)
    this.events.onArchived?.(summary, elapsedMs)
  }

  private async forgetOld(period: Period): Promise<void> {
    for (let thread = 0; thread < THREAD_COUNT; thread++) {
      this.executed.delete(slotIndex({ period, thread }))
      this.unexecuted.delete(slotIndex({ period, thread }))
    }
    this.ledger.forgetBefore(period - FORGET_PERIODS)
    this.agreement.forgetBefore({ period: period - FORGET_PERIODS, thread: 0 })
    const losers = this.intake.listBefore(period - LOSER_PERIODS).filter((block) => !this.ledger.has(block.id))
    if (losers.length === 0) return
    await this.spool.deleteBlocks(losers)
    this.intake.forget(losers)
  }

  private async syncLoop(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      await this.clock.sleep(SPOOL_SYNC_MS, this.stopping.signal)
      try {
        await this.spool.sync()
      } catch (error) {
        this.log.error({ err: error }, 'spool not synced')
      }
    }
  }

  private checkConflict(): void {
    const conflict = this.agreement.firstConflict()
    const changed = conflict
      ? !this.conflict || slotIndex(conflict.slot) !== slotIndex(this.conflict.slot)
      : this.conflict
    this.conflict = conflict
    if (conflict && changed) {
      const claims = [...conflict.claims].map(([node, id]) => `node ${node}: ${id}`).join(', ')
      this.log.error({ slot: formatSlot(conflict.slot), claims, code: 'ARCHIVER_NODE_CONFLICT' }, 'nodes disagree')
    } else if (changed) this.log.info({}, 'nodes agree again')
  }

  private onReplaced(node: number, slot: Slot, id: string, archivedId: string): void {
    const text = `node ${node} names ${id} at ${formatSlot(slot)}, where ${archivedId} is archived`
    this.halt(new ArchiveError('ARCHIVER_CHAIN_REPLACED', text, { node, id, archivedId }))
  }

  /** Nothing more is archived; the head is followed into the spool all the same. */
  private halt(error: ArchiveError): void {
    if (this.halted) return
    this.halted = error
    this.log.error({ err: error, code: error.code }, 'archiving halted')
  }

  /** Refused and yet called final: kept raw for a release that understands it. */
  private async quarantineWanted(): Promise<void> {
    for (const id of this.wanted.keys()) {
      const refused = this.intake.findRefused(id)
      if (!refused || this.quarantined.has(id)) continue
      await this.spool.putQuarantined(refused)
      this.quarantined.add(id)
      this.log.error({ blockId: id, code: refused.code }, 'final block quarantined')
    }
  }

  private async retryQuarantined(): Promise<void> {
    const healed: BlockIdText[] = []
    for await (const block of this.spool.listQuarantined()) {
      this.wanted.set(block.id, undefined)
      const result = await this.intake.take(NO_NODE, block.raw, block.id)
      if (result === 'refused') this.quarantined.add(block.id)
      else healed.push(block.id)
      this.log.info({ blockId: block.id, result }, 'quarantined block tried again')
    }
    await this.spool.deleteQuarantined(healed)
  }
}
