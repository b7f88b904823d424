import { sha256 } from '#crypto'
import { equalBytes } from './bytes.ts'
import { ByteReader, ByteWriter } from './codec.ts'
import { ArchiveError } from './errors.ts'
import { encodePlacementLeaf } from './holders.ts'
import { computeLeafHash, computePathLength, computeRootFromPath, HASH_BYTES } from './merkle.ts'
import { computeHashSlot, HASH_SLOTS } from './placement.ts'
import { ERA_PERIODS, type Network } from './units.ts'

const PERIOD_ROOT_PREFIX = 0x03
const ERA_ROOT_PREFIX = 0x04
const PLACEMENT_ROOT_PREFIX = 0x06

/*
 * What a challenger shows where eras are anchored: that the chunk is part of anchored history, and that an anchored
 * placement gives it to the node (docs/FORMAT.md, Evidence). The registry contract accepts and refuses the same.
 */

/** Everything that `encodeEvidence` writes. */
export interface Evidence {
  readonly era: bigint
  /** The period of the chunk. */
  readonly period: bigint
  /** Of the chunk's period, u32 */
  readonly bitmap: number
  readonly chunkCount: number
  readonly chunkIndex: number
  /** From the chunk to the tree over the chunk ids of its period. */
  readonly chunkPath: readonly Uint8Array[]
  /** From the period root to the tree over the 128 roots of its era. */
  readonly periodPath: readonly Uint8Array[]
  readonly placementEra: bigint
  /** Of the chunk's hash slot, in order of rank, at most 255. */
  readonly holders: readonly string[]
  /** From the hash slot to the tree over the 16,384 of them. */
  readonly placementPath: readonly Uint8Array[]
}

/** What the registry knows of an anchored era. */
export interface AnchoredEra {
  /** 32 bytes */
  readonly root: Uint8Array
  /** 32 bytes, of the placement of the next era */
  readonly placementRoot: Uint8Array
  readonly totalBytes: bigint
  readonly totalChunks: bigint
}

/** What evidence is held against. */
export interface EvidenceClaim {
  readonly network: Network
  /** 32 bytes */
  readonly chunkId: Uint8Array
  readonly nodeAddress: string
  /** The era in which the node registered; of one that left and came back, the last time. */
  readonly registeredEra: bigint
  /** The era in which the challenge is issued. */
  readonly currentEra: bigint
  readonly placementLagEras: number
  /** `undefined` for an era that is not anchored. */
  readonly findAnchor: (era: bigint) => AnchoredEra | undefined
}

/**
 * Why evidence is refused, as `context.fault` of the error: bytes that do not lead to the roots, an era that is not
 * anchored, a placement outside its window or no later than the registration, a placement that gives the chunk to others.
 */
export type EvidenceFault = 'malformed' | 'era-unknown' | 'placement-age' | 'not-holder'

/** The `evidence` argument of `issueChallenge`, about 1 kB. */
export function encodeEvidence(evidence: Evidence): Uint8Array {
  const writer = new ByteWriter(1024).u64(evidence.era).u64(evidence.period)
  writer.u32(evidence.bitmap).u32(evidence.chunkCount).u32(evidence.chunkIndex)
  for (const hash of [...evidence.chunkPath, ...evidence.periodPath]) writer.raw(hash)
  // The leaf without its hash slot, which follows from the chunk.
  writer.u64(evidence.placementEra).raw(encodePlacementLeaf(0, evidence.holders).subarray(2))
  for (const hash of evidence.placementPath) writer.raw(hash)
  return writer.finish()
}

/**
 * Refuses evidence unless it leads from chunk and node to anchored roots, and not a byte is left over.
 *
 * @throws ArchiveError CORE_EVIDENCE_INVALID, `context.fault` is an `EvidenceFault`; the first fault found counts
 */
export function verifyEvidence(evidence: Uint8Array, claim: EvidenceClaim): void {
  const reader = new ByteReader(evidence, 'CORE_EVIDENCE_INVALID')
  try {
    checkChunk(reader, claim)
    checkHolder(reader, claim)
  } catch (error) {
    if (error instanceof ArchiveError && error.context.fault !== undefined) throw error
    throw refusal('malformed', error instanceof Error ? error.message : 'truncated', error)
  }
}

