import { ByteReader, ByteWriter } from '../core/index.ts'
import { MAX_KEPT_BANS } from './limits.ts'
import type { KeptBan } from './peer-scores.ts'

const RECORD_VERSION = 1
/** In the order of their numbers on disk. */
const REASONS = ['operator', 'reject', 'wrongChunk', 'limit'] as const satisfies readonly KeptBan['reason'][]
const MAX_PEER_CHARACTERS = 128
const ENDLESS = (1n << 64n) - 1n

/** @param savedAtMs - by the wall clock: the monotonic one begins anew with each start */
export function encodeBans(bans: readonly KeptBan[], savedAtMs: number): Uint8Array {
  const writer = new ByteWriter(80 * (bans.length + 1)).u8(RECORD_VERSION)
  writer.u64(BigInt(Math.max(0, Math.floor(savedAtMs)))).varint(bans.length)
  for (const { peer, reason, leftMs, bans: times } of bans) {
    const left = Number.isFinite(leftMs) ? BigInt(Math.ceil(leftMs)) : ENDLESS
    writer.string(peer).u8(REASONS.indexOf(reason)).u64(left).u32(times)
  }
  return writer.finish()
}

/**
 * What is left of the bans, those that have ended left out. The time in which the sidecar stood counts, by the wall
 * clock; where that was set back meanwhile, a ban lasts as long as it would have when it was kept and no longer.
 *
 * @throws ArchiveError CORE_BYTES_INVALID
 */
export function decodeBans(bytes: Uint8Array, nowMs: number): KeptBan[] {
  const reader = new ByteReader(bytes)
  const version = reader.u8()
  if (version !== RECORD_VERSION) throw reader.error(`bans of version ${version}`)
  const awayMs = Math.max(0, nowMs - Number(reader.u64()))
  const count = reader.varintNumber(MAX_KEPT_BANS)
  const bans: KeptBan[] = []
  for (let i = 0; i < count; i++) {
    const peer = reader.string(MAX_PEER_CHARACTERS)
    const reason = REASONS[reader.u8()]
    if (!reason) throw reader.error('a ban without a reason')
    const left = reader.u64()
    const leftMs = left === ENDLESS ? Number.POSITIVE_INFINITY : Number(left) - awayMs
    const times = reader.u32()
    if (leftMs > 0) bans.push({ peer, reason, leftMs, bans: times })
  }
  reader.end()
  return bans
}
