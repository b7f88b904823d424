import { sha256 } from '#crypto'
import { ByteWriter } from './codec.ts'
import { ArchiveError } from './errors.ts'
import { computeLeafHash, computeTreeRoot } from './merkle.ts'
import { computeNetworkTag } from './network-tag.ts'
import { compareAddresses, computeScores, HASH_SLOTS } from './placement.ts'
import { BYTES_PER_GB, type Network, type Period } from './units.ts'

const PLACEMENT_ROOT_PREFIX = 0x06
/** A count of holders is one byte in the placement root. */
const MAX_REPLICAS = 255

/** One node of the registry, as it stood at the start of an era. */
export interface RegisteredNode {
  readonly address: string
  /** Weight and declared capacity, GB; 0 is left out. */
  readonly placementGb: bigint
  /** Who runs it, by its own word; empty = the address. */
  readonly operator: string
  /** Multiaddr texts, see `computeNetworkTag`. */
  readonly p2pAddrs: readonly string[]
  /** 0 = keeps for ever. */
  readonly retentionPeriods: bigint
}

/** Everything that decides who holds what in one era: the same for all who read the registry in it. */
export interface PlacementSnapshot {
  readonly network: Network
  readonly era: number
  /** r: the era's replicas, 1 to 255. */
  readonly replicas: number
  /** Bytes anchored at the start of the era; 0 = capacity does not bind. */
  readonly eraBytes: bigint
  readonly requireAnchors: boolean
  readonly nodes: readonly RegisteredNode[]
}

/** Who holds the chunks of one hash slot. */
export interface SlotHolders {
  /** In order of rank, whichever pass chose them; fewer than `replicas` when too few nodes have room. */
  readonly addresses: readonly string[]
  /** True when two of them share operator or network. */
  readonly clustered: boolean
}

/**
 * Which copies are meant: `permanent` ones are with nodes that keep for ever; `recent` ones with any node that still
 * keeps a period of this age (head - period). With `requireAnchors` only nodes that keep for ever count in both.
 */
export type HolderKind = { readonly kind: 'permanent' } | { readonly kind: 'recent'; readonly agePeriods: Period }

/** Where scores come from; who computes tables again and again passes a cache of `computeScores`. */
export type ScoreSource = (address: string, placementGb: bigint) => Float64Array

interface Candidate {
  readonly address: string
  readonly operator: string
  readonly network: string
  readonly scores: Float64Array
  slotsLeft: number
}

/**
 * Holders of all 16,384 hash slots: capacity-weighted rendezvous, filled in slot order, operators and networks kept
 * apart while that is possible (docs/FORMAT.md, Holders).
 *
 * Pure, and independent of the order of `snapshot.nodes`. Costs O(16,384 x replicas x nodes) and 128 KiB per node.
 *
 * @returns 16,384 entries, by hash slot
 * @throws ArchiveError CORE_NUMBER_OUT_OF_RANGE when an address occurs twice or `replicas` is out of range
 */
export function computeHolders(
  snapshot: PlacementSnapshot,
  kind: HolderKind = { kind: 'permanent' },
  scoresOf: ScoreSource = computeScores,
): SlotHolders[] {
  const { replicas, eraBytes } = snapshot
  if (!Number.isInteger(replicas) || replicas < 1 || replicas > MAX_REPLICAS) {
    throw new ArchiveError('CORE_NUMBER_OUT_OF_RANGE', `${replicas} replicas, 1 to ${MAX_REPLICAS} are possible`)
  }
  const candidates = listEligible(snapshot, kind).map(
    (node): Candidate => ({
      address: node.address,
      operator: node.operator === '' ? node.address : node.operator,
      network: computeNetworkTag(node.p2pAddrs, node.address),
      scores: scoresOf(node.address, node.placementGb),
      slotsLeft: computeSlotQuota(node.placementGb, eraBytes),
    }),
  )
  return Array.from({ length: HASH_SLOTS }, (_, hashSlot) => fillHashSlot(candidates, hashSlot, replicas))
}

/** Hash slots a node can be given: what its GB hold of the era's bytes, at most all. */
export function computeSlotQuota(placementGb: bigint, eraBytes: bigint): number {
  if (eraBytes === 0n) return HASH_SLOTS
  const quota = (placementGb * BigInt(BYTES_PER_GB) * BigInt(HASH_SLOTS)) / eraBytes
  return quota < BigInt(HASH_SLOTS) ? Number(quota) : HASH_SLOTS
}

