import {
  type ArchiveError,
  type BlockIdText,
  type ChunkStore,
  type Clock,
  type ErrorCode,
  isArchiveError,
  PERIOD_MS,
  type Period,
  type PeriodSummary,
  type Slot,
  type Spool,
} from '../core/index.ts'
import type { Logger } from '../telemetry/index.ts'
import type { ReadyPeriod } from './archive-period.ts'
import { ArchivedIndex } from './archived-index.ts'
import type { ArchiverEvents, ArchiverModules, ArchiverOptions, ArchiverStatus } from './archiver-ports.ts'
import { attestExecutions } from './attestation.ts'
import { BlockIntake } from './block-intake.ts'
import { ChainTime } from './chain-time.ts'
import { checkNodeStatus, isDue } from './check-node-status.ts'
import { ConflictMark } from './conflict-mark.ts'
import type { SlotExecution } from './execution-results.ts'
import type { Feed, FinalityClaim, IntakeResult } from './feed.ts'
import { FinalChain } from './final-chain.ts'
import { FinalityClaims } from './finality-claims.ts'
import { GapWatch } from './gap-watch.ts'
import { guardLoop } from './guard-loop.ts'
import type { NodeStatus } from './node-client.ts'
import { OpenSlots } from './open-slots.ts'
import { EXECUTION_PATIENCE_MS, PendingExecutions } from './pending-executions.ts'
import { PeriodWriter } from './period-writer.ts'
import { NO_NODE, Quarantine } from './quarantine.ts'
import { type FinalBlock, SlotLedger, toRange } from './slot-ledger.ts'
import { SpoolLeftovers } from './spool-leftovers.ts'
import { recallConflict, recallSpool } from './spool-recall.ts'
import { SpoolRoom } from './spool-room.ts'
import { isStoreFailure, StoreWatch } from './store-watch.ts'
import { WaitWatch } from './wait-watch.ts'

const FORGET_PERIODS = 8
const SPOOL_SYNC_MS = 1_000

/**
 * From what nodes show to periods on disk: spool first, then finality, then links, then chunks.
 *
 * It is the Feed that followers of nodes bring their finds to. Deterministic: the same blocks in any order, from any
 * source, give the same periods.
 */
export class Archiver implements Feed {
  private readonly store: ChunkStore
  private readonly spool: Spool
  private readonly clock: Clock
  private readonly log: Logger
  private readonly events: ArchiverEvents
  private readonly nodeUrls: readonly string[]
  private readonly attesterSeed: Uint8Array | undefined

  private readonly ledger: SlotLedger
  private readonly archived: ArchivedIndex
  private readonly intake: BlockIntake
  private readonly room: SpoolRoom
  private readonly claims: FinalityClaims
  private readonly conflictMark: ConflictMark
  private readonly chain: FinalChain
  private readonly quarantine: Quarantine
  private readonly executions: PendingExecutions
  private readonly writer: PeriodWriter
  private readonly gapWatch: GapWatch
  private readonly waitWatch: WaitWatch
  private readonly open: OpenSlots
  private readonly leftovers: SpoolLeftovers
  private readonly time: ChainTime

  private readonly stopping = new AbortController()
  private readonly loops: Promise<void>[] = []
  private halted: ArchiveError | undefined
  private unreportedSlots = 0

