import {
  computeAddress,
  type Denunciation,
  formatAddress,
  type Slot,
  slotIndex,
  slotOfIndex,
} from '../../../core/index.ts'

import {
  type ContractEngine,
  type ContractEvent,
  type DeferredCall,
  type DeferredCredit,
  type Ledger,
  ROLL_PRICE_NANO_MAS,
  type RollState,
  type StateChanges,
  toEngineOperation,
} from '../../engine/index.ts'
import type { TrackedBlock } from './chain-block.ts'
import { EventMemory } from './event-memory.ts'
import type { TrackedOperation } from './known-operation.ts'
import { payRewards } from './rewards.ts'

/** Periods after its expiry in which a node knows what became of an operation (KEEP_EXECUTED_HISTORY_EXTRA_PERIODS). */
const KEEP_EXECUTED_PERIODS = 10
/** For each denunciation (ROLL_COUNT_TO_SLASH_ON_DENUNCIATION); half their price is a reward for the block. */
const SLASHED_ROLLS = 1n
/** What the execution of a slot did. */
export interface SlotOutput {
  readonly slot: Slot
  readonly slotIndex: number
  /** Absent when the slot was missed. */
  readonly block: TrackedBlock | undefined
  /** Address drawn for the slot. */
  readonly producer: string
  readonly events: readonly ContractEvent[]
  readonly executedOperations: readonly ExecutedOperation[]
  /** Of who signed two blocks for one slot: a roll was taken from him. */
  readonly executedDenunciations: readonly Denunciation[]
  readonly ledgerChanges: StateChanges
  /** New counts of the addresses that have another one than before. */
  readonly rollChanges: ReadonlyMap<string, bigint>
  /** New amounts; 0n for what was paid out. */
  readonly deferredCreditChanges: readonly DeferredCredit[]
  readonly executionTrailHash: Uint8Array
}

export interface ExecutedOperation {
  readonly id: string
  readonly success: boolean
  /** `expire_period` of the operation. */
  readonly validUntilPeriod: number
}

/** What became of an operation. */
export interface Execution {
  readonly slotIndex: number
  readonly success: boolean
  readonly validUntilPeriod: number
}

/** State beside the ledger after a slot. */
export interface PlainState {
  readonly rolls: RollState
  readonly deferredCalls: readonly DeferredCall[]
  readonly executionTrailHash: Uint8Array
}

/** A final slot with the state after it. */
export interface FinalSlot {
  readonly output: SlotOutput
  readonly state: PlainState
  /** Ids of operations whose outcome is forgotten now. */
  readonly forgottenExecutions: readonly string[]
}

/** Executes slots one after another in candidate state, and makes them final in the same order. */
export class SlotExecutor {
  readonly engine: ContractEngine
  readonly finalLedger: Ledger
  readonly events: EventMemory
  readonly executions = new Map<string, Execution>()
  /** State beside the ledger after the last final slot. */
  finalState: PlainState
  private readonly unfinal: { readonly output: SlotOutput; readonly state: PlainState }[] = []
  private readonly expiring = new Map<number, string[]>()
  private readonly addresses = new Map<string, string>()
  private oldestExpiring = 0
  private finalSlotIndex: number

  /** @param state - of the engine's slot; both ledgers are those of it */
  constructor(modules: { readonly engine: ContractEngine; readonly finalLedger: Ledger }, maxEventBytes: number) {
    this.events = new EventMemory(maxEventBytes)
    this.engine = modules.engine
    this.finalLedger = modules.finalLedger
    this.finalSlotIndex = slotIndex(modules.engine.slot)
    this.finalState = this.capture()
  }

  get executedIndex(): number {
    return slotIndex(this.engine.slot)
  }

  get finalIndex(): number {
    return this.finalSlotIndex
  }

  /** Outcomes that were final before. */
  resume(executions: Iterable<readonly [id: string, execution: Execution]>): void {
    for (const [id, execution] of executions) this.remember(id, execution)
  }

