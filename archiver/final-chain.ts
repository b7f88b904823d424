import {
  ArchiveError,
  type BlockIdText,
  type ErrorCode,
  formatSlot,
  type Period,
  type Slot,
  type Spool,
  slotIndex,
} from '../core/index.ts'
import type { Logger } from '../telemetry/index.ts'
import type { BlockIntake } from './block-intake.ts'
import type { AddResult, FinalBlock, Gap, SlotLedger } from './slot-ledger.ts'

const MAX_BROKEN_REMEMBERED = 10_000
/** One write for all: the way to the database takes longer than the mark. At a start there may be thousands. */
const MARKS_AT_ONCE = 64

interface Joined {
  readonly block: FinalBlock
  readonly touched: { readonly from: Period; readonly to: Period }
}

/** Which blocks are final: named so by nodes, or ancestors of such; those whose bodies are spooled join the ledger. */
export class FinalChain {
  private readonly ledger: SlotLedger
  private readonly intake: BlockIntake
  private readonly spool: Spool
  private readonly log: Logger
  private readonly isAgreed: (slot: Slot, id: BlockIdText) => boolean
  private readonly isHalted: () => boolean
  private readonly onHalt: (error: ArchiveError) => void
  private readonly onRefused: (code: ErrorCode, node: number) => void
  private readonly onJoined: (block: FinalBlock) => void
  private readonly onTouched: (touched: { readonly from: Period; readonly to: Period }) => void

  /** Ids that are final although their body is not spooled yet. */
  private readonly wanted = new Map<BlockIdText, Slot | undefined>()
  /** Blocks that contradict the ledger, so that each is said once. */
  private readonly broken = new Set<BlockIdText>()
  /** Final, but their bodies are gone from the spool. */
  private readonly lost = new Map<BlockIdText, Slot>()
  /** Periods that may be decided as soon as the mark of a block is on disk. */
  private readonly underWay = new Set<Joined['touched']>()

  constructor(modules: {
    readonly ledger: SlotLedger
    readonly intake: BlockIntake
    readonly spool: Spool
    readonly log: Logger
    readonly isAgreed: (slot: Slot, id: BlockIdText) => boolean
    readonly isHalted: () => boolean
    readonly onHalt: (error: ArchiveError) => void
    /** With the node that gave the block, or whose word it followed. */
    readonly onRefused: (code: ErrorCode, node: number) => void
    readonly onJoined: (block: FinalBlock) => void
    /** Slots of these periods may be decided now. */
    readonly onTouched: (touched: { readonly from: Period; readonly to: Period }) => void
  }) {
    this.ledger = modules.ledger
    this.intake = modules.intake
    this.spool = modules.spool
    this.log = modules.log
    this.isAgreed = modules.isAgreed
    this.isHalted = modules.isHalted
    this.onHalt = modules.onHalt
    this.onRefused = modules.onRefused
    this.onJoined = modules.onJoined
    this.onTouched = modules.onTouched
  }

  /** A final block: its body is kept whatever else stands at its slot. */
  isWanted(id: BlockIdText): boolean {
    return this.wanted.has(id) || this.ledger.has(id) || this.isMissing(id)
  }

  /** Known by its id alone: its child names it, or it was here and its body is gone. */
  isMissing(id: BlockIdText): boolean {
    return this.lost.has(id) || this.ledger.isMissing(id)
  }

  /** In the ledger, with its body on disk. */
  isHeld(id: BlockIdText): boolean {
    return this.ledger.has(id) && !this.lost.has(id)
  }

  /** @param slot - where it is said to stand, if anybody said */
  want(id: BlockIdText, slot: Slot | undefined): void {
    this.wanted.set(id, slot)
  }

  /** What nodes agreed on; `instead` is what they named before. */
  wantAgreed(slot: Slot, id: BlockIdText, instead: BlockIdText | undefined): void {
    if (instead !== undefined) this.wanted.delete(instead)
    if (!this.wanted.has(id) && !this.ledger.has(id)) this.wanted.set(id, slot)
  }

  /** The first period that a block decides which is in the ledger, but not marked as final yet. */
  get firstUndecided(): Period | undefined {
    let first: Period | undefined
    for (const { from } of this.underWay) if (first === undefined || from < first) first = from
    return first
  }

  /** Blocks that must exist and whose bodies are not on disk. */
  listMissing(): Set<BlockIdText> {
    return new Set([...this.wanted.keys(), ...this.ledger.listMissing().map(({ id }) => id)])
  }

  listWanted(): BlockIdText[] {
    return [...new Set([...this.lost.keys(), ...this.listMissing()])]
  }

  listGaps(): Gap[] {
    const lost = [...this.lost].map(([missing, { thread, period }]) => {
      // Its child is not looked for: whoever asks for the last block before the next period finds this one.
      return { thread, firstPeriod: period, lastPeriod: period, childPeriod: period + 1, missing }
    })
    return [...this.ledger.listGaps(), ...lost]
  }

  /** The spool lost a body that was on disk: it has to be fetched again. */
  lose(slot: Slot, id: BlockIdText): void {
    this.intake.forget([{ slot, id }])
    this.lost.set(id, slot)
  }

