import { sha256 } from '#crypto'
import { ByteWriter } from './codec.ts'
import { ArchiveError } from './errors.ts'
import { HolderTable, type SlotHolders } from './holder-table.ts'
import { HASH_BYTES, leafHashInto, mergeTree } from './merkle.ts'
import { computeNetworkTag } from './network-tag.ts'
import { compareAddresses, computeScores, HASH_SLOTS } from './placement.ts'
import { SlotFiller } from './slot-filler.ts'
import { type FullRanking, listFirstRanks, rankAll } from './slot-ranking.ts'
import { BYTES_PER_GB, type Network, type Period } from './units.ts'

const PLACEMENT_ROOT_PREFIX = 0x06
/** A count of holders is one byte in the placement root. */
const MAX_REPLICAS = 255
/** A few ms of hashing. */
const ROOT_STEP_SLOTS = 512
/**
 * What is kept of the ranking of each hash slot, 1 MiB in all: holders, and those that stand in for them. Whoever ranks
 * behind these waits for more than a day before it does.
 */
const KEPT_RANKS = 32
const utf8 = new TextEncoder()

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

/**
 * Which copies are meant: `permanent` ones are with nodes that keep for ever; `recent` ones with any node that still
 * keeps a period of this age (head - period). With `requireAnchors` only nodes that keep for ever count in both.
 */
export type HolderKind = { readonly kind: 'permanent' } | { readonly kind: 'recent'; readonly agePeriods: Period }

/** Where scores come from; who computes tables again and again passes a cache of `computeScores`. */
export type ScoreSource = (address: string, placementGb: bigint) => Float64Array

/** What work in steps hands over between two of them: nothing. Each takes a few ms at most. */
export type Steps<T> = Generator<undefined, T>

export interface HolderOptions {
  readonly scoresOf?: ScoreSource
  /** How many of the ranking of each hash slot the holders are first looked for among; changes cost, never who they are. */
  readonly shortlist?: number
}

/**
 * Holders of all 16,384 hash slots: capacity-weighted rendezvous, filled in slot order, operators and networks kept
 * apart while that is possible (docs/FORMAT.md, Holders).
 *
 * Pure, and independent of the order of `snapshot.nodes`. About 2 ms for each node: `computeHolderTableInSteps` does the
 * same without keeping everything else waiting, and in less memory.
 *
 * @returns 16,384 entries, by hash slot
 * @throws ArchiveError CORE_NUMBER_OUT_OF_RANGE when an address occurs twice or `replicas` is out of range
 */
export function computeHolders(
  snapshot: PlacementSnapshot,
  kind: HolderKind = { kind: 'permanent' },
  scoresOf?: ScoreSource,
): SlotHolders[] {
  return finish(computeHoldersInSteps(snapshot, kind, scoresOf && { scoresOf }))
}

/** `computeHolders` in steps of one node or one hash slot. */
export function* computeHoldersInSteps(
  snapshot: PlacementSnapshot,
  kind: HolderKind = { kind: 'permanent' },
  options: HolderOptions = {},
): Steps<SlotHolders[]> {
  const table = yield* computeHolderTableInSteps(snapshot, kind, options)
  return Array.from({ length: HASH_SLOTS }, (_, hashSlot) => table.holdersIn(hashSlot))
}

/**
 * The same as `computeHolders` as a table, in steps of one node or one hash slot.
 *
 * Of each hash slot only the first of the ranking are kept, 12 MiB at most, whatever the number of nodes; where they do
 * not do (all of one operator, or full), the nodes are ranked again for as many hash slots as 64 MiB hold.
 */