/**
 * 32 bytes over the holders of all hash slots in one era (docs/FORMAT.md, Placement root).
 *
 * @param holders - 16,384 lists of addresses in order of rank; empty where a hash slot has none
 * @throws ArchiveError CORE_NUMBER_OUT_OF_RANGE for another number of lists
 */
export function computePlacementRoot(
  network: Network,
  era: number,
  holders: readonly (readonly string[])[],
): Uint8Array {
  if (holders.length !== HASH_SLOTS) {
    throw new ArchiveError('CORE_NUMBER_OUT_OF_RANGE', `holders of ${holders.length} hash slots, not ${HASH_SLOTS}`)
  }
  const leaves = holders.map((addresses, hashSlot) => computeLeafHash(encodePlacementLeaf(hashSlot, addresses)))
  const writer = new ByteWriter(64).u8(PLACEMENT_ROOT_PREFIX)
  writer.u64(network.chainId).u64(network.genesisTimestampMs).u64(BigInt(era))
  return sha256(writer.raw(computeTreeRoot(leaves)).finish())
}

/** What a leaf of the placement tree hashes: u16 hash slot || u8 m || m x (u8 length || address). */
export function encodePlacementLeaf(hashSlot: number, addresses: readonly string[]): Uint8Array {
  const writer = new ByteWriter(256).u16(hashSlot).u8(addresses.length)
  for (const address of addresses) {
    const bytes = new TextEncoder().encode(address)
    writer.u8(bytes.length).raw(bytes)
  }
  return writer.finish()
}

/** By address bytes, so that the first of equal scores is the one that ranks first. */
function listEligible(snapshot: PlacementSnapshot, kind: HolderKind): RegisteredNode[] {
  const keepsLongEnough = (retentionPeriods: bigint): boolean =>
    retentionPeriods === 0n ||
    (!snapshot.requireAnchors && kind.kind === 'recent' && BigInt(kind.agePeriods) < retentionPeriods)
  const nodes = snapshot.nodes
    .filter((node) => node.placementGb > 0n && keepsLongEnough(node.retentionPeriods))
    .sort((a, b) => compareAddresses(a.address, b.address))
  for (const [i, node] of nodes.entries()) {
    if (node.address === nodes[i + 1]?.address) {
      throw new ArchiveError('CORE_NUMBER_OUT_OF_RANGE', `${node.address} stands twice in a placement snapshot`)
    }
  }
  return nodes
}

function fillHashSlot(candidates: readonly Candidate[], hashSlot: number, replicas: number): SlotHolders {
  const chosen: Candidate[] = []
  const isFree = (candidate: Candidate): boolean => !chosen.includes(candidate)
  const isOtherNetwork = (candidate: Candidate): boolean => chosen.every((one) => one.network !== candidate.network)
  const isApart = (candidate: Candidate): boolean =>
    chosen.every((one) => one.network !== candidate.network && one.operator !== candidate.operator)
  let apart = 0
  // A pass only ever shuts candidates out, so "next in rank" is "lowest score that still qualifies".
  for (const [pass, qualifies] of [isApart, isOtherNetwork, isFree].entries()) {
    while (chosen.length < replicas) {
      const next = findLowest(candidates, hashSlot, qualifies)
      if (next === undefined) break
      next.slotsLeft--
      chosen.push(next)
    }
    if (pass === 0) apart = chosen.length
  }
  chosen.sort((a, b) => scoreOf(a, hashSlot) - scoreOf(b, hashSlot) || compareAddresses(a.address, b.address))
  return { addresses: chosen.map(({ address }) => address), clustered: chosen.length > apart }
}

function findLowest(
  candidates: readonly Candidate[],
  hashSlot: number,
  qualifies: (candidate: Candidate) => boolean,
): Candidate | undefined {
  let lowest: Candidate | undefined
  let lowestScore = Number.POSITIVE_INFINITY
  for (const candidate of candidates) {
    const score = scoreOf(candidate, hashSlot)
    if (score < lowestScore && candidate.slotsLeft > 0 && qualifies(candidate)) {
      lowest = candidate
      lowestScore = score
    }
  }
  return lowest
}

function scoreOf(candidate: Candidate, hashSlot: number): number {
  return candidate.scores[hashSlot] ?? Number.POSITIVE_INFINITY
}