function checkChunk(reader: ByteReader, claim: EvidenceClaim): void {
  const era = reader.u64()
  const period = reader.u64()
  const bitmap = reader.u32()
  const chunkCount = reader.u32()
  const chunkIndex = reader.u32()
  if (period / BigInt(ERA_PERIODS) !== era) throw refusal('malformed', `period ${period} is not of era ${era}`)
  if (chunkIndex >= chunkCount) throw refusal('malformed', `chunk ${chunkIndex} of ${chunkCount}`)
  const position = Number(period % BigInt(ERA_PERIODS))
  const chunkPath = readPath(reader, chunkIndex, chunkCount)
  const periodPath = readPath(reader, position, ERA_PERIODS)
  const anchor = claim.findAnchor(era)
  if (!anchor) throw refusal('era-unknown', `era ${era} is not anchored`)

  const at = { index: chunkIndex, leafCount: chunkCount }
  const chunkTree = computeRootFromPath(computeLeafHash(claim.chunkId), chunkPath, at)
  const periodRoot = sha256(
    startRoot(PERIOD_ROOT_PREFIX, claim.network, period).u32(bitmap).u32(chunkCount).raw(chunkTree).finish(),
  )
  const ofEra = { index: position, leafCount: ERA_PERIODS }
  const periodTree = computeRootFromPath(computeLeafHash(periodRoot), periodPath, ofEra)
  const eraRoot = startRoot(ERA_ROOT_PREFIX, claim.network, era).u64(anchor.totalBytes).u64(anchor.totalChunks)
  if (!equalBytes(sha256(eraRoot.raw(periodTree).finish()), anchor.root)) {
    throw refusal('malformed', 'the chunk does not lead to the root of the era')
  }
}

function checkHolder(reader: ByteReader, claim: EvidenceClaim): void {
  const era = reader.u64()
  const lag = BigInt(claim.placementLagEras)
  if (claim.currentEra < era + lag || claim.currentEra > era + 2n * lag) {
    throw refusal('placement-age', `placement of era ${era} in era ${claim.currentEra}, lag ${lag}`)
  }
  // The placement of an era is made of what was registered before it began.
  if (era <= claim.registeredEra) {
    throw refusal('placement-age', `placement of era ${era} of a node registered in era ${claim.registeredEra}`)
  }
  const anchor = claim.findAnchor(era - 1n)
  if (!anchor) throw refusal('era-unknown', `era ${era - 1n} is not anchored`)
  const hashSlot = computeHashSlot(claim.chunkId)
  const count = reader.u8()
  const leaf = new ByteWriter(256).u16(hashSlot).u8(count)
  const node = new TextEncoder().encode(claim.nodeAddress)
  let holds = false
  for (let i = 0; i < count; i++) {
    const address = reader.raw(reader.u8())
    leaf.u8(address.length).raw(address)
    if (equalBytes(address, node)) holds = true
  }
  const path = readPath(reader, hashSlot, HASH_SLOTS)
  reader.end()

  const tree = computeRootFromPath(computeLeafHash(leaf.finish()), path, { index: hashSlot, leafCount: HASH_SLOTS })
  const root = sha256(startRoot(PLACEMENT_ROOT_PREFIX, claim.network, era).raw(tree).finish())
  if (!equalBytes(root, anchor.placementRoot)) {
    throw refusal('malformed', 'the holders do not lead to the placement root')
  }
  if (!holds) throw refusal('not-holder', `the placement does not give the chunk to ${claim.nodeAddress}`)
}

function startRoot(prefix: number, { chainId, genesisTimestampMs }: Network, number: bigint): ByteWriter {
  return new ByteWriter(96).u8(prefix).u64(chainId).u64(genesisTimestampMs).u64(number)
}

/** As long as index and count demand, whatever is there. */
function readPath(reader: ByteReader, index: number, leafCount: number): Uint8Array[] {
  return Array.from({ length: computePathLength(index, leafCount) }, () => reader.raw(HASH_BYTES))
}

function refusal(fault: EvidenceFault, message: string, cause?: unknown): ArchiveError {
  return new ArchiveError('CORE_EVIDENCE_INVALID', `evidence refused: ${message}`, { fault }, cause)
}
