import {
  ArchiveError,
  type BlockIdText,
  type ChunkStore,
  type Clock,
  type ErrorCode,
  formatSlot,
  type Period,
  type PeriodSummary,
  parseBlockId,
  SLOT_MS,
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
import { GapWatch } from './gap-watch.ts'
import type { NodeStatus } from './node-client.ts'
import { readOperationIds } from './read-operation-ids.ts'
import { type AddResult, type ChainRestart, type FinalBlock, type Gap, SlotLedger } from './slot-ledger.ts'

/** A node holds final blocks of six periods by default; a new archive begins with what it still shows. */
const NODE_MEMORY_PERIODS = 8
/** Decided slots that are looked at again, so that a node that changes its mind is noticed. */
const OVERLAP_PERIODS = 1
/** How long blocks that lost stay in the spool (docs/ARCHITECTURE.md). */
const LOSER_PERIODS = 64
const FORGET_PERIODS = 8
const SPOOL_SYNC_MS = 1_000
/** How far from the slots that are due a node may name final blocks. */
const NEAR_PERIODS = 64
/** How far the clocks of nodes and of this machine may differ: a minute. */
const MAX_CLOCK_SKEW_SLOTS = 120
const MAX_BROKEN_REMEMBERED = 10_000
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

  private readonly nodeCount: number
  private readonly agreement: Agreement
  private readonly ledger: SlotLedger
  private readonly gapWatch: GapWatch
  private readonly intake: BlockIntake
  private readonly archived: ArchivedIndex
  private readonly stopping = new AbortController()

  /** Ids that are final although their body is not spooled yet. */
  private readonly wanted = new Map<BlockIdText, Slot | undefined>()
  private readonly quarantined = new Set<BlockIdText>()
  /** Of this run and what was there at its start. */
  private quarantinedBytes = 0
  private readonly maxQuarantineBytes: number
  private readonly attesterSeed: Uint8Array | undefined
  /** Blocks that contradict the ledger, so that each is said once. */
  private readonly broken = new Set<BlockIdText>()
  /** In the ledger, but their bodies are gone from the spool. */
  private readonly lost = new Set<BlockIdText>()
  /** Nodes that name another chain than the archived one, when the others outvote them. */
  private readonly dissenters = new Set<number>()
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
    options: {
      readonly nodeCount: number
      readonly restarts: readonly ChainRestart[]
      /** Raw final blocks that cannot be read are kept up to here; default no bound. */
      readonly maxQuarantineBytes?: number
      /** 32-byte secret that signs execution results; absent: they stay unsigned. */
      readonly attesterSeed?: Uint8Array
    },
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
    this.nodeCount = options.nodeCount
    this.attesterSeed = options.attesterSeed
    this.maxQuarantineBytes = options.maxQuarantineBytes ?? Number.POSITIVE_INFINITY
    this.agreement = new Agreement(options.nodeCount)
    this.ledger = new SlotLedger(options.restarts)
    this.gapWatch = new GapWatch(modules.log)
    this.archived = new ArchivedIndex(modules.store, modules.spool)
    this.intake = new BlockIntake(
      { chainId: modules.store.identity.network.chainId },
      {
        spool: modules.spool,
        cpu: modules.cpu,
        log: modules.log,
        isWanted: (id) => this.wanted.has(id) || this.ledger.has(id) || this.ledger.isMissing(id),
        isArchived: (period) => this.archived.has(period),
        onSpooled: (block) => this.onSpooled(block.id),
        onRefused: (code) => this.events.onRefused?.(code),
      },
    )
  }

  /** Takes up where the store and the spool were left; then `Feed` calls may begin. */
  async start(): Promise<void> {
    for (const { block, linked } of await this.archived.load()) this.ledger.addArchived(block, linked)
    await this.loadSpool()
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
      gaps: this.listGaps(),
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
    const nowIndex = Math.floor((this.clock.nowMs() - Number(network.genesisTimestampMs)) / SLOT_MS)
    if (slotIndex(status.lastFinalSlot) > nowIndex + MAX_CLOCK_SKEW_SLOTS) {
      throw new ArchiveError(
        'ARCHIVER_NODE_REFUSED',
        `the node calls slot ${formatSlot(status.lastFinalSlot)} final, which is not due yet by the clock of this machine`,
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

  async onClaims(node: number, claims: readonly FinalityClaim[], unplaced: readonly BlockIdText[] = []): Promise<void> {
    for (const claim of this.dropContradictions(node, claims)) this.takeClaim(node, claim)
    // Before anything is accepted: what is ready must not be archived past it meanwhile.
    this.checkConflict()
    for (const { slot, id, instead } of this.agreement.takeAgreed()) {
      if (instead !== undefined) this.wanted.delete(instead)
      if (this.wanted.has(id) || this.ledger.has(id)) continue
      this.wanted.set(id, slot)
    }
    await this.acceptSpooled()
    await this.quarantine(unplaced)
  }

  async onExecution(slot: Slot, execution: SlotExecution): Promise<void> {
    const index = slotIndex(slot)
    if (!this.executed.has(index) && !this.archived.has(slot.period) && this.isNear(slot)) {
      await this.spool.putExecution(slot, encodeExecution(execution))
      this.executed.add(index)
    }
    this.unexecuted.delete(index)
  }

  isKnown(id: BlockIdText): boolean {
    if (this.intake.isHandled(id) || this.archived.hasId(id)) return true
    return this.ledger.has(id) && !this.lost.has(id)
  }

  isWorthAsking(node: number, id: BlockIdText): boolean {
    return !this.isKnown(id) && this.intake.isDueFrom(node, id)
  }

  slotOf(id: BlockIdText): Slot | undefined {
    return this.intake.slotOf(id) ?? this.archived.slotOf(id)
  }

  searchFrom(lastFinalSlot: Slot): Slot {
    const open = this.ledger.firstOpenSlot()
    // What is open at the head is asked for from its start: a node with a long memory may hold more than the default.
    if (open) {
      const archived = this.archived.lastPeriod ?? open.period
      return { period: Math.max(1, Math.min(open.period - OVERLAP_PERIODS, archived)), thread: 0 }
    }
    return { period: Math.max(1, lastFinalSlot.period - NODE_MEMORY_PERIODS), thread: 0 }
  }

  listWanted(): BlockIdText[] {
    const missing = this.ledger.listMissing().map(({ id }) => id)
    return [...new Set([...this.lost, ...this.wanted.keys(), ...missing])].filter((id) => !this.isKnown(id))
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

  private listLost(): Gap[] {
    return [...this.lost].flatMap((missing) => {
      const slot = this.ledger.slotOf(missing)
      return slot ? [{ thread: slot.thread, firstPeriod: slot.period, lastPeriod: slot.period, missing }] : []
    })
  }

  private async loadSpool(): Promise<void> {
    const stale: { slot: Slot; id: BlockIdText }[] = []
    const finals: { slot: Slot; id: BlockIdText }[] = []
    for await (const { slot, id } of this.spool.listFinals()) {
      const isStale = this.archived.has(slot.period) || this.archived.isBefore(slot.period)
      if (isStale) stale.push({ slot, id })
      else finals.push({ slot, id })
    }
    try {
      // What a stop between archiving a period and clearing it left behind.
      await this.spool.deleteBlocks(stale)
      await this.spool.deleteFinals(stale.map(({ slot }) => slot))
      for (const { slot } of stale) await this.spool.deleteExecutions(slot.period, slot.period)
    } catch (error) {
      this.log.error({ err: error }, 'spool not cleared')
    }
    for await (const block of this.spool.listBlocks()) this.intake.remember(block)
    for (const period of new Set(finals.map(({ slot }) => slot.period))) {
      for (const thread of (await this.spool.readExecutions(period)).keys())
        this.executed.add(slotIndex({ period, thread }))
    }
    for (const { slot, id } of finals) this.wanted.set(id, slot)
    try {
      for (const { id } of finals) await this.acceptFinal(id)
    } catch (error) {
      // A full disk must not keep the archiver from starting: they are accepted with the first claims.
      this.log.error({ err: error }, 'spool not written')
    }
  }

  private async onSpooled(id: BlockIdText): Promise<void> {
    const slot = this.lost.delete(id) ? this.intake.find(id)?.slot : undefined
    if (slot) this.collectReady({ from: slot.period, to: slot.period })
    if (this.quarantined.delete(id)) await this.spool.deleteQuarantined([id])
    if (this.ledger.isMissing(id)) this.wanted.set(id, undefined)
    if (this.wanted.has(id)) await this.acceptFinal(id)
  }

  /** A final block whose body is spooled joins the ledger, and with it every spooled ancestor: those are final too. */
  private async acceptFinal(id: BlockIdText): Promise<void> {
    const queue = [id]
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      const block = this.intake.find(next)
      if (!block || this.ledger.has(next) || this.halted) continue
      const named = this.wanted.get(next)
      const isMisplaced = named !== undefined && slotIndex(named) !== slotIndex(block.slot)
      if (isMisplaced && !this.agreement.isAgreed(block.slot, next)) {
        this.log.error({ blockId: next, slot: formatSlot(named), code: 'ARCHIVER_BLOCK_ID_MISMATCH' }, 'block refused')
        this.events.onRefused?.('ARCHIVER_BLOCK_ID_MISMATCH')
        this.wanted.delete(next)
        continue
      }
      await this.joinLedger(block)
      // What a refused block descends from is not final by that; and blocks of another chain would be gone through for ever.
      if (!this.ledger.has(next)) continue
      queue.push(...block.parents.filter((parent) => this.intake.find(parent) && !this.ledger.has(parent)))
    }
  }

  private async joinLedger(block: FinalBlock): Promise<void> {
    const refusedParent = block.parents.find((parent) => this.broken.has(parent))
    const result: AddResult = refusedParent
      ? { kind: 'broken', thread: block.slot.thread, other: refusedParent }
      : this.ledger.add(block)
    this.wanted.delete(block.id)
    if (result.kind === 'broken' && !this.broken.has(block.id)) {
      if (this.broken.size >= MAX_BROKEN_REMEMBERED) this.broken.clear()
      this.broken.add(block.id)
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
    try {
      await this.spool.putFinal(block.slot, block.id)
    } finally {
      this.collectReady(result.touched)
    }
  }

  /** What a failing disk kept from being accepted when it was spooled. */
  private async acceptSpooled(): Promise<void> {
    if (this.halted) return
    const missing = this.ledger.listMissing().filter(({ id }) => this.intake.find(id))
    for (const { id } of missing) if (!this.wanted.has(id)) this.wanted.set(id, undefined)
    for (const id of [...this.wanted.keys()]) if (this.intake.find(id)) await this.acceptFinal(id)
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
      const ready = this.pickReady()
      if (!ready) {
        this.wakeWriter = new AbortController()
        await this.clock.sleep(60_000, this.wakeWriter.signal)
        continue
      }
      const { store, spool, cpu, clock, log, attesterSeed } = this
      const onLost = (slot: Slot, id: BlockIdText): void => {
        this.intake.forget([{ slot, id }])
        this.lost.add(id)
      }
      const onStalled = (error: unknown): void => {
        this.stalled = error instanceof Error ? error.message : String(error)
      }
      const summary = await archivePeriod(
        ready,
        { store, spool, cpu, clock, log, attesterSeed, onStalled, onLost },
        this.stopping.signal,
      )
      if (!summary) return
      this.stalled = undefined
      if (summary === 'lost') this.ready.delete(ready.period)
      else await this.onArchived(ready, summary)
    }
  }

  /** The lowest period that is decided, unless nodes disagree about a slot up to its end, or nothing may be archived. */
  private pickReady(): ReadyPeriod | undefined {
    if (this.halted) return undefined
    const lowest = Math.min(...this.ready.keys())
    return this.conflict && lowest >= this.conflict.slot.period ? undefined : this.ready.get(lowest)
  }

  private async onArchived(ready: ReadyPeriod, summary: PeriodSummary): Promise<void> {
    const { period, blocks, operations, chunks } = summary
    const elapsedMs = this.clock.nowMs() - ready.decidedAtMs
    this.log.info({ period, blocks, operations, chunks, durationMs: elapsedMs }, 'archived period')
    const stored = ready.decisions.flatMap((decision, thread) =>
      decision.kind === 'block' ? [{ slot: { period, thread }, id: decision.id }] : [],
    )
    this.ready.delete(period)
    this.intake.forget(stored)
    try {
      await this.archived.add(period, stored)
      await this.spool.deleteBlocks(stored)
      await this.spool.deleteFinals(stored.map(({ slot }) => slot))
      await this.spool.deleteExecutions(this.archived.isBefore(period - 1) ? 0 : period, period)
      await this.forgetOld(period)
    } catch (error) {
      // The period is on disk: what it leaves in the spool is cleared at the next start.
      this.log.error({ period, err: error }, 'spool not cleared')
    }
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
    this.intake.forget(losers)
    await this.spool.deleteBlocks(losers)
  }

  private async syncLoop(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      await this.clock.sleep(SPOOL_SYNC_MS, this.stopping.signal)
      try {
        await this.spool.sync()
      } catch (error) {
        this.log.error({ err: error }, 'spool not synced')
      }
      this.gapWatch.look(this.listGaps(), this.clock.nowMs())
    }
  }

  private listGaps(): Gap[] {
    return [...this.ledger.listGaps(), ...this.listLost()]
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
    if (changed) this.wakeWriter.abort()
  }

  /** A node that names several blocks of one slot in one breath has named none. */
  private dropContradictions(node: number, claims: readonly FinalityClaim[]): readonly FinalityClaim[] {
    const bySlot = new Map<number, FinalityClaim['id']>()
    const contradicted = new Set<number>()
    for (const { slot, id } of claims) {
      const index = slotIndex(slot)
      if ((bySlot.get(index) ?? id) !== id) contradicted.add(index)
      bySlot.set(index, id)
    }
    if (contradicted.size === 0) return claims
    const slots = [...contradicted].map((index) => formatSlot(slotOfIndex(index)))
    this.log.error(
      { node, slot: slots[0], count: slots.length, code: 'ARCHIVER_PARENT_LINK_BROKEN' },
      'node names several final blocks for one slot',
    )
    this.events.onRefused?.('ARCHIVER_PARENT_LINK_BROKEN')
    return claims.filter(({ slot }) => !contradicted.has(slotIndex(slot)))
  }

  private takeClaim(node: number, { slot, id }: FinalityClaim): void {
    if (id !== 'none' && !this.isKnown(id) && !isBlockId(id)) {
      this.events.onRefused?.('ARCHIVER_BLOCK_ID_MISMATCH')
      return
    }
    const archivedId = this.archived.idAt(slot)
    if (archivedId !== undefined) {
      // That a slot has no block is no other chain: the archived one is proven by its descendants.
      if (archivedId !== id && id !== 'none') this.onReplaced(node, slot, id, archivedId)
      return
    }
    if (this.archived.has(slot.period) || !this.isNear(slot)) return
    this.agreement.claim(node, slot, id)
  }

  /** Slots that a node may speak of: a bound for what is remembered of its words. */
  private isNear(slot: Slot): boolean {
    const final = this.nodeFinalSlot
    if (!final) return true
    const first = this.searchFrom(final).period - NEAR_PERIODS
    return slot.period >= first && slot.period <= final.period + NEAR_PERIODS
  }

  private onReplaced(node: number, slot: Slot, id: string, archivedId: string): void {
    const text = `node ${node} names ${id} at ${formatSlot(slot)}, where ${archivedId} is archived`
    const isNew = !this.dissenters.has(node)
    this.dissenters.add(node)
    if (this.nodeCount >= 3 && this.dissenters.size * 2 <= this.nodeCount) {
      if (isNew)
        this.log.error({ node, slot: formatSlot(slot), reason: text, code: 'ARCHIVER_CHAIN_REPLACED' }, 'node outvoted')
      return
    }
    this.halt(new ArchiveError('ARCHIVER_CHAIN_REPLACED', text, { node, id, archivedId }))
  }

  /** Nothing more is archived; the head is followed into the spool all the same. */
  private halt(error: ArchiveError): void {
    if (this.halted) return
    this.halted = error
    this.log.error({ err: error, code: error.code }, 'archiving halted')
  }

  /** Refused and yet called final: kept raw for a release that understands it. */
  private async quarantine(unplaced: readonly BlockIdText[]): Promise<void> {
    const missing = this.ledger.listMissing().map(({ id }) => id)
    for (const id of new Set([...this.wanted.keys(), ...missing, ...unplaced])) {
      const refused = this.intake.findRefused(id)
      if (!refused || this.quarantined.has(id) || !isBlockId(id)) continue
      if (this.quarantinedBytes + refused.raw.length > this.maxQuarantineBytes) continue
      await this.spool.putQuarantined(refused)
      this.quarantinedBytes += refused.raw.length
      this.quarantined.add(id)
      this.log.error({ blockId: id, code: refused.code }, 'final block quarantined')
    }
  }

  private async retryQuarantined(): Promise<void> {
    const healed: BlockIdText[] = []
    for await (const block of this.spool.listQuarantined()) {
      this.quarantinedBytes += block.raw.length
      // Of several nodes one may have called it final: then its descendants decide.
      if (this.nodeCount === 1) this.wanted.set(block.id, undefined)
      const result = await this.intake.take(NO_NODE, block.raw, block.id)
      if (result === 'refused' || result === 'ignored') this.quarantined.add(block.id)
      else healed.push(block.id)
      this.log.info({ blockId: block.id, result }, 'quarantined block tried again')
    }
    await this.spool.deleteQuarantined(healed)
  }
}

function isBlockId(text: string): boolean {
  try {
    parseBlockId(text)
    return true
  } catch {
    return false
  }
}
