import { type Slot, slotIndex } from '../../core/units.ts'
import { ExecutionFault } from './faults.ts'

/** Price of a roll, for buyers and sellers (massa-models, ROLL_PRICE). */
export const ROLL_PRICE_NANO_MAS = 100_000_000_000n
export const PERIODS_PER_CYCLE = 128
/** A sold roll is paid at the end of the third cycle after the sale. */
const CREDIT_DELAY_CYCLES = 3
const LAST_THREAD = 31

/** Coins that an address gets in a slot to come. */
export interface DeferredCredit {
  readonly slot: Slot
  readonly address: string
  readonly amountNanoMas: bigint
}

export interface RollState {
  /** Addresses without rolls are left out. */
  readonly counts: ReadonlyMap<string, bigint>
  /** In order of slots, then of sales. */
  readonly credits: readonly DeferredCredit[]
}

/** Who holds how many rolls, and what is owed for sold ones. An old state can be put back: a state is never changed. */
export class Rolls {
  private state: RollState

  constructor(state: RollState = { counts: new Map(), credits: [] }) {
    this.state = state
  }

  save(): RollState {
    return this.state
  }

  restore(state: RollState): void {
    this.state = state
  }

  count(address: string): bigint {
    return this.state.counts.get(address) ?? 0n
  }

  add(address: string, rollCount: bigint): void {
    this.state = { ...this.state, counts: this.countsWith(address, this.count(address) + rollCount) }
  }

  /** @throws ExecutionFault when there are fewer */
  sell(address: string, rollCount: bigint, now: Slot): void {
    const owned = this.count(address)
    if (owned < rollCount) {
      throw new ExecutionFault(`\`RollSell\` error: ${address} tried to sell ${rollCount} rolls but only has ${owned}`)
    }
    const cycle = Math.floor(now.period / PERIODS_PER_CYCLE) + CREDIT_DELAY_CYCLES
    const slot = { period: (cycle + 1) * PERIODS_PER_CYCLE - 1, thread: LAST_THREAD }
    const isSame = (credit: DeferredCredit) => credit.address === address && slotIndex(credit.slot) === slotIndex(slot)
    const owed = this.state.credits.find(isSame)?.amountNanoMas ?? 0n
    const credit = { slot, address, amountNanoMas: owed + rollCount * ROLL_PRICE_NANO_MAS }
    const credits = [...this.state.credits.filter((other) => !isSame(other)), credit]
    this.state = { counts: this.countsWith(address, owned - rollCount), credits }
  }

  /** Takes rolls away, as many as there are. @returns how many */
  slash(address: string, rollCount: bigint): bigint {
    const owned = this.count(address)
    const slashed = owned < rollCount ? owned : rollCount
    this.state = { ...this.state, counts: this.countsWith(address, owned - slashed) }
    return slashed
  }

  /** Takes out what is due at or before the slot. */
  takeDue(slot: Slot): readonly DeferredCredit[] {
    const isDue = (credit: DeferredCredit) => slotIndex(credit.slot) <= slotIndex(slot)
    const due = this.state.credits.filter(isDue)
    if (due.length > 0) {
      this.state = { ...this.state, credits: this.state.credits.filter((credit) => !isDue(credit)) }
    }
    return due
  }

  private countsWith(address: string, count: bigint): ReadonlyMap<string, bigint> {
    const counts = new Map(this.state.counts)
    if (count === 0n) counts.delete(address)
    else counts.set(address, count)
    return counts
  }
}
