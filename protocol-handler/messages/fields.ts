import { type ByteReader, type ByteWriter, HASH_SLOTS, type Network, type Period } from '../../core/index.ts'

/** Fields that several messages have. */

const HASH_BYTES = 32

export function writeNetwork(writer: ByteWriter, { chainId, genesisTimestampMs }: Network): void {
  writer.u64(chainId).u64(genesisTimestampMs)
}

export function readNetwork(reader: ByteReader): Network {
  return { chainId: reader.u64(), genesisTimestampMs: reader.u64() }
}

export function writePeriod(writer: ByteWriter, period: Period): void {
  writer.u64(BigInt(period))
}

export function readPeriod(reader: ByteReader): Period {
  const period = reader.u64()
  if (period > BigInt(Number.MAX_SAFE_INTEGER)) throw reader.error(`period ${period} is too large`)
  return Number(period)
}

export function readHash(reader: ByteReader): Uint8Array {
  return reader.raw(HASH_BYTES)
}

/** Strictly ascending, so that a list has one form and no hash slot stands twice. */
export function readAscendingSlots(reader: ByteReader, count: number): number[] {
  const slots: number[] = []
  for (let i = 0; i < count; i++) {
    const slot = reader.u16()
    if (slot >= HASH_SLOTS) throw reader.error(`hash slot ${slot} does not exist`)
    if (i > 0 && slot <= (slots[i - 1] ?? 0)) throw reader.error('hash slots are not ascending')
    slots.push(slot)
  }
  return slots
}