  constructor(options: ArchiverOptions, modules: ArchiverModules) {
    const { store, spool, cpu, clock, log } = modules
    this.store = store
    this.spool = spool
    this.clock = clock
    this.log = log
    this.events = modules.events ?? {}
    this.nodeUrls = options.nodeUrls
    this.attesterSeed = options.attesterSeed
    const onRefused = (code: ErrorCode, node: number) =>
      this.events.onRefused?.(code, node === NO_NODE ? undefined : node)
    const onHalt = (error: ArchiveError) => this.halt(error)

    this.ledger = new SlotLedger(options.restarts)
    this.gapWatch = new GapWatch(log)
    this.waitWatch = new WaitWatch(log)
    const time = new ChainTime(clock)
    this.time = time
    this.archived = new ArchivedIndex(store, spool)
    this.room = new SpoolRoom(options.maxSpooledBlocks === undefined ? {} : { maxBlocks: options.maxSpooledBlocks }, {
      spool,
      log,
    })
    this.executions = new PendingExecutions(
      { patienceMs: options.executionPatienceMs ?? EXECUTION_PATIENCE_MS },
      { spool, room: this.room, clock },
    )
    this.intake = new BlockIntake(
      { chainId: store.identity.network.chainId },
      {
        spool,
        cpu,
        log,
        isWanted: (id) => this.chain.isWanted(id),
        isArchived: (period) => this.archived.has(period),
        room: this.room,
        isUrgent: (id, slot) => this.open.isUrgent(id, slot),
        isDue: (slot) => isDue(slot, { network: store.identity.network, nowMs: time.nowMs() }),
        onSpooled: (block, node) => this.onSpooled(block.id, node),
        onArchived: (block) => this.placeArchived(block),
        onRefused,
      },
    )
    this.quarantine = new Quarantine(
      { maxBytes: options.maxQuarantineBytes ?? Number.POSITIVE_INFINITY },
      { spool, intake: this.intake, log, isArchived: (period) => this.archived.has(period) },
    )
    this.claims = new FinalityClaims(
      { nodeUrls: options.nodeUrls },
      {
        archived: this.archived,
        clock,
        log,
        isKnown: (id) => this.isKnown(id),
        firstDuePeriod: (lastFinalSlot) => this.open.searchFrom(lastFinalSlot).period,
        onRefused,
        onHalt,
        isDecided: (slot) => this.open.isDecided(slot),
        onConflictChanged: () => this.writer.wake(),
      },
    )
    this.conflictMark = new ConflictMark(spool)
    this.chain = new FinalChain({
      ledger: this.ledger,
      intake: this.intake,
      spool,
      log,
      isAgreed: (slot, id) => this.claims.isAgreed(slot, id),
      isHalted: () => this.halted !== undefined,
      onHalt,
      onRefused,
      onJoined: (block) => this.executions.expect(block),
      onTouched: (touched) => this.collectReady(touched),
    })
    this.writer = new PeriodWriter(
      { attesterSeed: options.attesterSeed },
      {
        store,
        spool,
        cpu,
        clock,
        log,
        mayArchive: (period) => this.mayArchive(period),
        onArchived: (ready, summary) => this.onArchived(ready, summary),
        onLost: (slot, id) => this.lose(slot, id),
        onHalt,
      },
    )
    const { ledger, archived, claims, chain, intake, executions } = this
    this.open = new OpenSlots({ ledger, archived, claims, chain })
    this.leftovers = new SpoolLeftovers({ spool, intake, executions, archived, ledger, log })
  }

  /** Takes up where the store and the spool were left; then `Feed` calls may begin. */
  async start(): Promise<void> {
    const onUnreadable = (period: Period, code: ErrorCode) =>
      this.log.error({ period, code }, 'archived period cannot be read')
    const { blocks, silent } = await this.archived.load(onUnreadable)
    for (const thread of silent) this.ledger.addSilent(thread)
    for (const { block, linked } of blocks) this.ledger.addArchived(block, linked)
    const { genesisTimestampMs } = this.store.identity.network
    if (this.archived.lastPeriod !== undefined) {
      this.time.learn(Number(genesisTimestampMs) + this.archived.lastPeriod * PERIOD_MS)
    }
    const { spool, archived, intake, executions, chain, claims, conflictMark, open, log } = this
    await recallConflict(this.nodeUrls.length === 1, { conflictMark, claims, open, log })
    await recallSpool({ spool, archived, intake, executions, chain, log })
    // A period without blocks waits for none: nothing but what is archived beside it decides it.
    for (const hole of this.archived.listHoles()) this.collectReady(hole)
    // Of several nodes one may have called it final: then its descendants decide.
    await this.quarantine.retry((id) => this.nodeUrls.length === 1 && this.chain.want(id, undefined))
    this.claims.begin()
    this.loops.push(
      guardLoop('period writer', this.writer.run(this.stopping.signal), this.onFatal),
      guardLoop('spool sync', this.syncLoop(), this.onFatal),
    )
  }