  /** Somebody else has archived this period: nothing of it is asked for any more. */
  forgetAt(period: Period): void {
    for (const [id, slot] of this.wanted) if (slot?.period === period) this.wanted.delete(id)
    for (const [id, slot] of this.lost) if (slot.period === period) this.lost.delete(id)
  }

  /** Nothing before `period` is kept any more, nor asked for. */
  forgetBefore(period: Period): void {
    for (const [id, slot] of this.wanted) if (slot && slot.period < period) this.wanted.delete(id)
    for (const [id, slot] of this.lost) if (slot.period < period) this.lost.delete(id)
  }

  async onSpooled(id: BlockIdText, node: number): Promise<void> {
    const slot = this.lost.delete(id) ? this.intake.find(id)?.slot : undefined
    if (slot) this.onTouched({ from: slot.period, to: slot.period })
    if (this.ledger.isMissing(id)) this.wanted.set(id, undefined)
    if (this.wanted.has(id)) await this.accept([id], node)
  }

  /** Of what is final, whatever is spooled: also what a failing disk kept from being accepted when it was spooled. */
  async acceptSpooled(node: number): Promise<void> {
    if (this.isHalted()) return
    const missing = this.ledger.listMissing().filter(({ id }) => this.intake.find(id))
    for (const { id } of missing) if (!this.wanted.has(id)) this.wanted.set(id, undefined)
    const spooled = [...this.wanted.keys()].filter((id) => this.intake.find(id))
    await this.accept(spooled, node)
  }

  /**
   * Final blocks whose bodies are spooled join the ledger, and with them every spooled ancestor: those are final too.
   *
   * @throws what the spool throws for a mark; who has not joined by then joins with a later claim
   */
  async accept(ids: readonly BlockIdText[], node: number): Promise<void> {
    const joining = this.joinWithAncestors(ids, node)
    for (let some = take(joining, MARKS_AT_ONCE); some.length > 0; some = take(joining, MARKS_AT_ONCE)) {
      const marks = await Promise.allSettled(some.map((joined) => this.mark(joined)))
      for (const mark of marks) if (mark.status === 'rejected') throw mark.reason
    }
  }

  private *joinWithAncestors(ids: readonly BlockIdText[], node: number): Generator<Joined> {
    // From the first on; a block's ancestors come before the next.
    const queue = [...ids].reverse()
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      const block = this.intake.find(next)
      if (!block || this.ledger.has(next) || this.isHalted()) continue
      const named = this.wanted.get(next)
      const isMisplaced = named !== undefined && slotIndex(named) !== slotIndex(block.slot)
      if (isMisplaced && !this.isAgreed(block.slot, next)) {
        this.log.error({ blockId: next, slot: formatSlot(named), code: 'ARCHIVER_BLOCK_ID_MISMATCH' }, 'block refused')
        this.onRefused('ARCHIVER_BLOCK_ID_MISMATCH', node)
        this.wanted.delete(next)
        continue
      }
      const touched = this.join(block, node)
      if (touched) yield { block, touched }
      // What a refused block descends from is not final by that; and blocks of another chain would be gone through for ever.
      if (!this.ledger.has(next)) continue
      queue.push(...block.parents.filter((parent) => this.intake.find(parent) && !this.ledger.has(parent)))
    }
  }

  /** Returns the periods of which it may decide slots, if it joined the ledger. */
  private join(block: FinalBlock, node: number): Joined['touched'] | undefined {
    const refusedParent = block.parents.find((parent) => this.broken.has(parent))
    const result: AddResult = refusedParent
      ? { kind: 'broken', thread: block.slot.thread, other: refusedParent }
      : this.ledger.add(block)
    this.wanted.delete(block.id)
    if (result.kind === 'broken') this.sayBroken(block, result.other, node)
    if (result.kind === 'restarted') {
      this.onHalt(
        new ArchiveError(
          'ARCHIVER_CHAIN_RESTARTED',
          `block ${block.id} at ${formatSlot(block.slot)} descends from a restart of the chain at period ${result.restartPeriod}`,
          { restartPeriod: result.restartPeriod },
        ),
      )
    }
    if (result.kind !== 'added') return undefined
    this.onJoined(block)
    this.underWay.add(result.touched)
    return result.touched
  }

  private async mark({ block, touched }: Joined): Promise<void> {
    try {
      await this.spool.putFinal(block.slot, block.id)
    } finally {
      this.underWay.delete(touched)
      this.onTouched(touched)
    }
  }

  private sayBroken({ id, slot }: FinalBlock, other: BlockIdText, node: number): void {
    if (this.broken.has(id)) return
    if (this.broken.size >= MAX_BROKEN_REMEMBERED) this.broken.clear()
    this.broken.add(id)
    const code = 'ARCHIVER_PARENT_LINK_BROKEN'
    this.log.error({ blockId: id, slot: formatSlot(slot), other, code }, 'block refused')
    this.onRefused(code, node)
  }
}

function take<T>(items: Iterator<T>, most: number): T[] {
  const taken: T[] = []
  while (taken.length < most) {
    const { value, done } = items.next()
    if (done) break
    taken.push(value)
  }
  return taken
}
