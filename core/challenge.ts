import { sha256 } from '#crypto'
import { concatBytes, toHex } from './bytes.ts'
import { ByteWriter } from './codec.ts'
import { ArchiveError } from './errors.ts'
import { compareAddresses, computeHashSlot } from './placement.ts'
import type { Period } from './units.ts'

/*
 * Which node must prove what: nobody knows a draw before it is signed, everybody can recompute it afterwards
 * (docs/FORMAT.md, Challenge draw, Challenge sample and proof).
 */

const DRAW_TEXT_PREFIX = 'massa-storage/draw/1:'
const DRAW_ATTEMPTS = 64
const AUDIT_CHALLENGES = 8
const SIGNATURE_BYTES = 64

/** A rehearsal runs off chain by the same rules; its proofs are worth nothing on chain. */
export type ChallengeKind = 'challenge' | 'rehearsal'

/** What makes one challenge unlike any other. */
export interface Challenge {
  readonly chainId: bigint
  /** Text of the registry's address */
  readonly contract: string
  readonly challengeId: string
  readonly nodeAddress: string
  /** 32 bytes */
  readonly chunkId: Uint8Array
  /** u64 */
  readonly nonce: bigint
  /** From the chain's record; 0 in a rehearsal. */
  readonly issuedPeriod: Period
}

/** 32 bytes that decide which leaves are asked for. */
export function computeChallengeSeed(challenge: Challenge, kind: ChallengeKind = 'challenge'): Uint8Array {
  const writer = new ByteWriter(256).raw(new TextEncoder().encode(`massa-storage/${kind}/1`)).u64(challenge.chainId)
  writer.string(challenge.contract).string(challenge.challengeId).string(challenge.nodeAddress)
  writer.raw(challenge.chunkId).u64(challenge.nonce).u64(BigInt(challenge.issuedPeriod))
  return sha256(writer.finish())
}

/** Leaf of sample `i`: the first 16 bytes of H(seed || u32 i) as an integer, mod the number of leaves. */
export function computeSampleIndex(seed: Uint8Array, i: number, leafCount: number): number {
  const hash = sha256(new ByteWriter(40).raw(seed).u32(i).finish())
  return Number(toInteger(hash.subarray(0, 16)) % BigInt(leafCount))
}

/**
 * What a challenger signs at period p, to draw a challenge from it.
 *
 * @param blockIds - ids of the blocks of period p - 8 in thread order, 33 bytes each, misses left out
 */
export function computeDrawText(period: Period, blockIds: readonly Uint8Array[]): string {
  const writer = new ByteWriter(8 + 33 * blockIds.length).u64(BigInt(period))
  for (const id of blockIds) writer.raw(id)
  return DRAW_TEXT_PREFIX + toHex(sha256(writer.finish()))
}

/** D: 32 bytes. @param signature - the 64 bytes of the draw signature, without version byte */
export function computeDraw(signature: Uint8Array): Uint8Array {
  if (signature.length !== SIGNATURE_BYTES) {
    throw new ArchiveError('CORE_BYTES_INVALID', `a draw is made from 64 bytes of signature, not ${signature.length}`)
  }
  return sha256(signature)
}

/** D of challenge `j` (0 to 7) of an audit: H(D || u8 j). The node of an audit is drawn from D itself. */
export function computeAuditDraw(draw: Uint8Array, j: number): Uint8Array {
  if (!Number.isInteger(j) || j < 0 || j >= AUDIT_CHALLENGES) {
    throw new ArchiveError('CORE_NUMBER_OUT_OF_RANGE', `challenge ${j} of an audit of ${AUDIT_CHALLENGES}`)
  }
  return sha256(concatBytes(draw, Uint8Array.of(j)))
}

/** D_i = H(D || u32 i) as an integer. */
export function computeDrawNumber(draw: Uint8Array, i: number): bigint {
  return toInteger(sha256(new ByteWriter(40).raw(draw).u32(i).finish()))
}

