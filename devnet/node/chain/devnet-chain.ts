import { OPERATION_VALIDITY_PERIODS, SLOT_MS, slotOfIndex, THREAD_COUNT } from '../../../core/index.ts'
import type { Pruned } from './block-graph.ts'
import { makeBlocks } from './block-maker.ts'
import { type ChainBlock, makeGenesis, TrackedBlock } from './chain-block.ts'
import { ChainControl, type ChainRates } from './chain-control.ts'
import { Listeners } from './chain-listeners.ts'
import type { DevnetChainOptions } from './chain-options.ts'
import { ChainRecorder } from './chain-recorder.ts'
import type { ChainStore } from './chain-store.ts'
import { ChainView } from './chain-view.ts'
import { type KnownOperation, TrackedOperation } from './known-operation.ts'
import { type CheckedOperation, checkOperation, type SentOperation, trackOperation } from './operation-pool.ts'
import { CYCLE_SLOTS, cycleOf } from './roll-history.ts'
import { signRollPurchase } from './roll-purchase.ts'
import type { SlotOutput } from './slot-executor.ts'
import type { StoredChain } from './stored-chain.ts'

/** Slots of genesis blocks. */
const FIRST_INDEX = THREAD_COUNT
/** A minute (MAX_OPERATION_STORAGE_TIME): a node has an operation for so long that left its pool. */
const KNOWN_SLOTS = 60_000 / SLOT_MS

/**
 * A chain of valid blocks, run by one process: drawn stakers sign blocks and endorsements, operations wait in a pool,
 * execution follows the clock, blocks become final by the fitness of those after them.
 *
 * It never reorganises: rivals of a block are received and never built upon. Time is what `advanceTo` says. The same
 * options, operations and orders, each in the same slot, make the same bytes.
 */
export class DevnetChain extends ChainView {
  private readonly control: ChainControl
  private readonly recorder: ChainRecorder
  private readonly received = new Listeners<ChainBlock>()
  private readonly executed = new Listeners<SlotOutput>()
  private readonly finalized = new Listeners<SlotOutput>()
  private readonly accepted = new Listeners<KnownOperation>()
  private queue: Promise<void> = Promise.resolve()
  /** Of the slot whose blocks are being written. */
  private makingIndex = FIRST_INDEX - 1
  /** Left the pool without a block: known for a while, not on disk. */
  private hopeless: TrackedOperation[] = []
  private sequence = 0

  /** In memory, unless `storage` says where to go on and where to keep it: that is what openStoredChain is for. */
  constructor(
    options: DevnetChainOptions,
    storage?: { readonly store: ChainStore; readonly stored: StoredChain | undefined },
  ) {
    const stored = storage?.stored
    super(options, stored)
    this.control = new ChainControl(stored?.control)
    this.recorder = new ChainRecorder(storage?.store)
    if (stored) this.resume(stored)
    else this.begin()
    this.virtualMs = this.genesisTimestampMs + this.clockIndex * SLOT_MS
  }

  /**
   * Makes every slot that is due at this virtual time: blocks are written, then shown; older slots are executed and
   * become final. Calls are queued; an earlier time changes nothing. A chain in memory never yields to the event loop.
   */
  advanceTo(nowMs: number): Promise<void> {
    const done = this.queue.then(() => this.goOnTo(nowMs))
    this.queue = done.catch(() => {})
    return done
  }

  /** Writes what is left and closes the store. */
  async close(): Promise<void> {
    await this.queue
    await this.recorder.close()
  }

  /**
   * Checks an operation as a node does before it goes into its pool.
   *
   * @throws JsonRpcError
   */
  check(sent: SentOperation): CheckedOperation {
    const { chainId, minimalFeeNanoMas } = this
    return checkOperation(sent, { chainId, minimalFeeNanoMas, now: this.lastSlot })
  }

