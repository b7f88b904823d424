import { sha256 } from '#crypto'
import { ByteWriter, HASH_SLOTS, type Period } from '../../core/index.ts'
import { MAX_ANNOUNCED_PERIODS } from '../limits.ts'
import { readAscendingSlots, readHash, readPeriod, writePeriod } from './fields.ts'
import { MESSAGE_VERSION, wireCodec } from './wire-codec.ts'

const ROOTS_HASH_PREFIX = 0x08

/**
 * What a holder has of its last periods: the seed's `ChunkAnnouncement`.
 *
 * Every archiver derives every chunk itself, so ids need not be told: it is enough to say which of the hash slots that
 * placement gives the sender are incomplete. Who sent it is the signer of the gossip message.
 */
export interface ChunkAnnouncement {
  readonly firstPeriod: Period
  /** 1 to 1,024 */
  readonly periodCount: number
  /** Chunks of these periods that the sender holds. */
  readonly chunkCount: number
  /** 32 bytes, see `computeRootsHash` */
  readonly rootsHash: Uint8Array
  /** Assigned hash slots in which chunks of these periods are missing, ascending. */
  readonly incompleteSlots: readonly number[]
}

export const announcementCodec = wireCodec<ChunkAnnouncement>({
  name: 'ChunkAnnouncement',
  maxBytes: 1 + 8 + 2 + 4 + 32 + 2 + 2 * HASH_SLOTS,
  write: (writer, message) => {
    writePeriod(writer, message.firstPeriod)
    writer.u16(message.periodCount).u32(message.chunkCount).raw(message.rootsHash)
    writer.u16(message.incompleteSlots.length)
    for (const slot of message.incompleteSlots) writer.u16(slot)
  },
  read: (reader) => {
    const firstPeriod = readPeriod(reader)
    const periodCount = reader.u16()
    if (periodCount < 1 || periodCount > MAX_ANNOUNCED_PERIODS) throw reader.error(`${periodCount} periods`)
    const chunkCount = reader.u32()
    const rootsHash = readHash(reader)
    const incompleteSlots = readAscendingSlots(reader, reader.u16())
    return { firstPeriod, periodCount, chunkCount, rootsHash, incompleteSlots }
  },
})

/** version || u64 first period || u16 periods */
const HEAD_BYTES = 1 + 8 + 2

/** The last period that an announcement tells of, before all of it is read; undefined for what is none. */
export function peekLastPeriod(bytes: Uint8Array): Period | undefined {
  if (bytes.length < HEAD_BYTES || bytes[0] !== MESSAGE_VERSION) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEAD_BYTES)
  const lastPeriod = view.getBigUint64(1) + BigInt(view.getUint16(9)) - 1n
  return lastPeriod < BigInt(Number.MAX_SAFE_INTEGER) ? Number(lastPeriod) : undefined
}

/** 32 bytes over the roots of consecutive periods: two archives that differ in one of them give another. */
export function computeRootsHash(firstPeriod: Period, roots: readonly Uint8Array[]): Uint8Array {
  const writer = new ByteWriter(16 + roots.length * 32).u8(ROOTS_HASH_PREFIX)
  writePeriod(writer, firstPeriod)
  for (const root of roots) writer.raw(root)
  return sha256(writer.finish())
}