  /** Finishes the period in hand and leaves everything on disk, as far as it takes it: what waits is given again. */
  async stop(): Promise<void> {
    this.stopping.abort()
    await Promise.all(this.loops)
    try {
      await this.spool.sync()
    } catch (error) {
      if (!isStoreFailure(error)) throw error
      this.log.warn({ err: error, code: error.code }, 'spool not synced at the end')
    }
  }

  /** Nothing before `period` is kept any more: what lacks there is no gap, and what waits for it is cleared. */
  async forgetBefore(period: Period): Promise<void> {
    this.archived.forgetBefore(period)
    for (const ready of this.writer.listReady()) if (ready < period) this.writer.drop(ready)
    this.gapWatch.forgetBefore(period)
    this.chain.forgetBefore(period)
    this.ledger.cutBefore(period, (range) => this.archived.listOpen(range).length > 0)
    this.claims.forgetBefore({ period, thread: 0 })
    await this.leftovers.clear({ from: 0, to: period - 1 })
  }

  /** A period that somebody else wrote into the store, below or between those that were archived here. */
  async onFilled(period: Period): Promise<void> {
    if (this.archived.has(period)) return
    const isHole = this.archived.listHoles().some(({ from, to }) => period >= from && period <= to)
    const blocks = isHole ? await this.archived.readPeriod(period) : []
    await this.archived.add(period, blocks)
    this.writer.drop(period)
    if (isHole) await this.closeHole(period, blocks)
  }

  /** What was seen of the executions of a period that is not archived yet, encoded. */
  async attest(period: Period): Promise<Uint8Array> {
    const { network } = this.store.identity
    return attestExecutions(await this.spool.readExecutions(period), { network, period }, this.attesterSeed)
  }

  status(): ArchiverStatus {
    return {
      spooledBlocks: this.intake.sizeBlocks,
      quarantinedBlocks: this.quarantine.sizeBlocks,
      unkeptBlocks: this.quarantine.refusedBlocks,
      gaps: this.open.listGaps(),
      holes: this.archived.listHoles(),
      conflict: this.claims.conflict,
      awaited: this.waitWatch.awaited,
      unreportedSlots: this.unreportedSlots,
      halted: describe(this.halted),
      stalled: describe(this.writer.stalled),
      spoolFull: describe(this.room.full),
      nodeFinalSlot: this.claims.lastFinalSlot,
    }
  }

  onStatus(node: number, status: NodeStatus): void {
    checkNodeStatus(status, { node, network: this.store.identity.network, nowMs: this.time.nowMs() })
    this.claims.onNodeUp(node, status.lastFinalSlot)
  }

  onNodeDown(node: number): void {
    this.claims.onNodeDown(node)
  }

  onNodeRestart(node: number): void {
    this.claims.onNodeRestart(node)
  }

  takeBlock(node: number, filledBlock: Uint8Array, expectedId?: BlockIdText): Promise<IntakeResult> {
    return this.intake.take(node, filledBlock, expectedId)
  }

  /**
   * A block that another sidecar gave. It is verified as one of a node, and taken only where it is wanted: its id is
   * the parent of a block that is final. Bodies of operations that no id binds are taken from nodes alone: whoever wants to
   * can sign another body for the same id.
   */
  async takePeerBlock(id: BlockIdText, filledBlock: Uint8Array): Promise<IntakeResult> {
    if (!this.chain.isMissing(id)) return 'ignored'
    return this.intake.take(NO_NODE, filledBlock, id, false)
  }

