import type { BlockIdText, Period, Slot } from '../core/index.ts'
import type { Awaited } from './agreement.ts'
import type { ArchivedIndex } from './archived-index.ts'
import type { FinalChain } from './final-chain.ts'
import type { FinalityClaims } from './finality-claims.ts'
import type { Gap, SlotLedger } from './slot-ledger.ts'

/** A node holds final blocks of six periods by default; a new archive begins with what it still shows. */
export const NODE_MEMORY_PERIODS = 8
/** Decided slots that are looked at again, so that a node that changes its mind is noticed. */
const OVERLAP_PERIODS = 1
/** As much as a node remembers: these blocks have room in the spool when it is full. */
const URGENT_PERIODS = 8

export interface OpenSlotsModules {
  readonly ledger: SlotLedger
  readonly archived: ArchivedIndex
  readonly claims: FinalityClaims
  readonly chain: FinalChain
}

/** What is neither archived nor decided yet. */
export class OpenSlots {
  private readonly modules: OpenSlotsModules

  constructor(modules: OpenSlotsModules) {
    this.modules = modules
  }

  /** Without what is archived: a block on either side of a gap, or of an archived run, may stand periods away from its end. */
  listGaps(): Gap[] {
    const { chain, archived } = this.modules
    return chain.listGaps().flatMap((gap) => {
      const open = archived.listOpen({ from: gap.firstPeriod, to: gap.lastPeriod })
      return open.map(({ from, to }) => ({ ...gap, firstPeriod: from, lastPeriod: to }))
    })
  }

  findAwaited(): Awaited | undefined {
    const { claims, ledger } = this.modules
    return claims.findAwaited((slot) => !this.isDone(slot.period) && ledger.decide(slot) === undefined)
  }

  /** Of a new archive what lies before its first blocks is not archived either. */
  isDecided(slot: Slot): boolean {
    const { ledger } = this.modules
    const range = ledger.range()
    if (this.isDone(slot.period) || (range && slot.period < range.from)) return true
    return ledger.decide(slot) !== undefined
  }

  isDone(period: Period): boolean {
    const { archived } = this.modules
    return archived.has(period) || archived.isBefore(period)
  }

  /** Blocks that must exist and are not held, and whatever comes next after the newest archived period. */
  isUrgent(id: BlockIdText, slot: Slot): boolean {
    const { archived, ledger, chain } = this.modules
    const { lastPeriod } = archived
    if (lastPeriod !== undefined && slot.period <= lastPeriod + URGENT_PERIODS) return true
    return ledger.isMissing(id) || (ledger.has(id) && !chain.isHeld(id))
  }

  /** From where on a node is asked for final blocks. */
  searchFrom(lastFinalSlot: Slot): Slot {
    const { ledger, archived } = this.modules
    const open = ledger.firstOpenSlot()
    // What is open at the head is asked for from its start: a node with a long memory may hold more than the default.
    if (open) {
      const last = archived.lastPeriod ?? open.period
      return { period: Math.max(1, Math.min(open.period - OVERLAP_PERIODS, last)), thread: 0 }
    }
    return { period: Math.max(1, lastFinalSlot.period - NODE_MEMORY_PERIODS), thread: 0 }
  }
}