  /**
   * Puts a checked operation into the pool; one that is there, in a block or executed stays as it is, and
   * one for which there is no room is dropped, as a node drops it.
   *
   * @returns its id; its sender may be told when `written` resolves
   */
  accept(checked: CheckedOperation): string {
    const { id } = checked
    const known = this.known.get(id)
    const isWaitedFor = known && (known.isPooled || known.inBlocks.length > 0)
    if (isWaitedFor || this.executor.executions.has(id)) return id
    const { maxPoolSize, maxPoolExcess } = this.options
    if (this.pool.size >= maxPoolSize + maxPoolExcess) return id
    const tracked = trackOperation(checked, this.chainId, this.makingIndex)
    tracked.sequence = this.sequence++
    this.known.set(id, tracked)
    this.pool.add(tracked)
    this.recorder.keepPooled(tracked)
    this.accepted.tell(tracked)
    return id
  }

  /** Resolves when all that was accepted and ordered so far is written. */
  written(): Promise<void> {
    return this.recorder.written()
  }

  /**
   * What a node forgets that is stopped and started: final blocks but the newest three of each thread, their operations,
   * and all final events. State, what is not final and the pool stay. It resolves when that is written.
   */
  forgetHistory(): Promise<void> {
    const done = this.queue.then(() => {
      this.executor.events.forgetFinal(this.executor.finalIndex)
      this.dropBlocks(this.graph.forgetHistory(this.executor.finalIndex))
      return this.recorder.writeWaiting()
    })
    this.queue = done.catch(() => {})
    return done
  }

  /** The next `count` slots of the thread will have no block. */
  missNext(thread: number, count = 1): void {
    this.control.missNext(thread, count)
    this.recorder.keepControl(this.control.current)
  }

  /** The next `count` blocks, of the thread if one is given, will have a rival. */
  forkNext(count = 1, thread?: number): void {
    this.control.forkNext(count, thread)
    this.recorder.keepControl(this.control.current)
  }

  /** In place of those of the options, until others are set. */
  setRates(rates: ChainRates): void {
    this.control.setRates(rates)
    this.recorder.keepControl(this.control.current)
  }

  /** Every block at its slot; a rival right after the block that it lost to. @returns what ends it */
  onBlockReceived(listener: (block: ChainBlock) => void): () => void {
    return this.received.add(listener)
  }

  /** Every slot once, in order, in candidate state. */
  onSlotExecuted(listener: (output: SlotOutput) => void): () => void {
    return this.executed.add(listener)
  }

  /** Every slot once, in order. */
  onSlotFinal(listener: (output: SlotOutput) => void): () => void {
    return this.finalized.add(listener)
  }

  onOperationReceived(listener: (operation: KnownOperation) => void): () => void {
    return this.accepted.add(listener)
  }

  private begin(): void {
    const { recorder, executor } = this
    const genesis = Array.from({ length: THREAD_COUNT }, (_, thread) => makeGenesis(thread))
    for (const block of genesis) this.graph.add(block)
    this.graph.settle(FIRST_INDEX - 1)
    this.keepFinal()
    recorder.keepDeferredCalls(executor.finalState.deferredCalls)
    recorder.begin({
      options: this.options,
      clockIndex: this.clockIndex,
      genesis,
      ledger: this.finalLedger,
      control: this.control.current,
    })
  }

  /** Blocks, pool and outcomes as they were; what is not final is executed again. */
  private resume(stored: StoredChain): void {
    const { graph, executor, pool, known } = this
    this.clockIndex = stored.head.clockIndex
    this.makingIndex = this.clockIndex
    this.executedCount = stored.final.executedCount
    executor.resume(stored.executions)
    for (const { sequence, receivedIndex, message } of stored.pool) {
      const tracked = TrackedOperation.fromMessage(this.chainId, message, receivedIndex)
      tracked.sequence = sequence
      this.sequence = sequence + 1
      known.set(tracked.id, tracked)
      pool.add(tracked)
    }
    for (const { headerMessage, operations, isRival } of stored.blocks) {
      const tracked = (operations ?? []).map((message) => this.trackStored(message))
      const block = TrackedBlock.fromMessage(headerMessage, tracked, isRival)
      graph.add(block, { withOperations: operations !== undefined })
      if (!operations) continue
      this.markIncluded(block)
      this.restoreInclusions(block)
    }
    graph.settle(stored.final.blockIndex)
    this.follow()
  }

