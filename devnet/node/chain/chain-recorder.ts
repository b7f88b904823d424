import type { DeferredCall, Ledger } from '../../engine/index.ts'
import type { TrackedBlock } from './chain-block.ts'
import type { Control } from './chain-control.ts'
import type { ResolvedChainOptions } from './chain-options.ts'
import {
  type ChainHead,
  deleteBlock,
  deleteExecution,
  deletePooled,
  deleteRolls,
  type FinalRecord,
  putBlock,
  putExecution,
  putHeader,
  putJson,
  putLedgerChanges,
  putPooled,
  putRolls,
  SPACE,
} from './chain-records.ts'
import type { ChainStore, StoreChange } from './chain-store.ts'
import type { TrackedOperation } from './known-operation.ts'
import type { RollCounts } from './roll-history.ts'
import type { FinalSlot } from './slot-executor.ts'
import { identityOf } from './stored-chain.ts'

/**
 * Writes a chain down, or does nothing for one in memory.
 *
 * What cannot be worked out again is written at once: blocks before they are shown, operations and orders before their
 * senders are told. What follows from blocks, execution and finality, waits for the next write: after a kill it is
 * worked out again.
 */
export class ChainRecorder {
  private readonly store: ChainStore | undefined
  private waiting: StoreChange[] = []
  private final: (() => FinalRecord) | undefined

  constructor(store: ChainStore | undefined) {
    this.store = store
  }

  /** A new chain, with all that waits: before anything else. */
  begin(chain: {
    readonly options: ResolvedChainOptions
    readonly clockIndex: number
    readonly genesis: readonly TrackedBlock[]
    readonly ledger: Ledger
    readonly control: Control
  }): void {
    if (!this.store) return
    const { options, clockIndex, genesis, ledger, control } = chain
    const balances = [...ledger.addresses()].map((address) => {
      const change = { created: true, balanceNanoMas: ledger.balance(address), datastore: new Map() }
      return [address, change] as const
    })
    this.waiting.push(
      putJson(SPACE.identity, identityOf(options)),
      putJson(SPACE.head, { clockIndex } satisfies ChainHead),
      putJson(SPACE.control, control),
      ...putLedgerChanges(new Map(balances)),
      ...genesis.map(putBlock),
    )
    this.writeNow(() => this.take())
  }

  /** The blocks of a slot, with all that waits. */
  async write(head: ChainHead, blocks: readonly TrackedBlock[]): Promise<void> {
    if (!this.store) return
    await this.store.write([...this.take(), ...blocks.map(putBlock), putJson(SPACE.head, head)])
  }

  /** All that waits, at once. */
  async writeWaiting(): Promise<void> {
    await this.store?.write(this.take())
  }

  keepPooled(tracked: TrackedOperation): void {
    this.writeNow(() => [putPooled(tracked)])
  }

  keepControl(control: Control): void {
    this.writeNow(() => [putJson(SPACE.control, control)])
  }

  /** Resolves when everything asked for at once is written. */
  async written(): Promise<void> {
    await this.store?.written()
  }

  dropPooled(tracked: TrackedOperation): void {
    this.keep(() => [deletePooled(tracked)])
  }

  keepHeader(block: TrackedBlock): void {
    this.keep(() => [putHeader(block)])
  }

  dropBlock(block: { readonly slotIndex: number; readonly isRival: boolean }): void {
    this.keep(() => [deleteBlock(block)])
  }

  keepFinalSlot({ output, forgottenExecutions }: FinalSlot): void {
    const { slotIndex } = output
    this.keep(() => [
      ...putLedgerChanges(output.ledgerChanges),
      ...output.executedOperations.map(({ id, success, validUntilPeriod }) =>
        putExecution(id, { slotIndex, success, validUntilPeriod }),
      ),
      ...forgottenExecutions.map(deleteExecution),
    ])
  }

  keepDeferredCalls(calls: readonly DeferredCall[]): void {
    this.keep(() => [putJson(SPACE.deferredCalls, calls)])
  }

  /** Held when a cycle ended; of one that is too old nothing is kept. */
  keepRolls(cycle: number, counts: RollCounts, droppedCycle: number): void {
    this.keep(() => [putRolls(cycle, counts), ...(droppedCycle < 0 ? [] : [deleteRolls(droppedCycle)])])
  }

  /** As it is at the next write. */
  keepFinal(describe: () => FinalRecord): void {
    this.final = describe
  }

  async close(): Promise<void> {
    if (!this.store) return
    await this.writeWaiting().catch(() => {})
    await this.store.close()
  }

  private keep(make: () => StoreChange[]): void {
    if (this.store) this.waiting.push(...make())
  }

  private writeNow(make: () => StoreChange[]): void {
    // Who waits for it learns of a failure through `written`.
    this.store?.write(make()).catch(() => {})
  }

  private take(): StoreChange[] {
    const changes = this.waiting
    if (this.final) changes.push(putJson(SPACE.final, this.final()))
    this.waiting = []
    this.final = undefined
    return changes
  }
}
