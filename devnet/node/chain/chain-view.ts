import { type Slot, slotOfIndex, THREAD_COUNT } from '../../../core/index.ts'
import { type ContractEngine, type DeferredCredit, Ledger, PERIODS_PER_CYCLE } from '../../engine/index.ts'
import { BlockGraph, type GraphBlock } from './block-graph.ts'
import type { ChainBlock } from './chain-block.ts'
import {
  type DevnetChainOptions,
  type ResolvedChainOptions,
  resolveChainOptions,
  type Staker,
} from './chain-options.ts'
import { type CycleCounts, CycleStats } from './cycle-stats.ts'
import { Draw, type SlotDraw } from './draw.ts'
import type { ChainEvent } from './event-memory.ts'
import type { KnownOperation, TrackedOperation } from './known-operation.ts'
import { OperationPool } from './operation-pool.ts'
import { cycleOf } from './roll-history.ts'
import { type Execution, SlotExecutor } from './slot-executor.ts'
import { createEngine, fillLedger, type StoredChain } from './stored-chain.ts'

export interface CycleInfo extends CycleCounts {
  /** Every slot of the cycle is final. */
  readonly isFinal: boolean
  /** What the draw of the cycle goes by; absent for who has none. */
  readonly activeRolls: bigint | undefined
}

/** What a chain knows, and can be asked for. */
export abstract class ChainView {
  readonly options: ResolvedChainOptions
  /** State of the last final slot. */
  readonly finalLedger = new Ledger()
  /** With the candidate state: that of the last executed slot. */
  readonly engine: ContractEngine
  protected readonly draw: Draw
  protected readonly graph: BlockGraph
  protected readonly executor: SlotExecutor
  protected readonly pool = new OperationPool()
  protected readonly known = new Map<string, TrackedOperation>()
  protected readonly cycles: CycleStats
  protected clockIndex = THREAD_COUNT - 1
  protected virtualMs: number
  protected executedCount = 0

  constructor(options: DevnetChainOptions, stored: StoredChain | undefined) {
    const resolved = resolveChainOptions(options)
    this.options = resolved
    this.draw = new Draw(resolved.seed, resolved.stakers, stored?.rolls)
    this.graph = new BlockGraph(resolved)
    this.cycles = new CycleStats(stored?.final.cycles)
    this.engine = createEngine(resolved, stored)
    const accounts = [...options.accounts]
    const stakerCoins = this.draw.stakers.flatMap(({ address, coinsNanoMas }) =>
      coinsNanoMas === undefined ? [] : [[address, coinsNanoMas] as const],
    )
    for (const ledger of [this.engine.ledger, this.finalLedger]) {
      if (stored) fillLedger(ledger, stored)
      else for (const [address, balance] of [...stakerCoins, ...accounts]) ledger.setBalance(address, balance)
      ledger.dropJournal()
    }
    this.executor = new SlotExecutor({ engine: this.engine, finalLedger: this.finalLedger }, resolved.maxEventBytes)
    this.virtualMs = resolved.genesisTimestampMs
  }

  get chainId(): bigint {
    return this.options.chainId
  }

  get genesisTimestampMs(): number {
    return this.options.genesisTimestampMs
  }

  get minimalFeeNanoMas(): bigint {
    return this.options.minimalFeeNanoMas
  }

  get stakers(): readonly Staker[] {
    return this.options.stakers
  }

  /**
   * The latest virtual time that it was advanced to, ms since the epoch, never before the last slot; after a restart that
   * of the last slot.
   */
  get nowMs(): number {
    return this.virtualMs
  }

  /** Of the clock. */
  get lastSlot(): Slot {
    return slotOfIndex(this.clockIndex)
  }

  get executedSlot(): Slot {
    return slotOfIndex(this.executor.executedIndex)
  }

  get finalSlot(): Slot {
    return slotOfIndex(this.executor.finalIndex)
  }

  /** Executed for good. */
  isFinal(index: number): boolean {
    return index <= this.executor.finalIndex
  }

  /** A block with its operations, as long as a node has it: genesis blocks and rivals too. */
  findBlock(id: string): ChainBlock | undefined {
    return this.graph.find(id)
  }

  /** The same of [from, to), in order of slots, a rival after the block that it lost to. */
  listBlocks(fromIndex: number, toIndex: number): ChainBlock[] {
    return this.graph.list(fromIndex, toIndex)
  }

  /** One of BLOCK_STATUS, 0 for a block that is not known. */
  blockStatus({ id }: Pick<ChainBlock, 'id'>): number {
    return this.graph.status(id)
  }