  async onClaims(node: number, claims: readonly FinalityClaim[], unplaced: readonly BlockIdText[] = []): Promise<void> {
    // Of slots past a full spool nothing is remembered: they are named again, as long as nodes know them.
    const near = claims.filter(({ slot }) => !this.room.isBeyond(slot))
    // A conflict is known before anything is accepted: what is ready must not be archived past it meanwhile.
    for (const { slot, id, instead } of this.claims.take(node, near)) this.chain.wantAgreed(slot, id, instead)
    await this.chain.acceptSpooled(node)
    await this.conflictMark.keep(this.claims.keptConflict)
    await this.quarantine.keep(new Set([...this.chain.listMissing(), ...unplaced]))
  }

  async onExecution(slot: Slot, execution: SlotExecution): Promise<void> {
    const isKept = !this.archived.has(slot.period) && this.claims.isNear(slot)
    await this.executions.take(slot, execution, isKept)
    if (this.writer.has(slot.period)) this.writer.wake()
  }

  isKnown(id: BlockIdText): boolean {
    return this.intake.isHandled(id) || this.archived.hasId(id) || this.chain.isHeld(id)
  }

  isWorthAsking(node: number, id: BlockIdText): boolean {
    return !this.isKnown(id) && this.intake.isDueFrom(node, id)
  }

  slotOf(id: BlockIdText): Slot | undefined {
    return this.intake.slotOf(id) ?? this.archived.slotOf(id)
  }

  searchFrom(lastFinalSlot: Slot): Slot {
    return this.open.searchFrom(lastFinalSlot)
  }

  listWanted(): BlockIdText[] {
    return this.chain.listWanted().filter((id) => !this.isKnown(id))
  }

  listUnexecuted(upTo: Slot): Promise<{ slot: Slot; operationIds: string[] }[]> {
    return this.executions.listMissing(upTo)
  }

  /** What stands above a hole descends from an archived block that a start did not find: now it is known where that is. */
  private placeArchived({ id, slot, parents }: FinalBlock): void {
    if (!this.ledger.isMissing(id)) return
    // Where a hole stands between it and the block before it in its thread, its parent may be in there.
    const from = (this.ledger.lastBefore(slot)?.slot.period ?? -1) + 1
    const isLinked = !this.archived.listHoles().some((hole) => hole.to >= from && hole.from < slot.period)
    const touched = this.ledger.addArchived({ id, slot, parents }, isLinked)
    if (touched) this.collectReady(touched)
  }

  /** Its blocks say what stands in the periods beside it; what was kept to archive it goes. */
  private async closeHole(period: Period, archived: readonly FinalBlock[]): Promise<void> {
    this.chain.forgetAt(period)
    for (const block of archived) {
      const touched = this.ledger.addArchived(block, false)
      if (touched) this.collectReady(touched)
    }
    this.ledger.settle((range) => this.archived.listOpen(range).length > 0)
    await this.leftovers.clear({ from: period, to: period })
  }

  private lose(slot: Slot, id: BlockIdText): void {
    // While it was in hand somebody else may have archived it.
    if (!this.archived.has(slot.period)) this.chain.lose(slot, id)
  }

  private async onSpooled(id: BlockIdText, node: number): Promise<void> {
    await this.quarantine.release(id)
    await this.chain.onSpooled(id, node)
  }

  private collectReady(touched: { readonly from: Period; readonly to: Period }): void {
    for (let period = touched.from; period <= touched.to; period++) {
      if (this.writer.has(period) || this.archived.has(period)) continue
      const decisions = this.ledger.decidePeriod(period)
      if (!decisions) continue
      this.executions.expectMisses(period, decisions)
      this.writer.add(period, decisions)
    }
  }

