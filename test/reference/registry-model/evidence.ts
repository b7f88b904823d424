import { ByteWriter } from '../../../core/codec.ts'
import { computeHashSlot, equalBytes } from '../../../core/index.ts'
import type { Context } from './call.ts'
import { demand } from './refusal.ts'
import type { Node, RegistryState } from './state.ts'
import { foldPath, hashAll, hashLeaf, pathLength } from './tree.ts'

/*
 * Evidence that a chunk exists and that the node is its holder (design: Challenges), integers big endian as in
 * docs/FORMAT.md.
 */

const ERA_PERIODS = 128
const HASH_SLOTS = 16_384
const HASH_BYTES = 32

export function checkEvidence(
  state: RegistryState,
  { era: currentEra, chainId }: Context,
  claim: { readonly evidence: Uint8Array; readonly chunkId: Uint8Array; readonly node: Node },
): void {
  const reader = new EvidenceReader(claim.evidence)
  const era = reader.u64()
  const period = reader.u64()
  const bitmap = reader.u32()
  const chunkCount = reader.u32()
  const chunkIndex = reader.u32()
  demand(period / BigInt(ERA_PERIODS) === era, 'EVIDENCE_INVALID')
  demand(chunkIndex < chunkCount, 'EVIDENCE_INVALID')
  const chunkPath = reader.path(pathLength(chunkIndex, chunkCount))
  const periodIndex = Number(period % BigInt(ERA_PERIODS))
  const periodPath = reader.path(pathLength(periodIndex, ERA_PERIODS))

  const anchored = state.eras.get(era)
  demand(anchored !== undefined, 'ERA_UNKNOWN')
  const network = new ByteWriter(16).u64(chainId).u64(state.genesisTimestamp).finish()
  const chunkTree = foldPath(hashLeaf(claim.chunkId), chunkPath, { index: chunkIndex, leafCount: chunkCount })
  const periodRoot = hashAll(
    new ByteWriter(40).u8(3).raw(network).u64(period).u32(bitmap).u32(chunkCount).finish(),
    chunkTree,
  )
  const periodTree = foldPath(hashLeaf(periodRoot), periodPath, { index: periodIndex, leafCount: ERA_PERIODS })
  const eraRoot = hashAll(
    new ByteWriter(64).u8(4).raw(network).u64(era).u64(anchored.totalBytes).u64(anchored.totalChunks).finish(),
    periodTree,
  )
  demand(equalBytes(eraRoot, anchored.root), 'EVIDENCE_INVALID')

  const placementEra = reader.u64()
  const lag = state.config.placementLagEras
  demand(
    placementEra > claim.node.registeredPeriod / BigInt(ERA_PERIODS) &&
      placementEra + lag <= currentEra &&
      currentEra <= placementEra + 2n * lag,
    'PLACEMENT_AGE',
  )
  const placed = state.eras.get(placementEra - 1n)
  demand(placed !== undefined, 'ERA_UNKNOWN')
  const holdersStart = reader.position
  const holders = Array.from({ length: reader.u8() }, () => Buffer.from(reader.take(reader.u8())).toString('latin1'))
  const holderBytes = claim.evidence.subarray(holdersStart, reader.position)
  const hashSlot = computeHashSlot(claim.chunkId)
  const slotPath = reader.path(pathLength(hashSlot, HASH_SLOTS))
  demand(reader.atEnd, 'EVIDENCE_INVALID')
  const leafHash = hashLeaf(new ByteWriter(64).u16(hashSlot).raw(holderBytes).finish())
  const placementTree = foldPath(leafHash, slotPath, { index: hashSlot, leafCount: HASH_SLOTS })
  const placementRoot = hashAll(new ByteWriter(64).u8(6).raw(network).u64(placementEra).finish(), placementTree)
  demand(equalBytes(placementRoot, placed.placementRoot), 'EVIDENCE_INVALID')
  demand(holders.includes(claim.node.address), 'NOT_HOLDER')
}

/** Refuses with EVIDENCE_INVALID what is too short. */
class EvidenceReader {
  private readonly bytes: Uint8Array
  position = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  get atEnd(): boolean {
    return this.position === this.bytes.length
  }

  take(length: number): Uint8Array {
    demand(length <= this.bytes.length - this.position, 'EVIDENCE_INVALID')
    this.position += length
    return this.bytes.subarray(this.position - length, this.position)
  }

  u8(): number {
    return Number(this.integer(1))
  }

  u32(): number {
    return Number(this.integer(4))
  }

  u64(): bigint {
    return this.integer(8)
  }

  path(length: number): Uint8Array[] {
    return Array.from({ length }, () => this.take(HASH_BYTES))
  }

  private integer(size: number): bigint {
    return Array.from(this.take(size)).reduce((value, byte) => (value << 8n) | BigInt(byte), 0n)
  }
}
