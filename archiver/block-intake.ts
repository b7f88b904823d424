import {
  type BlockIdText,
  type ErrorCode,
  isArchiveError,
  MAX_BLOCK_OPERATIONS,
  type QuarantinedBlock,
  RawFilledBlockCodec,
  SecureHashCodec,
  type Slot,
  type Spool,
  type SpooledBlock,
  slotIndex,
} from '../core/index.ts'
import type { Logger } from '../telemetry/index.ts'
import { MAX_ID_LENGTH } from './block-id-text.ts'
import type { CpuWork } from './cpu-pool.ts'
import { exceedsEntries } from './entry-limit.ts'
import type { IntakeResult } from './feed.ts'
import type { FinalBlock } from './slot-ledger.ts'
import type { SpoolRoom } from './spool-room.ts'
import { isStoreFailure } from './store-watch.ts'
import type { VerifiedBlock } from './verify-block.ts'

/** A slot's producer may sign two blocks; more than two bodies for one slot are only kept when one is final. */
const MAX_BODIES_PER_SLOT = 2
/** Past a few MB no block can be: the network limits them to 300 kB, of which messages make five times as much. */
const MAX_BLOCK_MESSAGE_BYTES = 8 * 1024 * 1024
const MAX_BLOCK_MESSAGE_ENTRIES = MAX_BLOCK_OPERATIONS + 16
/** Raw bytes of refused blocks are kept, newest first, in case a node calls one of them final. */
const MAX_REFUSED_BYTES = 16 * 1024 * 1024

const MAX_REFUSALS_REMEMBERED = 10_000
/** Askings between two tries of what is refused again and again: at one poll a second, some ten minutes. */
const MAX_SKIPS = 512
/** What LevelDB and the index of a spooled block take beside it. */
const SPOOLED_OVERHEAD_BYTES = 160

interface HeldBlock extends FinalBlock {
  readonly sizeBytes: number
}

/** Takes blocks from nodes: verified once, spooled once, whoever sends them and how often. */
export class BlockIntake {
  private readonly chainId: bigint
  private readonly spool: Spool
  private readonly cpu: CpuWork
  private readonly log: Logger
  private readonly isWanted: (id: BlockIdText) => boolean
  private readonly isArchived: (period: number) => boolean
  private readonly room: SpoolRoom
  private readonly isUrgent: (id: BlockIdText, slot: Slot) => boolean
  private readonly isDue: (slot: Slot) => boolean
  private readonly onSpooled: (block: VerifiedBlock, node: number) => Promise<void>
  private readonly onArchived: (block: VerifiedBlock) => void
  private readonly onRefused: (code: ErrorCode, node: number) => void

  private readonly facts = new Map<BlockIdText, HeldBlock>()
  private readonly bySlot = new Map<number, BlockIdText[]>()
  private readonly inFlight = new Map<string, Promise<IntakeResult>>()
  private readonly refused = new Map<BlockIdText, QuarantinedBlock>()
  private refusedBytes = 0
  /** By `node id`, of what a node gave and was refused: how often, and how many askings from now it may be tried again. */
  private readonly refusedFrom = new Map<string, { times: number; skips: number }>()
  /** Verified blocks for whose bodies a slot had no place. */
  private readonly ignored = new Map<BlockIdText, Slot>()
  /** Verified blocks that came too early or found the spool full: taken when they are given again later. */
  private readonly postponed = new Map<BlockIdText, Slot>()

