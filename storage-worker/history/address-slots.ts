import type { AttestedExecutions } from '../../archiver/attestation.ts'
import type { ExecutionEvent } from '../../archiver/execution-results.ts'
import {
  type BlockRecord,
  computeAddress,
  equalBytes,
  formatAddress,
  type HeaderEndorsement,
  MAX_ATTESTED_BYTES,
  type Period,
  type Slot,
} from '../../core/index.ts'
import type { HistoryIndex } from './history-index.ts'
import type { OperationRole, Role } from './history-keys.ts'
import type { HistoryReader } from './history-reader.ts'
import { comparePlaces, type ListCursor } from './list-cursor.ts'

/** Of events and attested results in a page, but for the first event: one period may have more. */
const MAX_PAGE_BYTES = 4 * 1024 * 1024

/** A final block without its operations, read from the archive. */
export interface HistoryHead {
  readonly slot: Slot
  readonly head: Omit<BlockRecord, 'operations'>
  /** 64 bytes each: of the header, then of the distinct operations; undefined where SEALS are not held. */
  readonly seals: Uint8Array | undefined
}

/** An endorsement in the block that carries it. */
export interface AddressEndorsement {
  readonly slot: Slot
  readonly endorsement: HeaderEndorsement
  /** 33 bytes */
  readonly endorsedBlock: Uint8Array
  /** 33 bytes */
  readonly blockId: Uint8Array
}

/** An event, and who says that it was. */
export interface AddressEvent {
  readonly slot: Slot
  readonly event: ExecutionEvent
  /** The results of its period. */
  readonly attested: AttestedExecutions
}

export interface SlotListOptions {
  readonly from: Period
  readonly to: Period
  /** Behind it the list goes on. */
  readonly before?: ListCursor | undefined
  /** At least 1. */
  readonly limit: number
}

/** The newest first; a cursor when there may be more. */
export interface SlotPage<T> {
  readonly deeds: readonly T[]
  readonly cursor: ListCursor | undefined
}

interface Deed<T> {
  readonly index: number
  readonly deed: T
  /** That count to what a page may hold. */
  readonly bytes?: number
  /** Of what is given once for all deeds of a period. */
  readonly periodBytes?: number
}

/** What an address did at a slot, the highest index first; `undefined`: the period is not archived any more. */
type ReadSlot<T> = (slot: Slot) => Promise<readonly Deed<T>[] | undefined>

/**
 * What addresses did that the index knows by slots alone. It is a hint: each slot is read, and shown is what is found there. Of a
 * period that is deleted meanwhile there is nothing.
 *
 * Each list throws ArchiveError STORE_HISTORY_INCOMPLETE while the index is not compared with the archive, STORE_CHUNK_AWAY for what
 * is not on this disk.
 */
export class AddressSlots {
  private readonly index: HistoryIndex
  private readonly reader: Pick<HistoryReader, 'readHead' | 'readAttested' | 'checkCompared'>

  constructor(modules: {
    readonly index: HistoryIndex
    readonly reader: Pick<HistoryReader, 'readHead' | 'readAttested' | 'checkCompared'>
  }) {
    this.index = modules.index
    this.reader = modules.reader
  }

  /** Blocks that it produced. @param address - 34 bytes, as everywhere here */
  listBlocks(address: Uint8Array, options: SlotListOptions): Promise<SlotPage<HistoryHead>> {
    return this.list(address, 'producer', options, async (slot) => {
      const block = await this.reader.readHead(slot)
      if (!block) return undefined
      return isOf(address, block.head.publicKey) ? [{ index: 0, deed: block }] : []
    })
  }

  /** Endorsements that it signed, by the slots of the blocks that carry them. */
  listEndorsements(address: Uint8Array, options: SlotListOptions): Promise<SlotPage<AddressEndorsement>> {
    return this.list(address, 'endorser', options, async (slot) => {
      const block = await this.reader.readHead(slot)
      if (!block) return undefined
      const { header, id: blockId } = block.head
      const endorsedBlock = header.parents[slot.thread]
      if (!endorsedBlock) return []
      return header.endorsements
        .filter(({ publicKey }) => isOf(address, publicKey))
        .map((endorsement) => {
          return { index: endorsement.index, deed: { slot, endorsement, endorsedBlock, blockId } }
        })
        .sort((a, b) => b.index - a.index)
    })
  }

  /** Events in whose call stack it is. The index of a cursor is the place among all events of the slot. */
  listEvents(
    address: Uint8Array,
    { isAttested, ...options }: SlotListOptions & { readonly isAttested: boolean },
  ): Promise<SlotPage<AddressEvent>> {
    const text = formatAddress(address)
    let known: { readonly period: Period; readonly attested: AttestedExecutions | undefined } | undefined
    return this.list(address, 'event', options, async (slot) => {
      if (known?.period !== slot.period) {
        known = { period: slot.period, attested: await this.reader.readAttested(slot.period) }
      }
      const { attested } = known
      if (!attested) return undefined
      const periodBytes = isAttested && isShown(attested) ? attested.results.length : 0
      return (attested.executions[slot.thread]?.events ?? [])
        .map((event, index) => ({ index, deed: { slot, event, attested }, bytes: event.data.length, periodBytes }))
        .filter(({ deed }) => deed.event.callStack.includes(text))
        .reverse()
    })
  }

  private async list<T>(
    address: Uint8Array,
    role: Exclude<Role, OperationRole>,
    { from, to, before, limit }: SlotListOptions,
    readSlot: ReadSlot<T>,
  ): Promise<SlotPage<T>> {
    this.reader.checkCompared()
    const found: { readonly place: ListCursor; readonly deed: T }[] = []
    const gone = new Set<Period>()
    let bytes = 0
    const finish = (cursor?: ListCursor): SlotPage<T> => ({
      deeds: found.filter(({ place }) => !gone.has(place.period)).map(({ deed }) => deed),
      cursor,
    })
    for await (const slot of this.listSlots(address, role, { from, to: before ? Math.min(to, before.period) : to })) {
      if (before && comparePlaces({ ...slot, index: 0 }, before) >= 0) continue
      if (found.length === limit) return finish(found.at(-1)?.place)
      const deeds = await readSlot(slot)
      if (!deeds) gone.add(slot.period)
      for (const { index, deed, ...sizes } of deeds ?? []) {
        const place = { ...slot, index }
        if (before && comparePlaces(place, before) >= 0) continue
        const last = found.at(-1)?.place
        const more = (sizes.bytes ?? 0) + (last?.period === slot.period ? 0 : (sizes.periodBytes ?? 0))
        if (last && (found.length === limit || bytes + more > MAX_PAGE_BYTES)) return finish(last)
        found.push({ place, deed })
        bytes += more
      }
    }
    // It may have been begun anew meanwhile.
    this.reader.checkCompared()
    return finish()
  }

  /** Of indexed periods, the newest first. */
  private async *listSlots(
    address: Uint8Array,
    role: Exclude<Role, OperationRole>,
    range: { readonly from: Period; readonly to: Period },
  ): AsyncGenerator<Slot> {
    for await (const { period, threads } of this.index.listSlots(address, role, { ...range, reverse: true })) {
      if (!(await this.index.readDirectory(period))) continue
      for (const thread of threads.toReversed()) yield { period, thread }
    }
  }
}

/** Whether results are given with an answer: signed, and not too long. */
export function isShown({ attestation, results }: AttestedExecutions): boolean {
  return attestation !== undefined && results.length <= MAX_ATTESTED_BYTES
}

function isOf(address: Uint8Array, publicKey: Uint8Array): boolean {
  return equalBytes(computeAddress(publicKey), address)
}
