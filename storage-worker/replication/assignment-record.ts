import { isStoreFailure } from '../../archiver/store-watch.ts'
import { ByteReader, ByteWriter, HASH_SLOTS, isArchiveError, type Spool } from '../../core/index.ts'
import { SlotBitmap } from './slot-bitmap.ts'

const VERSION = 1
/**
 * Eras that are remembered, 2 kB each: what once was ours is kept for twice the placement lag, of 64 eras at most
 * (docs/CONTRACT.md), and one more; the newest are those of the table in force and of the next.
 */
export const RECORDED_ERAS = 132
const MAX_TEXT_BYTES = 256

/** Whose hash slots, and by which registry: the record of another is none. */
export interface AssignmentOwner {
  readonly address: string
  readonly registry: string
}

/**
 * Which hash slots we were assigned in each of the last eras, on disk: one mark for each era, in a ring.
 *
 * An era without a record was not seen. A record that is lost or damaged makes an era unseen again, which only keeps
 * chunks longer.
 */
export class AssignmentRecord {
  private readonly owner: AssignmentOwner
  private readonly spool: Pick<Spool, 'putMark' | 'readMark'>
  private readonly byEra = new Map<number, SlotBitmap>()

  constructor(owner: AssignmentOwner, spool: Pick<Spool, 'putMark' | 'readMark'>) {
    this.owner = owner
    this.spool = spool
  }

  /** Takes what the disk has; once, before anything else. @throws no failure of the store */
  async open(): Promise<void> {
    for (let place = 0; place < RECORDED_ERAS; place++) {
      const found = await this.read(place)
      if (found && found.era % RECORDED_ERAS === place) this.byEra.set(found.era, found.slots)
    }
  }

  /** Undefined: nobody saw the table of this era. */
  slotsOf(era: number): SlotBitmap | undefined {
    return this.byEra.get(era)
  }

  /**
   * Notes what the table of an era gives us, beside what another table of it gave.
   *
   * @throws ArchiveError STORE_WRITE_FAILED, STORE_DISK_FULL; it counts until the process ends
   */
  async note(era: number, hashSlots: readonly number[]): Promise<void> {
    const slots = SlotBitmap.of(hashSlots)
    const before = this.byEra.get(era)
    if (before) slots.addAll(before)
    this.byEra.set(era, slots)
    for (const old of this.byEra.keys()) if (old <= era - RECORDED_ERAS) this.byEra.delete(old)
    await this.spool.putMark(markOf(era % RECORDED_ERAS), encode(this.owner, era, slots))
  }

  private async read(place: number): Promise<{ readonly era: number; readonly slots: SlotBitmap } | undefined> {
    try {
      const bytes = await this.spool.readMark(markOf(place))
      return bytes && decode(this.owner, bytes)
    } catch (error) {
      if (isStoreFailure(error) || isArchiveError(error, 'CORE_BYTES_INVALID')) return undefined
      throw error
    }
  }
}

function markOf(place: number): string {
  return `assigned-${place}`
}

/** u8 version || string address || string registry || u32 era || 2,048 bytes, bit h % 8 of byte h / 8 for hash slot h */
function encode({ address, registry }: AssignmentOwner, era: number, slots: SlotBitmap): Uint8Array {
  const writer = new ByteWriter(HASH_SLOTS / 8 + 256).u8(VERSION).string(address).string(registry)
  return writer.u32(era).raw(slots.bytes).finish()
}

function decode(
  owner: AssignmentOwner,
  bytes: Uint8Array,
): { readonly era: number; readonly slots: SlotBitmap } | undefined {
  const reader = new ByteReader(bytes, 'CORE_BYTES_INVALID')
  if (reader.u8() !== VERSION) return undefined
  const isOurs = [reader.string(MAX_TEXT_BYTES), reader.string(MAX_TEXT_BYTES)].join(' ')
  if (isOurs !== `${owner.address} ${owner.registry}`) return undefined
  const era = reader.u32()
  const slots = new SlotBitmap(Uint8Array.from(reader.raw(HASH_SLOTS / 8)))
  reader.end()
  return { era, slots }
}