/** First 8 bytes of H(D || "nonce"), u64. */
export function computeDrawNonce(draw: Uint8Array): bigint {
  return toInteger(sha256(concatBytes(draw, new TextEncoder().encode('nonce'))).subarray(0, 8))
}

/** hex(H(D || "id")), 64 digits. */
export function computeDrawChallengeId(draw: Uint8Array): string {
  return toHex(sha256(concatBytes(draw, new TextEncoder().encode('id'))))
}

/** D_0 mod n over the holders by address bytes; undefined without holders. */
export function selectDrawNode(draw: Uint8Array, addresses: readonly string[]): string | undefined {
  if (addresses.length === 0) return undefined
  const ordered = [...addresses].sort(compareAddresses)
  return ordered[Number(computeDrawNumber(draw, 0) % BigInt(ordered.length))]
}

/** A chunk that may be drawn. */
export interface DrawChunk {
  readonly period: Period
  readonly index: number
  readonly byteLength: number
  /** 32 bytes */
  readonly chunkId: Uint8Array
}

/** An era that may be drawn; `totalBytes` are of all its chunks, whoever holds them. */
export interface DrawEra {
  readonly era: number
  readonly totalBytes: bigint
}

export interface DrawTarget {
  readonly era: number
  readonly chunk: DrawChunk
  /** t: how many tries found nothing before. */
  readonly attempt: number
}

/**
 * The chunk that a draw names: byte by byte, so that every byte kept is as likely as any other. 64 tries.
 *
 * @param among - the eras that count, and the hash slots that the placement gives the drawn node
 * @param listChunks - all chunks of an era, in any order
 * @returns undefined when no challenge is due
 */
export function selectDrawTarget(
  draw: Uint8Array,
  among: { readonly eras: readonly DrawEra[]; readonly hashSlots: ReadonlySet<number> },
  listChunks: (era: number) => readonly DrawChunk[],
): DrawTarget | undefined {
  for (let attempt = 0; attempt < DRAW_ATTEMPTS; attempt++) {
    const era = selectDrawEra(draw, attempt, among.eras)
    if (era === undefined) return undefined
    const own = listChunks(era).filter(({ chunkId }) => among.hashSlots.has(computeHashSlot(chunkId)))
    const chunk = selectDrawChunk(draw, attempt, own)
    if (chunk) return { era, chunk, attempt }
  }
  return undefined
}

/** The era of try t: the one that holds byte D_{1+2t} mod (bytes of these eras), eras ascending. */
export function selectDrawEra(draw: Uint8Array, attempt: number, eras: readonly DrawEra[]): number | undefined {
  const ordered = [...eras].sort((a, b) => a.era - b.era)
  return findByte(ordered, computeDrawNumber(draw, 1 + 2 * attempt), ({ totalBytes }) => totalBytes)?.era
}

/** The chunk of try t: the one that holds byte D_{2+2t} mod (bytes of these chunks), by (period, index). */
export function selectDrawChunk(
  draw: Uint8Array,
  attempt: number,
  chunks: readonly DrawChunk[],
): DrawChunk | undefined {
  const ordered = [...chunks].sort((a, b) => a.period - b.period || a.index - b.index)
  return findByte(ordered, computeDrawNumber(draw, 2 + 2 * attempt), ({ byteLength }) => BigInt(byteLength))
}

function findByte<T>(items: readonly T[], draw: bigint, sizeOf: (item: T) => bigint): T | undefined {
  const total = items.reduce((sum, item) => sum + sizeOf(item), 0n)
  if (total === 0n) return undefined
  let byte = draw % total
  for (const item of items) {
    if (byte < sizeOf(item)) return item
    byte -= sizeOf(item)
  }
  return undefined
}

function toInteger(bigEndian: Uint8Array): bigint {
  return BigInt(`0x${toHex(bigEndian)}`)
}