  private restoreInclusions(block: TrackedBlock): void {
    for (const tracked of block.operations) {
      const execution = this.executor.executions.get(tracked.id)
      if (execution?.slotIndex !== block.slotIndex || block.isRival) continue
      tracked.inclusion = { slotIndex: block.slotIndex, block: block.id, success: execution.success }
    }
  }

  private trackStored(message: Uint8Array): TrackedOperation {
    const fresh = TrackedOperation.fromMessage(this.chainId, message, 0)
    const tracked = this.known.get(fresh.id) ?? fresh
    this.known.set(tracked.id, tracked)
    return tracked
  }

  private async goOnTo(nowMs: number): Promise<void> {
    const due = Math.floor((nowMs - this.genesisTimestampMs) / SLOT_MS)
    while (this.clockIndex < due) await this.makeSlot(this.clockIndex + 1)
    this.virtualMs = Math.max(this.virtualMs, nowMs)
  }

  private async makeSlot(index: number): Promise<void> {
    const { recorder, control } = this
    this.makingIndex = index
    const orders = control.current
    this.dropExcess()
    if (index % CYCLE_SLOTS === 0) this.buyRollsBack()
    const { chosen, hopeless } = this.pool.sortOut(
      { slot: slotOfIndex(index), slotIndex: index, executedIndex: this.executor.executedIndex },
      (address) => this.engine.ledger.balance(address),
    )
    const blocks = this.makeBlocksOf(index, chosen)
    if (control.current !== orders) recorder.keepControl(control.current)
    for (const tracked of hopeless) this.unpool(tracked)
    this.hopeless.push(...hopeless)
    await recorder.write({ clockIndex: index }, blocks)
    this.clockIndex = index
    this.virtualMs = Math.max(this.virtualMs, this.genesisTimestampMs + index * SLOT_MS)
    for (const block of blocks) {
      this.graph.add(block)
      this.markIncluded(block)
    }
    for (const block of blocks) this.received.tell(block)
    if (index % THREAD_COUNT === 0) this.dropExpired()
    this.follow()
  }

  /** Every denunciation costs a roll: a chain whose rivals ran its stakers down would end. */
  private buyRollsBack(): void {
    const { draw, engine, chainId, minimalFeeNanoMas: feeNanoMas } = this
    const expirePeriod = this.lastSlot.period + OPERATION_VALIDITY_PERIODS
    for (const staker of draw.stakers) {
      const held = engine.rolls.count(staker.address)
      const coins = engine.ledger.balance(staker.address)
      const sent = signRollPurchase(staker, { held, coins, feeNanoMas, expirePeriod, chainId })
      if (sent) this.accept(this.check(sent))
    }
  }

  private makeBlocksOf(index: number, operations: readonly TrackedOperation[]): TrackedBlock[] {
    const { control, draw, options } = this
    const slot = slotOfIndex(index)
    const isMissed = draw.isMissed(index, control.missRate ?? options.missRate)
    // An order counts slots of the thread: one that is missed anyway uses it up too.
    if (control.takeMiss(slot.thread) || isMissed) return []
    if (options.skipsEmptyBlocks && operations.length === 0 && slot.thread !== 0) return []
    const { producer, endorsers } = draw.at(index)
    const staker = draw.stakerOf(producer)
    // Drawn by rolls of his own, who runs no node here.
    if (!staker) return []
    const hasRival = control.takeFork(slot.thread) || draw.hasRival(index, control.orphanRate ?? options.orphanRate)
    const { endorsements, networkVersion } = options
    const { parents, newestPair: pair } = this.graph
    const signers = endorsers.map((address) => draw.stakerOf(address))
    const common = { slot, parents, pair, operations, endorsements, networkVersion }
    return makeBlocks({ ...common, producer: staker, endorsers: signers }, hasRival)
  }

  private markIncluded(block: TrackedBlock): void {
    for (const tracked of block.operations) {
      tracked.inBlocks.push(block.id)
      if (!block.isRival) tracked.includedIndex = Math.max(tracked.includedIndex, block.slotIndex)
    }
  }

