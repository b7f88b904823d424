import {
  ArchiveError,
  type BlockIdText,
  type Clock,
  type ErrorCode,
  formatSlot,
  type Period,
  type Slot,
  slotIndex,
  slotOfIndex,
} from '../core/index.ts'
import type { Logger } from '../telemetry/index.ts'
import { type Agreed, Agreement, type Awaited, type Claim, type Conflict, type Lone } from './agreement.ts'
import type { ArchivedIndex } from './archived-index.ts'
import { isBlockId } from './block-id-text.ts'
import type { KeptConflict } from './conflict-mark.ts'
import type { FinalityClaim } from './feed.ts'
import { NodePresence } from './node-presence.ts'

/** How far from the slots that are due a node may name final blocks. */
const NEAR_PERIODS = 64

/** What nodes say is final: checked against what is archived and against each other. */
export class FinalityClaims {
  private readonly nodeUrls: readonly string[]
  private readonly archived: ArchivedIndex
  private readonly log: Logger
  private readonly isKnown: (id: BlockIdText) => boolean
  private readonly firstDuePeriod: (lastFinalSlot: Slot) => Period
  private readonly onRefused: (code: ErrorCode, node: number) => void
  private readonly onHalt: (error: ArchiveError) => void
  private readonly isDecided: (slot: Slot) => boolean
  private readonly onConflictChanged: () => void

  private readonly agreement: Agreement
  private readonly presence: NodePresence
  /** Nodes that name another chain than the archived one, when the others outvote them. */
  private readonly dissenters = new Set<number>()
  private currentConflict: Conflict | undefined
  private highestFinalSlot: Slot | undefined

  constructor(
    options: { readonly nodeUrls: readonly string[] },
    modules: {
      readonly archived: ArchivedIndex
      readonly clock: Clock
      readonly log: Logger
      readonly isKnown: (id: BlockIdText) => boolean
      /** From here on nodes are asked. */
      readonly firstDuePeriod: (lastFinalSlot: Slot) => Period
      readonly onRefused: (code: ErrorCode, node: number) => void
      readonly onHalt: (error: ArchiveError) => void
      /** Whether blocks that were agreed on say what stands at a slot, or it will not be archived anyway. */
      readonly isDecided: (slot: Slot) => boolean
      readonly onConflictChanged: () => void
    },
  ) {
    this.nodeUrls = options.nodeUrls
    this.archived = modules.archived
    this.log = modules.log
    this.isKnown = modules.isKnown
    this.firstDuePeriod = modules.firstDuePeriod
    this.onRefused = modules.onRefused
    this.onHalt = modules.onHalt
    this.isDecided = modules.isDecided
    this.onConflictChanged = modules.onConflictChanged
    this.agreement = new Agreement(options.nodeUrls.length)
    this.presence = new NodePresence(options.nodeUrls.length, modules.clock)
  }

  get conflict(): Conflict | undefined {
    return this.currentConflict
  }

  /** The conflict with the names that nodes keep when the configuration changes. */
  get keptConflict(): KeptConflict | undefined {
    const conflict = this.currentConflict
    if (!conflict) return undefined
    const claims = [...conflict.claims].map(([node, id]) => [this.urlOf(node), id] as const)
    return { slot: conflict.slot, claims: new Map(claims) }
  }

  /**
   * A conflict that stood when the archiver ended stands again.
   *
   * @returns false when the nodes that are still configured did not differ: then the operator has decided
   */
  recall({ slot, claims }: KeptConflict): boolean {
    const known = new Map<number, Claim>()
    for (const [node, url] of this.nodeUrls.entries()) {
      const claim = claims.get(url)
      if (claim !== undefined) known.set(node, claim)
    }
    if (new Set(known.values()).size < 2) return false
    this.agreement.hold({ slot, claims: known })
    this.checkConflict()
    return true
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

  /** Nodes are asked from now on. */
  begin(): void {
    this.presence.begin()
  }

  onNodeUp(node: number, lastFinalSlot: Slot): void {
    this.presence.onStatus(node)
    this.agreement.setCursor(node, lastFinalSlot)
    if (!this.highestFinalSlot || slotIndex(lastFinalSlot) > slotIndex(this.highestFinalSlot)) {
      this.highestFinalSlot = lastFinalSlot
    }
  }

  onNodeDown(node: number): void {
    this.presence.onFailed(node)
  }

  /** What it said before no longer binds it. */
  onNodeRestart(node: number): void {
    this.agreement.forgetNode(node)
  }

  /** @returns slots that became agreed, ascending; whether nodes are in conflict is known before they are handed on */
  take(node: number, claims: readonly FinalityClaim[]): Agreed[] {
    this.presence.onSpoke(node)
    this.lookWhoIsUp()
    for (const claim of this.dropContradictions(node, claims)) this.takeOne(node, claim)
    this.checkConflict()
    const before = this.agreement.lone
    const agreed = this.agreement.takeAgreed()
    this.sayLone(before, this.agreement.lone)
    return agreed
  }

  /** The lowest open slot that waits for a node that names nothing for it. */
  findAwaited(isOpen: (slot: Slot) => boolean): Awaited | undefined {
    this.lookWhoIsUp()
    return this.agreement.findAwaited(isOpen)
  }

  forgetBefore(slot: Slot): void {
    this.agreement.forgetBefore(slot)
  }

  private lookWhoIsUp(): void {
    for (const node of this.nodeUrls.keys()) this.agreement.setUp(node, !this.presence.isDown(node))
  }

  private urlOf(node: number): string {
    return this.nodeUrls[node] ?? `node ${node}`
  }

  private sayLone(before: Lone | undefined, now: Lone | undefined): void {
    if (before === now) return
    if (!now) {
      this.log.info({}, 'both nodes decide again')
      return
    }
    const fields = { node: now.node, url: this.urlOf(now.node), slot: formatSlot(now.slot) }
    this.log.warn({ ...fields, code: 'ARCHIVER_NODE_ALONE' }, 'one node alone decides from this slot on')
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
    if (this.nodeUrls.length >= 3 && this.dissenters.size * 2 <= this.nodeUrls.length) {
      if (isNew)
        this.log.error({ node, slot: formatSlot(slot), reason: text, code: 'ARCHIVER_CHAIN_REPLACED' }, 'node outvoted')
      return
    }
    this.onHalt(new ArchiveError('ARCHIVER_CHAIN_REPLACED', text, { node, id, archivedId }))
  }

  private findConflict(): Conflict | undefined {
    let conflict = this.agreement.firstConflict()
    // Raised while its period was on its way to disk: now a node that names another block is on another chain.
    while (conflict && this.archived.has(conflict.slot.period)) {
      this.agreement.forgetSlot(conflict.slot)
      conflict = this.agreement.firstConflict()
    }
    return conflict
  }

  private checkConflict(): void {
    if (this.agreement.isSettled(this.isDecided)) this.agreement.hold(undefined)
    const conflict = this.findConflict()
    this.agreement.hold(conflict)
    const changed = conflict
      ? !this.currentConflict || slotIndex(conflict.slot) !== slotIndex(this.currentConflict.slot)
      : this.currentConflict
    this.currentConflict = conflict
    if (conflict && changed) {
      const claims = [...conflict.claims].map(([node, id]) => `${this.urlOf(node)}: ${id}`).join(', ')
      this.log.error({ slot: formatSlot(conflict.slot), claims, code: 'ARCHIVER_NODE_CONFLICT' }, 'nodes disagree')
    } else if (changed) this.log.info({}, 'nodes agree again')
    if (changed) this.onConflictChanged()
  }
}