  constructor(
    options: { readonly chainId: bigint },
    modules: {
      readonly spool: Spool
      readonly cpu: CpuWork
      readonly log: Logger
      /** Final blocks are kept whatever else stands at their slot. */
      readonly isWanted: (id: BlockIdText) => boolean
      /** Nothing of an archived period comes back into the spool. */
      readonly isArchived: (period: number) => boolean
      readonly room: SpoolRoom
      /** Archiving waits for such a block: it may use room that is kept back from others. */
      readonly isUrgent: (id: BlockIdText, slot: Slot) => boolean
      /** False for slots that are not due yet by the clock: whoever signs for them could fill the spool for ever. */
      readonly isDue: (slot: Slot) => boolean
      readonly onSpooled: (block: VerifiedBlock, node: number) => Promise<void>
      /** A verified block of an archived period: it is not taken. */
      readonly onArchived: (block: VerifiedBlock) => void
      readonly onRefused: (code: ErrorCode, node: number) => void
    },
  ) {
    this.chainId = options.chainId
    this.spool = modules.spool
    this.cpu = modules.cpu
    this.log = modules.log
    this.isWanted = modules.isWanted
    this.isArchived = modules.isArchived
    this.room = modules.room
    this.isUrgent = modules.isUrgent
    this.isDue = modules.isDue
    this.onSpooled = modules.onSpooled
    this.onArchived = modules.onArchived
    this.onRefused = modules.onRefused
  }

  get sizeBlocks(): number {
    return this.facts.size
  }

  /** What the spool holds is known again after a restart; blocks of slots that are not due leave it. */
  async load(): Promise<void> {
    const early: { slot: Slot; id: BlockIdText }[] = []
    for await (const block of this.spool.listBlocks()) {
      if (!this.isDue(block.slot)) early.push({ slot: block.slot, id: block.id })
      else if (!this.facts.has(block.id)) {
        this.room.hold(block.slot, sizeOf(block), 1)
        this.remember(block)
      }
    }
    if (early.length === 0) return
    try {
      await this.spool.deleteBlocks(early)
    } catch (error) {
      if (!isStoreFailure(error)) throw error
      // Nothing knows of them: the next start tries again.
      this.log.error({ err: error }, 'spool not cleared')
    }
  }

  private remember(block: SpooledBlock): void {
    // Neighbours name the same parents: without sharing the texts they are most of what a fact takes.
    const parents = block.parents.map((parent) => this.facts.get(parent)?.id ?? parent)
    this.facts.set(block.id, { id: block.id, slot: block.slot, parents, sizeBytes: sizeOf(block) })
    const places = this.bySlot.get(slotIndex(block.slot)) ?? []
    if (!places.includes(block.id)) this.bySlot.set(slotIndex(block.slot), [...places, block.id])
  }

  find(id: BlockIdText): FinalBlock | undefined {
    return this.facts.get(id)
  }

  /** Of verified blocks, those without a place too. */
  slotOf(id: BlockIdText): Slot | undefined {
    return this.facts.get(id)?.slot ?? this.ignored.get(id) ?? this.postponed.get(id)
  }

  findRefused(id: BlockIdText): QuarantinedBlock | undefined {
    return this.refused.get(id)
  }

  isHandled(id: BlockIdText): boolean {
    return this.facts.has(id) || this.inFlight.has(id)
  }

  /** False for a while, twice as long each time, after a node gave a block that was refused; and for what has no place. */
  isDueFrom(node: number, id: BlockIdText): boolean {
    if (this.ignored.has(id) && !this.isWanted(id)) return false
    if (this.isPostponed(id)) return false
    const entry = this.refusedFrom.get(`${node} ${id}`)
    if (!entry) return true
    entry.skips--
    return entry.skips < 0
  }