  /**
   * Executes the next slot: deferred calls, the operations of the block as far as they were not executed before,
   * denunciations, rewards, and what is owed for sold rolls.
   */
  execute(block: TrackedBlock | undefined, who: { readonly producer: string; readonly endorsed: string }): SlotOutput {
    const { engine } = this
    const slot = slotOfIndex(this.executedIndex + 1)
    const before = engine.rolls.save()
    const snapshot = engine.snapshot()
    const mark = engine.ledger.mark()
    const events = engine.setSlot(slot, block?.idBytes).flatMap((outcome) => outcome.events)
    const executed: ExecutedOperation[] = []
    let fees = 0n
    for (const tracked of block?.operations ?? []) {
      if (this.executions.has(tracked.id)) continue
      const outcome = engine.executeOperation(
        toEngineOperation(tracked.creatorBytes, tracked.operation, tracked.idBytes),
      )
      events.push(...outcome.events)
      if (!outcome.included) continue
      fees += tracked.operation.feeNanoMas
      executed.push(this.settle(tracked, { block, slot, success: outcome.success }))
    }
    const denunciations = block?.header.denunciations ?? []
    for (const { publicKey } of denunciations) {
      const slashed = engine.rolls.slash(this.addressOf(publicKey), SLASHED_ROLLS)
      fees += (slashed * ROLL_PRICE_NANO_MAS) / 2n
    }
    if (block) {
      const endorsers = block.header.endorsements.map(({ publicKey }) => this.addressOf(publicKey))
      payRewards(engine, { producer: block.creator, endorsers, endorsed: who.endorsed }, fees)
    }
    engine.payDeferredCredits()
    const state = this.capture()
    const output: SlotOutput = {
      ...{ slot, slotIndex: slotIndex(slot), block, producer: who.producer, events, executedOperations: executed },
      executedDenunciations: denunciations,
      ledgerChanges: engine.ledger.changesSince(mark),
      ...compareRolls(before, state.rolls),
      executionTrailHash: state.executionTrailHash,
    }
    engine.release(snapshot)
    for (const event of events) this.events.add({ event, block: block?.id })
    this.unfinal.push({ output, state })
    return output
  }

  /** Makes the next slot final. */
  finalize(): FinalSlot {
    const next = this.unfinal.shift()
    if (!next) throw new Error('a slot cannot be final before it was executed')
    const { output, state } = next
    this.finalSlotIndex = output.slotIndex
    this.finalState = state
    applyChanges(this.finalLedger, output.ledgerChanges)
    return { output, state, forgottenExecutions: this.forgetExecutions(output.slot.period) }
  }

  private settle(
    tracked: TrackedOperation,
    { block, slot, success }: { block: TrackedBlock | undefined; slot: Slot; success: boolean },
  ): ExecutedOperation {
    const validUntilPeriod = Number(tracked.operation.expirePeriod)
    const index = slotIndex(slot)
    this.remember(tracked.id, { slotIndex: index, success, validUntilPeriod })
    if (block) tracked.inclusion = { slotIndex: index, block: block.id, success }
    return { id: tracked.id, success, validUntilPeriod }
  }

  private remember(id: string, execution: Execution): void {
    this.executions.set(id, execution)
    const ids = this.expiring.get(execution.validUntilPeriod)
    if (ids) ids.push(id)
    else this.expiring.set(execution.validUntilPeriod, [id])
  }

  private forgetExecutions(finalPeriod: number): string[] {
    const forgotten: string[] = []
    for (; this.oldestExpiring + KEEP_EXECUTED_PERIODS < finalPeriod; this.oldestExpiring++) {
      forgotten.push(...(this.expiring.get(this.oldestExpiring) ?? []))
      this.expiring.delete(this.oldestExpiring)
    }
    for (const id of forgotten) this.executions.delete(id)
    return forgotten
  }

  private capture(): PlainState {
    const { engine } = this
    return {
      rolls: engine.rolls.save(),
      deferredCalls: engine.listDeferredCalls(),
      executionTrailHash: engine.executionTrailHash,
    }
  }

  /** Blocks share the keys of few stakers. */
  private addressOf(publicKey: Uint8Array): string {
    const name = String.fromCharCode(...publicKey)
    const address = this.addresses.get(name) ?? formatAddress(computeAddress(publicKey))
    this.addresses.set(name, address)
    return address
  }
}

function compareRolls(before: RollState, after: RollState): Pick<SlotOutput, 'rollChanges' | 'deferredCreditChanges'> {
  const rollChanges = new Map<string, bigint>()
  if (before === after) return { rollChanges, deferredCreditChanges: [] }
  for (const address of new Set([...before.counts.keys(), ...after.counts.keys()])) {
    const count = after.counts.get(address) ?? 0n
    if (count !== (before.counts.get(address) ?? 0n)) rollChanges.set(address, count)
  }
  const paid = before.credits
    .filter(({ slot }) => !after.credits.some((credit) => slotIndex(credit.slot) === slotIndex(slot)))
    .map((credit) => ({ ...credit, amountNanoMas: 0n }))
  const owed = after.credits.filter((credit) => !before.credits.includes(credit))
  return { rollChanges, deferredCreditChanges: [...paid, ...owed] }
}

function applyChanges(ledger: Ledger, changes: StateChanges): void {
  for (const [address, change] of changes) {
    if (change.balanceNanoMas !== undefined) ledger.setBalance(address, change.balanceNanoMas)
    if (change.bytecode !== undefined) ledger.setBytecode(address, change.bytecode)
    for (const [key, value] of change.datastore) {
      const bytes = Buffer.from(key, 'latin1')
      if (value === undefined) ledger.deleteValue(address, bytes)
      else ledger.setValue(address, bytes, value)
    }
  }
  ledger.dropJournal()
}