export function* computeHolderTableInSteps(
  snapshot: PlacementSnapshot,
  kind: HolderKind = { kind: 'permanent' },
  options: HolderOptions = {},
): Steps<HolderTable> {
  const { replicas, eraBytes } = snapshot
  if (!Number.isInteger(replicas) || replicas < 1 || replicas > MAX_REPLICAS) {
    throw new ArchiveError('CORE_NUMBER_OUT_OF_RANGE', `${replicas} replicas, 1 to ${MAX_REPLICAS} are possible`)
  }
  const nodes = listEligible(snapshot, kind)
  const candidates = nodes.map(({ address, placementGb, operator, p2pAddrs }) => ({
    operator: operator === '' ? address : operator,
    network: computeNetworkTag(p2pAddrs, address),
    quota: computeSlotQuota(placementGb, eraBytes),
  }))
  const filler = new SlotFiller(replicas, candidates)
  // The scores of a node are taken over before those of the next are computed: one room does for all.
  const room = new Float64Array(HASH_SLOTS)
  const { scoresOf = (address: string, placementGb: bigint) => computeScores(address, placementGb, room) } = options
  const scores = nodes.map(
    ({ address, placementGb }) =>
      () =>
        scoresOf(address, placementGb),
  )
  const shortlists = yield* listFirstRanks(scores, options.shortlist)
  const table = new HolderTable(
    nodes.map(({ address }) => address),
    { replicas, ranks: shortlists.keepFirst(KEPT_RANKS) },
  )
  let ranking: FullRanking | undefined
  for (let hashSlot = 0; hashSlot < HASH_SLOTS; hashSlot++) {
    let chosen = filler.fill({
      first: (qualifies) => shortlists.findFirst(hashSlot, qualifies),
      isWhole: shortlists.isWhole,
    })
    if (chosen === undefined) {
      if (!ranking?.has(hashSlot)) ranking = yield* rankAll(scores, hashSlot)
      const whole = ranking
      chosen = filler.fill({ first: (qualifies) => whole.findFirst(hashSlot, qualifies), isWhole: true })
    }
    table.put(hashSlot, chosen ?? [])
    yield
  }
  return table
}

function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
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
  return finish(computePlacementRootInSteps(network, era, (hashSlot) => holders[hashSlot] ?? []))
}

/** `computePlacementRoot` in steps of 512 hash slots. */
export function* computePlacementRootInSteps(
  network: Network,
  era: number,
  holdersOf: (hashSlot: number) => readonly string[],
): Steps<Uint8Array> {
  // Both numbers are powers of two, so the roots of the parts are the nodes of one level of the whole tree.
  const parts = new Uint8Array((HASH_SLOTS / ROOT_STEP_SLOTS) * HASH_BYTES)
  const leaves = new Uint8Array(ROOT_STEP_SLOTS * HASH_BYTES)
  // Each address stands in many leaves.
  const encoded = new Map<string, Uint8Array>()
  const encode = (address: string): Uint8Array => {
    const bytes = encoded.get(address) ?? utf8.encode(address)
    encoded.set(address, bytes)
    return bytes
  }
  for (let part = 0; part * ROOT_STEP_SLOTS < HASH_SLOTS; part++) {
    for (let i = 0; i < ROOT_STEP_SLOTS; i++) {
      const hashSlot = part * ROOT_STEP_SLOTS + i
      leafHashInto(encodeLeaf(hashSlot, holdersOf(hashSlot).map(encode)), leaves, i * HASH_BYTES)
    }
    parts.set(mergeTree(leaves), part * HASH_BYTES)
    yield
  }
  const writer = new ByteWriter(64).u8(PLACEMENT_ROOT_PREFIX)
  writer.u64(network.chainId).u64(network.genesisTimestampMs).u64(BigInt(era))
  return sha256(writer.raw(mergeTree(parts)).finish())
}

/** What a leaf of the placement tree hashes: u16 hash slot || u8 m || m x (u8 length || address). */
export function encodePlacementLeaf(hashSlot: number, addresses: readonly string[]): Uint8Array {
  return encodeLeaf(
    hashSlot,
    addresses.map((address) => utf8.encode(address)),
  )
}

function encodeLeaf(hashSlot: number, addresses: readonly Uint8Array[]): Uint8Array {
  const leaf = new Uint8Array(addresses.reduce((sum, { length }) => sum + 1 + length, 3))
  leaf.set([hashSlot >>> 8, hashSlot & 0xff, addresses.length])
  let at = 3
  for (const address of addresses) {
    leaf[at] = address.length
    leaf.set(address, at + 1)
    at += 1 + address.length
  }
  return leaf
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