  /**
   * Verifies and spools; never rejects for what the block is, only when the spool cannot be written.
   *
   * @param isBelieved - false: operations whose bytes their ids do not bind are not taken from this one (docs/FORMAT.md, BODY)
   */
  take(
    node: number,
    filledBlock: Uint8Array,
    expectedId?: BlockIdText,
    isBelieved: boolean = true,
  ): Promise<IntakeResult> {
    if (filledBlock.length > MAX_BLOCK_MESSAGE_BYTES || exceedsEntries(filledBlock, MAX_BLOCK_MESSAGE_ENTRIES)) {
      return Promise.resolve(this.refuseUnread(node, filledBlock.length, expectedId))
    }
    const { claimedId, complete } = peek(filledBlock)
    const id = (expectedId ?? claimedId) as BlockIdText
    // What is refused is remembered by its id: megabytes in place of one would fill the memory.
    if (id.length > MAX_ID_LENGTH) return Promise.resolve(this.refuseUnread(node, filledBlock.length, undefined))
    if (this.facts.has(id)) return Promise.resolve('known')
    if (!complete) return Promise.resolve('incomplete')
    if (this.isPostponed(id)) return Promise.resolve('postponed')
    const running = this.inFlight.get(id)
    // What is refused under this id says nothing of these bytes.
    if (running) {
      return running.then((result) => {
        const isOther = result === 'refused' || result === 'unbound'
        return isOther ? this.take(node, filledBlock, expectedId, isBelieved) : result
      })
    }
    const work = this.verifyAndSpool(node, filledBlock, id, isBelieved).finally(() => this.inFlight.delete(id))
    this.inFlight.set(id, work)
    return work
  }

  /** Forgets blocks that left the spool. */
  forget(blocks: readonly { readonly slot: Slot; readonly id: BlockIdText }[]): void {
    for (const { slot, id } of blocks) {
      const held = this.facts.get(id)
      if (held) this.room.release(held.sizeBytes, 1)
      this.facts.delete(id)
      this.leavePlace(slot, id)
    }
  }

  /** Spooled blocks of slots before a period. */
  listBefore(period: number): FinalBlock[] {
    return [...this.facts.values()].filter((block) => block.slot.period < period)
  }

  private async verifyAndSpool(
    node: number,
    filledBlock: Uint8Array,
    id: BlockIdText,
    isBelieved: boolean,
  ): Promise<IntakeResult> {
    let block: VerifiedBlock
    try {
      block = await this.cpu.verifyBlock({ filledBlock, chainId: this.chainId, expectedId: id })
    } catch (error) {
      // Whatever else is thrown, a block did it: one that a thread has no memory for, say.
      const code = isArchiveError(error) ? error.code : 'ARCHIVER_BLOCK_UNPARSABLE'
      // Raw bytes of whom nobody believes are not to be tried again after an upgrade.
      if (isBelieved) {
        this.refuse({ id, code, raw: filledBlock }, error instanceof Error ? error.message : String(error))
        this.rememberRefusal(`${node} ${id}`)
      }
      this.onRefused(code, node)
      return 'refused'
    }
    if (!isBelieved && block.unverifiedBodies > 0) return 'unbound'
    this.forgetRefused(id)
    this.refusedFrom.delete(`${node} ${id}`)
    if (this.isArchived(block.slot.period)) this.onArchived(block)
    if (this.isArchived(block.slot.period) || !(await this.takePlace(block))) {
      if (this.ignored.size >= MAX_REFUSALS_REMEMBERED) this.ignored.clear()
      this.ignored.set(id, block.slot)
      return 'ignored'
    }
    this.ignored.delete(id)
    if (!(await this.put(block))) {
      if (this.postponed.size >= MAX_REFUSALS_REMEMBERED) this.postponed.clear()
      this.postponed.set(id, block.slot)
      return 'postponed'
    }
    this.postponed.delete(id)
    if (block.badEndorsements > 0) {
      this.log.warn({ blockId: block.id, count: block.badEndorsements }, 'endorsement signatures do not verify')
    }
    await this.onSpooled(block, node)
    return 'spooled'
  }

  /** Into the spool, if there is room for it; its place at its slot is taken. */
  private async put(block: VerifiedBlock): Promise<boolean> {
    const { id, slot } = block
    const sizeBytes = sizeOf(block)
    let isTaken = false
    try {
      const isUrgent = this.isUrgent(id, slot)
      isTaken = this.isDue(slot) && (await this.room.take({ slot, sizeBytes, blocks: 1, isUrgent }))
      if (isTaken) await this.spool.putBlock(block)
    } catch (error) {
      if (isTaken) this.room.release(sizeBytes, 1)
      this.leavePlace(slot, id)
      throw error
    }
    if (isTaken) this.remember(block)
    else this.leavePlace(slot, id)
    return isTaken
  }

