import {
  ArchiveError,
  type BlockIdText,
  type ErrorCode,
  formatSlot,
  type Period,
  type Slot,
  slotIndex,
  slotOfIndex,
} from '../core/index.ts'
import type { Logger } from '../telemetry/index.ts'
import { type Agreed, Agreement, type Awaited, type Conflict } from './agreement.ts'
import type { ArchivedIndex } from './archived-index.ts'
import { isBlockId } from './block-id-text.ts'
import type { FinalityClaim } from './feed.ts'

/** How far from the slots that are due a node may name final blocks. */
const NEAR_PERIODS = 64

/** What nodes say is final: checked against what is archived and against each other. */
export class FinalityClaims {
  private readonly nodeCount: number
  private readonly archived: ArchivedIndex
  private readonly log: Logger
  private readonly isKnown: (id: BlockIdText) => boolean
  private readonly firstDuePeriod: (lastFinalSlot: Slot) => Period
  private readonly onRefused: (code: ErrorCode, node: number) => void
  private readonly onHalt: (error: ArchiveError) => void
  private readonly onConflictChanged: () => void

  private readonly agreement: Agreement
  /** Nodes that name another chain than the archived one, when the others outvote them. */
  private readonly dissenters = new Set<number>()
  private currentConflict: Conflict | undefined
  private highestFinalSlot: Slot | undefined

  constructor(
    options: { readonly nodeCount: number },
    modules: {
      readonly archived: ArchivedIndex
      readonly log: Logger
      readonly isKnown: (id: BlockIdText) => boolean
      /** From here on nodes are asked. */
      readonly firstDuePeriod: (lastFinalSlot: Slot) => Period
      readonly onRefused: (code: ErrorCode, node: number) => void
      readonly onHalt: (error: ArchiveError) => void
      readonly onConflictChanged: () => void
    },
  ) {
    this.nodeCount = options.nodeCount
    this.archived = modules.archived
    this.log = modules.log
    this.isKnown = modules.isKnown
    this.firstDuePeriod = modules.firstDuePeriod
    this.onRefused = modules.onRefused
    this.onHalt = modules.onHalt
    this.onConflictChanged = modules.onConflictChanged
    this.agreement = new Agreement(options.nodeCount)
  }

  get conflict(): Conflict | undefined {
    return this.currentConflict
  }

  /** Of any node. */
  get lastFinalSlot(): Slot | undefined {
    return this.highestFinalSlot
  }

  /** Slots that a node may speak of: a bound for what is remembered of its words. */
  isNear(slot: Slot): boolean {
    const final = this.highestFinalSlot
    if (!final) return true
    return slot.period >= this.firstDuePeriod(final) - NEAR_PERIODS && slot.period <= final.period + NEAR_PERIODS
  }

  isAgreed(slot: Slot, id: BlockIdText): boolean {
    return this.agreement.isAgreed(slot, id)
  }

  onNodeUp(node: number, lastFinalSlot: Slot): void {
    this.agreement.setUp(node, true)
    this.agreement.setCursor(node, lastFinalSlot)
    if (!this.highestFinalSlot || slotIndex(lastFinalSlot) > slotIndex(this.highestFinalSlot)) {
      this.highestFinalSlot = lastFinalSlot
    }
  }

  onNodeDown(node: number): void {
    this.agreement.setUp(node, false)
  }

  /** What it said before no longer binds it. */
  onNodeRestart(node: number): void {
    this.agreement.forgetNode(node)
  }

  /** @returns slots that became agreed, ascending; whether nodes are in conflict is known before they are handed on */
  take(node: number, claims: readonly FinalityClaim[]): Agreed[] {
    for (const claim of this.dropContradictions(node, claims)) this.takeOne(node, claim)
    this.checkConflict()
    return this.agreement.takeAgreed()
  }

  /** The lowest open slot that waits for a node that is up and names nothing for it. */
  findAwaited(isOpen: (slot: Slot) => boolean): Awaited | undefined {
    return this.agreement.findAwaited(isOpen)
  }

  forgetBefore(slot: Slot): void {
    this.agreement.forgetBefore(slot)
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
    const code = 'ARCHIVER_PARENT_LINK_BROKEN'
    this.log.error({ node, slot: slots[0], count: slots.length, code }, 'node names several final blocks for one slot')
    this.onRefused(code, node)
    return claims.filter(({ slot }) => !contradicted.has(slotIndex(slot)))
  }

  private takeOne(node: number, { slot, id }: FinalityClaim): void {
    if (id !== 'none' && !this.isKnown(id) && !isBlockId(id)) {
      this.onRefused('ARCHIVER_BLOCK_ID_MISMATCH', node)
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

  private onReplaced(node: number, slot: Slot, id: string, archivedId: string): void {
    const text = `node ${node} names ${id} at ${formatSlot(slot)}, where ${archivedId} is archived`
    const isNew = !this.dissenters.has(node)
    this.dissenters.add(node)
    if (this.nodeCount >= 3 && this.dissenters.size * 2 <= this.nodeCount) {
      if (isNew)
        this.log.error({ node, slot: formatSlot(slot), reason: text, code: 'ARCHIVER_CHAIN_REPLACED' }, 'node outvoted')
      return
    }
    this.onHalt(new ArchiveError('ARCHIVER_CHAIN_REPLACED', text, { node, id, archivedId }))
  }

  private checkConflict(): void {
    const conflict = this.agreement.firstConflict()
    const changed = conflict
      ? !this.currentConflict || slotIndex(conflict.slot) !== slotIndex(this.currentConflict.slot)
      : this.currentConflict
    this.currentConflict = conflict
    if (conflict && changed) {
      const claims = [...conflict.claims].map(([node, id]) => `node ${node}: ${id}`).join(', ')
      this.log.error({ slot: formatSlot(conflict.slot), claims, code: 'ARCHIVER_NODE_CONFLICT' }, 'nodes disagree')
    } else if (changed) this.log.info({}, 'nodes agree again')
    if (changed) this.onConflictChanged()
  }
}