  /**
   * Not past a slot that nodes disagree about, nothing once halted, not before its execution results, for a while, and not
   * what somebody else archived or retention passed while it was in hand.
   */
  private mayArchive(period: Period): boolean {
    const { conflict } = this.claims
    if (this.archived.has(period)) return false
    return !this.halted && !(conflict && period >= conflict.slot.period) && !this.executions.isAwaited(period)
  }

  private async onArchived(ready: ReadyPeriod, summary: PeriodSummary): Promise<void> {
    const { period, blocks, operations, chunks } = summary
    const elapsedMs = this.clock.monotonicMs() - ready.decidedAtMs
    this.log.info({ period, blocks, operations, chunks, durationMs: elapsedMs }, 'archived period')
    const unreported = this.executions.countMissing(period)
    if (unreported > 0) this.sayUnreported(period, unreported)
    const stored = ready.decisions.flatMap((decision, thread) =>
      decision.kind === 'block' ? [{ slot: { period, thread }, id: decision.id }] : [],
    )
    this.intake.forget(stored)
    try {
      await this.archived.add(period, stored)
      await this.leftovers.clearArchived(period, stored)
      this.forgetOld(period)
      await this.leftovers.clearLosers(period)
    } catch (error) {
      if (!isArchiveError(error) || error.kind === 'bug') throw error
      // The period is on disk: what it leaves in the spool is cleared at the next start.
      this.log.error({ period, err: error }, 'spool not cleared')
    }
    this.events.onArchived?.(summary, elapsedMs)
  }

  private sayUnreported(period: Period, count: number): void {
    this.unreportedSlots += count
    this.log.warn({ period, count, code: 'ARCHIVER_EXECUTION_UNREPORTED' }, 'execution results not reported')
    this.events.onUnreported?.(count)
  }

  private forgetOld(period: Period): void {
    // An open period waits for a block (a gap, or a body that was lost), or for the writer, or for the mark of a block: what
    // that one decides stays until it is decided, there may be no gap any more that keeps it.
    const undecided = this.chain.firstUndecided ?? Number.POSITIVE_INFINITY
    this.ledger.forgetBefore(Math.min(period - FORGET_PERIODS, undecided), [
      ...this.chain.listGaps().map(toRange),
      // Another period may have been in hand when they were decided.
      ...this.writer.listReady().map((ready) => ({ from: ready, to: ready })),
    ])
    this.claims.forgetBefore({ period: period - FORGET_PERIODS, thread: 0 })
  }

  private readonly onFatal = (error: ArchiveError): void => {
    this.log.error({ err: error, code: error.code }, 'archiver failed')
    this.events.onFatal?.(error)
  }

  private async syncLoop(): Promise<void> {
    const watch = new StoreWatch({ failed: 'spool not synced', again: 'spool synced again' }, this.log)
    while (!this.stopping.signal.aborted) {
      await this.clock.sleep(SPOOL_SYNC_MS, this.stopping.signal)
      try {
        await this.spool.sync()
        await this.conflictMark.keep(this.claims.keptConflict)
        await this.room.ease()
        watch.onSuccess()
      } catch (error) {
        const failure = watch.onError(error)
        // Damage does not pass: nothing more would be archived from a spool like that.
        if (failure.kind === 'permanent') this.halt(failure)
      }
      if (this.writer.stalled !== undefined || this.room.full) this.events.onNoRoom?.()
      // Periods that waited long enough for their results.
      this.writer.wake()
      this.gapWatch.look(this.open.listGaps(), this.clock.monotonicMs())
      this.waitWatch.look(this.open.findAwaited(), this.clock.monotonicMs())
    }
  }

  /** Nothing more is archived; the head is followed into the spool all the same. */
  private halt(error: ArchiveError): void {
    if (this.halted) return
    this.halted = error
    this.log.error({ err: error, code: error.code }, 'archiving halted')
  }
}

function describe(error: ArchiveError | undefined) {
  return error && { code: error.code, message: error.message }
}