  /** Was postponed, and would be again. */
  private isPostponed(id: BlockIdText): boolean {
    const slot = this.postponed.get(id)
    if (!slot) return false
    return !this.isDue(slot) || (this.room.full !== undefined && !this.isUrgent(id, slot))
  }

  /** Taken before the body is written: many may be verified at once. */
  private async takePlace({ slot, id }: VerifiedBlock): Promise<boolean> {
    const others = this.bySlot.get(slotIndex(slot)) ?? []
    const isFull = others.length >= MAX_BODIES_PER_SLOT
    if (isFull && !this.isWanted(id)) return false
    this.bySlot.set(slotIndex(slot), [...others, id])
    const loser = isFull ? others.find((other) => !this.isWanted(other) && this.facts.has(other)) : undefined
    if (loser !== undefined) {
      this.forget([{ slot, id: loser }])
      await this.spool.deleteBlocks([{ slot, id: loser }])
    }
    return true
  }

  private leavePlace(slot: Slot, id: BlockIdText): void {
    const rest = (this.bySlot.get(slotIndex(slot)) ?? []).filter((other) => other !== id)
    if (rest.length > 0) this.bySlot.set(slotIndex(slot), rest)
    else this.bySlot.delete(slotIndex(slot))
  }

  private rememberRefusal(key: string): void {
    const times = (this.refusedFrom.get(key)?.times ?? 0) + 1
    if (this.refusedFrom.size >= MAX_REFUSALS_REMEMBERED) this.refusedFrom.clear()
    this.refusedFrom.set(key, { times, skips: Math.min(2 ** times, MAX_SKIPS) })
  }

  private refuseUnread(node: number, sizeBytes: number, expectedId: BlockIdText | undefined): 'refused' {
    const code = 'ARCHIVER_BLOCK_UNPARSABLE'
    this.log.warn({ node, sizeBytes, code, reason: 'too large, or no protobuf, or no id' }, 'block refused')
    if (expectedId) this.rememberRefusal(`${node} ${expectedId}`)
    this.onRefused(code, node)
    return 'refused'
  }

  private refuse(block: QuarantinedBlock, reason: string): void {
    if (!this.refused.has(block.id)) {
      this.log.warn({ blockId: block.id.slice(0, 64), code: block.code, reason: reason.slice(0, 300) }, 'block refused')
    }
    this.forgetRefused(block.id)
    this.refused.set(block.id, block)
    this.refusedBytes += block.raw.length
    for (const [oldest] of this.refused) {
      if (this.refusedBytes <= MAX_REFUSED_BYTES) break
      this.forgetRefused(oldest)
    }
  }

  private forgetRefused(id: BlockIdText): void {
    const known = this.refused.get(id)
    if (!known) return
    this.refusedBytes -= known.raw.length
    this.refused.delete(id)
  }
}

function sizeOf({ record, seals }: SpooledBlock): number {
  return record.length + seals.length + SPOOLED_OVERHEAD_BYTES
}

/** The id that a message claims, and whether it brings all its operations; nothing of it is believed. */
function peek(filledBlock: Uint8Array): { claimedId: string; complete: boolean } {
  try {
    const { header, operations } = RawFilledBlockCodec.decode(filledBlock)
    const bodies = new Set<string>()
    for (const entry of operations ?? []) if (entry.operation?.length) bodies.add(entry.operationId ?? '')
    return {
      claimedId: header ? (SecureHashCodec.decode(header).secureHash ?? '') : '',
      complete: (operations ?? []).every((entry) => bodies.has(entry.operationId ?? '')),
    }
  } catch {
    return { claimedId: '', complete: true }
  }
}