  /** The block on the chain of a slot, as long as a node has it. */
  findCliqueBlock(index: number): ChainBlock | undefined {
    return this.graph.findClique(index)
  }

  /** Blocks of [from, to) that consensus remembers: of old final ones there are headers alone. */
  listGraph(fromIndex: number, toIndex: number): GraphBlock[] {
    return this.graph.listGraph(fromIndex, toIndex)
  }

  /** The newest block of each thread. */
  get bestParents(): readonly GraphBlock[] {
    return this.graph.bestParents
  }

  /** The newest final block of each thread. */
  get latestFinalBlocks(): readonly GraphBlock[] {
    return this.graph.latestFinalBlocks
  }

  /** In the pool, or in a block that a node still has. */
  get operations(): ReadonlyMap<string, KnownOperation> {
    return this.known
  }

  get poolSize(): number {
    return this.pool.size
  }

  /** What became of an operation, until ten periods after it expired. */
  findExecution(operationId: string): (Execution & { readonly isFinal: boolean }) | undefined {
    const execution = this.executor.executions.get(operationId)
    return execution && { ...execution, isFinal: this.isFinal(execution.slotIndex) }
  }

  /** Final ones since the beginning. */
  get executedOperationCount(): number {
    return this.executedCount
  }

  /** In order; those of final slots and of others. */
  get events(): readonly ChainEvent[] {
    return this.executor.events.all
  }

  rollsOf(address: string): { readonly candidate: bigint; readonly final: bigint } {
    return {
      candidate: this.engine.rolls.count(address),
      final: this.executor.finalState.rolls.counts.get(address) ?? 0n,
    }
  }

  /** In candidate state, in order of slots. */
  deferredCreditsOf(address: string): DeferredCredit[] {
    return this.engine.rolls.save().credits.filter((credit) => credit.address === address)
  }

  /** In final state, in order of slots. */
  finalDeferredCreditsOf(address: string): DeferredCredit[] {
    return this.executor.finalState.rolls.credits.filter((credit) => credit.address === address)
  }

  /** Says what was executed up to the last final slot; 32 bytes. */
  get finalTrailHash(): Uint8Array {
    return this.executor.finalState.executionTrailHash
  }

  /** Of the last five, oldest first. */
  cyclesOf(address: string): CycleInfo[] {
    const next = Math.floor(slotOfIndex(this.executor.finalIndex + 1).period / PERIODS_PER_CYCLE)
    return this.cycles.of(address).map((counts) => {
      const rolls = this.draw.history.activeIn(counts.cycle).find(([holder]) => holder === address)?.[1]
      return { ...counts, isFinal: counts.cycle < next, activeRolls: rolls === 0n ? undefined : rolls }
    })
  }

  /** Who has rolls in candidate state, most first. */
  listStakers(): { readonly address: string; readonly rolls: bigint }[] {
    const counts = [...this.engine.rolls.save().counts].map(([address, rolls]) => ({ address, rolls }))
    return counts.sort((a, b) => Number(b.rolls - a.rolls) || (a.address < b.address ? -1 : 1))
  }

  /** Whom slots are drawn for in the cycle of the clock, most rolls first. */
  listActiveStakers(): { readonly address: string; readonly rolls: bigint }[] {
    const active = this.draw.history.activeIn(cycleOf(this.clockIndex))
    const stakers = active.flatMap(([address, rolls]) => (rolls > 0n ? { address, rolls } : []))
    return stakers.sort((a, b) => Number(b.rolls - a.rolls))
  }

  /** Whom slots may be drawn for from one to another. */
  listDrawn(fromIndex: number, toIndex: number): ReadonlySet<string> {
    const both = [fromIndex, toIndex].flatMap((index) => this.draw.history.activeIn(cycleOf(index)))
    return new Set(both.flatMap(([address, rolls]) => (rolls > 0n ? address : [])))
  }

  /** Who can make blocks: the chain's own stakers, whether they have rolls or not. */
  get blockMakers(): readonly string[] {
    return this.draw.stakers.map(({ address }) => address)
  }

  /** The last slot whose draw nothing can change any more: at least that of the next cycle while finality keeps up. */
  get lastDrawnIndex(): number {
    return this.draw.history.lastDrawnIndex
  }

  /** By address: 16 endorsers by index. */
  drawOf(index: number): SlotDraw {
    return this.draw.at(index)
  }

  producerOf(index: number): string {
    return this.draw.producerAt(index)
  }
}