  /** Execution and finality, as far as the clock and the blocks let them. */
  private follow(): void {
    const { executor, graph } = this
    const target = this.clockIndex - this.options.executionLagSlots
    while (executor.executedIndex < target) this.executeNext(executor.executedIndex + 1)
    graph.settle()
    const before = executor.finalIndex
    while (executor.finalIndex < executor.executedIndex && graph.isDecided(executor.finalIndex + 1)) this.finalizeNext()
    if (executor.finalIndex > before) this.dropBlocks(graph.prune(executor.finalIndex))
  }

  private executeNext(index: number): void {
    const block = this.graph.findClique(index)
    const parent = block?.header.parents[block.slot.thread]
    const endorsed = parent === undefined ? '' : (this.graph.creatorOf(parent) ?? '')
    const output = this.executor.execute(block, { producer: this.producerOf(index), endorsed })
    for (const { id } of output.executedOperations) {
      const tracked = this.known.get(id)
      if (tracked?.isPooled) this.unpool(tracked)
    }
    this.executed.tell(output)
  }

  private finalizeNext(): void {
    const { executor, recorder } = this
    const calls = executor.finalState.deferredCalls
    const final = executor.finalize()
    const { output, state } = final
    this.cycles.add(output)
    if ((output.slotIndex + 1) % CYCLE_SLOTS === 0) this.keepRolls(cycleOf(output.slotIndex), state.rolls.counts)
    this.executedCount += output.executedOperations.length
    recorder.keepFinalSlot(final)
    if (state.deferredCalls !== calls) recorder.keepDeferredCalls(state.deferredCalls)
    executor.events.trim(executor.finalIndex)
    this.keepFinal()
    this.finalized.tell(output)
  }

  private keepRolls(cycle: number, held: ReadonlyMap<string, bigint>): void {
    const { counts, droppedCycle } = this.draw.history.add(cycle, held)
    this.recorder.keepRolls(cycle, counts, droppedCycle)
  }

  private keepFinal(): void {
    const { executor, recorder } = this
    recorder.keepFinal(() => ({
      slotIndex: executor.finalIndex,
      blockIndex: this.graph.finalBlockIndex,
      executionTrailHash: executor.finalState.executionTrailHash,
      rollCounts: [...executor.finalState.rolls.counts],
      credits: executor.finalState.rolls.credits,
      cycles: this.cycles.toRecords(),
      executedCount: this.executedCount,
    }))
  }

  private dropBlocks({ emptied, forgotten }: Pruned): void {
    for (const block of emptied) {
      this.recorder.keepHeader(block)
      for (const tracked of block.operations) {
        tracked.inBlocks.splice(tracked.inBlocks.indexOf(block.id), 1)
        this.forgetUnused(tracked)
      }
    }
    for (const node of forgotten) this.recorder.dropBlock(node)
  }

  private dropExpired(): void {
    for (const tracked of this.pool.takeExpired(this.lastSlot, this.executor.executedIndex)) {
      this.recorder.dropPooled(tracked)
      this.forgetUnused(tracked)
    }
    this.hopeless = this.hopeless.filter((tracked) => {
      const isOld = tracked.receivedIndex + KNOWN_SLOTS <= this.clockIndex
      if (isOld) this.forgetUnused(tracked)
      return !isOld
    })
  }

  /** Forgotten at once, not after a minute: however many are sent, the pool is all the memory that they take. */
  private dropExcess(): void {
    const excess = this.pool.takeExcess(this.options.maxPoolSize, this.executor.executedIndex)
    for (const tracked of excess) {
      this.recorder.dropPooled(tracked)
      this.forgetUnused(tracked)
    }
  }

  private unpool(tracked: TrackedOperation): void {
    this.pool.delete(tracked)
    this.recorder.dropPooled(tracked)
  }

  private forgetUnused(tracked: TrackedOperation): void {
    const isUsed = tracked.isPooled || tracked.inBlocks.length > 0
    // One that was sent again is another of the same id.
    if (!isUsed && this.known.get(tracked.id) === tracked) this.known.delete(tracked.id)
  }
}
