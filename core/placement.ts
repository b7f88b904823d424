import { shake128 } from '#crypto'
import { ArchiveError } from './errors.ts'

/** Placement buckets: fixed, so that a joining node moves only what it takes over (docs/FORMAT.md, Placement). */
export const HASH_SLOTS = 16_384
const TICKET_BYTES = 8
const TICKET_PREFIX = 'massa-storage/placement/1'

// biome-ignore lint/suspicious/noApproximativeNumericConstant: the digits are part of the format, whatever a library holds.
const LN2 = 0.6931471805599453
const ODD_RECIPROCALS = [1 / 17, 1 / 15, 1 / 13, 1 / 11, 1 / 9, 1 / 7, 1 / 5, 1 / 3] as const

/** A node as ranking sees it. `scores` is `computeScores(address, placementGb)`, kept while neither changes. */
export interface ScoredNode {
  readonly address: string
  readonly scores: Float64Array
}

/** chunkId as a 256-bit big-endian integer mod 16,384. */
export function computeHashSlot(chunkId: Uint8Array): number {
  if (chunkId.length !== 32) throw new ArchiveError('CORE_BYTES_INVALID', `a chunk id of ${chunkId.length} bytes`)
  return (((chunkId[30] ?? 0) << 8) | (chunkId[31] ?? 0)) % HASH_SLOTS
}

/** 131,072 bytes: a ticket of 8 bytes for each hash slot. */
export function computeTicketStream(address: string): Uint8Array {
  return shake128(new TextEncoder().encode(TICKET_PREFIX + address), HASH_SLOTS * TICKET_BYTES)
}

/**
 * Scores of a node in all hash slots; the lowest score ranks first, weight makes scores low.
 *
 * Only + - x / of IEEE doubles in one fixed order, so every language gets the same bits. About 2 ms.
 *
 * @param placementGb - weight in the snapshot, GB, at least 1
 * @param scores - where they are written to: room for 16,384, fresh unless given
 * @returns `scores`: 16,384 above 0
 * @throws ArchiveError CORE_NUMBER_OUT_OF_RANGE when `placementGb` is not positive: such a node is not ranked
 */
export function computeScores(
  address: string,
  placementGb: bigint,
  scores: Float64Array = new Float64Array(HASH_SLOTS),
): Float64Array {
  if (placementGb <= 0n) throw new ArchiveError('CORE_NUMBER_OUT_OF_RANGE', `a placement weight of ${placementGb} GB`)
  const weight = Number(placementGb)
  const stream = computeTicketStream(address)
  const tickets = new DataView(stream.buffer, stream.byteOffset, stream.byteLength)
  for (let hashSlot = 0; hashSlot < HASH_SLOTS; hashSlot++) {
    scores[hashSlot] = (52 * LN2 - computeLn(readTicket(tickets, hashSlot) + 0.5)) / weight
  }
  return scores
}

/** m of one hash slot: the first 52 bits of its ticket, so that m + 0.5 is exact in a double. */
export function readTicket(stream: DataView, hashSlot: number): number {
  const offset = hashSlot * TICKET_BYTES
  return stream.getUint32(offset) * 2 ** 20 + (stream.getUint32(offset + 4) >>> 12)
}

/** Score of one node in one hash slot; use `computeScores` for more than one. */
export function computeScore(address: string, placementGb: bigint, hashSlot: number): number {
  return scoreAt(computeScores(address, placementGb), hashSlot)
}

/** Nodes by ascending score, ties by address bytes. Nodes without weight must be left out by the caller. */
export function rankNodes<T extends ScoredNode>(hashSlot: number, nodes: readonly T[]): T[] {
  return [...nodes].sort(
    (a, b) => scoreAt(a.scores, hashSlot) - scoreAt(b.scores, hashSlot) || compareAddresses(a.address, b.address),
  )
}

/** Order of addresses by their bytes; they are ASCII, so code units are bytes. */
export function compareAddresses(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

const doubleBits = new DataView(new ArrayBuffer(8))

/** Natural logarithm of a normal positive double by the series of docs/FORMAT.md: not always the nearest double, but always the same. */
export function computeLn(v: number): number {
  doubleBits.setFloat64(0, v)
  const high = doubleBits.getUint32(0)
  const exponent = (high >>> 20) - 1023
  doubleBits.setUint32(0, (high & 0x000f_ffff) | (1023 << 20))
  const f = doubleBits.getFloat64(0)
  const s = (f - 1) / (f + 1)
  const z = s * s
  let series = 1 / 19 + z / 21
  for (const reciprocal of ODD_RECIPROCALS) series = reciprocal + z * series
  return exponent * LN2 + 2 * s * (1 + z * series)
}

function scoreAt(scores: Float64Array, hashSlot: number): number {
  const score = scores[hashSlot]
  if (score === undefined) throw new ArchiveError('CORE_NUMBER_OUT_OF_RANGE', `hash slot ${hashSlot} does not exist`)
  return score
}
