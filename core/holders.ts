import { sha256 } from '#crypto'
import { ByteWriter } from './codec.ts'
import { ArchiveError } from './errors.ts'
import { computeLeafHash, computeTreeRoot } from './merkle.ts'
import { computeNetworkTag } from './network-tag.ts'
import { compareAddresses, computeScores, HASH_SLOTS } from './placement.ts'
import { type FullRanking, listFirstRanks, type Ranked, rankAll } from './slot-ranking.ts'
import { BYTES_PER_GB, type Network, type Period } from './units.ts'

const PLACEMENT_ROOT_PREFIX = 0x06
/** A count of holders is one byte in the placement root. */
const MAX_REPLICAS = 255
/** A few ms of hashing. */
const ROOT_STEP_SLOTS = 512

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

/** 1: another operator and another network than all before it; 2: another network; 3: anyone with room. */
export type HolderPass = 1 | 2 | 3
const PASSES: readonly HolderPass[] = [1, 2, 3]

/** Who holds the chunks of one hash slot. */
export interface SlotHolders {
  /** In order of rank, whichever pass chose them; fewer than `replicas` when too few nodes have room. */
  readonly addresses: readonly string[]
  /** In which pass each was chosen, in the order of `addresses`. */
  readonly passes: readonly HolderPass[]
  /** True when two of them share operator or network: one was chosen in pass 2 or 3. */
  readonly clustered: boolean
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

interface Candidate {
  readonly node: RegisteredNode
  readonly operator: string
  readonly network: string
  slotsLeft: number
}

/**
 * Holders of all 16,384 hash slots: capacity-weighted rendezvous, filled in slot order, operators and networks kept
 * apart while that is possible (docs/FORMAT.md, Holders).
 *
 * Pure, and independent of the order of `snapshot.nodes`. About 2 ms for each node: `computeHoldersInSteps` does the
 * same without keeping everything else waiting.
 *
 * @returns 16,384 entries, by hash slot
 * @throws ArchiveError CORE_NUMBER_OUT_OF_RANGE when an address occurs twice or `replicas` is out of range
 */
export function computeHolders(
  snapshot: PlacementSnapshot,
  kind: HolderKind = { kind: 'permanent' },
  scoresOf: ScoreSource = computeScores,
): SlotHolders[] {
  return finish(computeHoldersInSteps(snapshot, kind, { scoresOf }))
}

/**
 * `computeHolders` in steps of one node or one hash slot.
 *
 * Of each hash slot only the first of the ranking are kept, 12 MiB at most, whatever the number of nodes; where they do
 * not do (all of one operator, or full), the nodes are ranked again for as many hash slots as 64 MiB hold.
 *
 * @param options.shortlist - how many are kept; changes cost, never the result
 */
export function* computeHoldersInSteps(
  snapshot: PlacementSnapshot,
  kind: HolderKind = { kind: 'permanent' },
  options: { readonly scoresOf?: ScoreSource; readonly shortlist?: number } = {},
): Steps<SlotHolders[]> {
  const { replicas, eraBytes } = snapshot
  if (!Number.isInteger(replicas) || replicas < 1 || replicas > MAX_REPLICAS) {
    throw new ArchiveError('CORE_NUMBER_OUT_OF_RANGE', `${replicas} replicas, 1 to ${MAX_REPLICAS} are possible`)
  }
  const candidates = listEligible(snapshot, kind).map(
    (node): Candidate => ({
      node,
      operator: node.operator === '' ? node.address : node.operator,
      network: computeNetworkTag(node.p2pAddrs, node.address),
      slotsLeft: computeSlotQuota(node.placementGb, eraBytes),
    }),
  )
  const { scoresOf = computeScores } = options
  const scores = candidates.map(
    ({ node }) =>
      () =>
        scoresOf(node.address, node.placementGb),
  )
  const shortlists = yield* listFirstRanks(scores, options.shortlist)
  const holders: SlotHolders[] = []
  let ranking: FullRanking | undefined
  for (let hashSlot = 0; hashSlot < HASH_SLOTS; hashSlot++) {
    let chosen = fillHashSlot(candidates, replicas, {
      first: (qualifies) => shortlists.findFirst(hashSlot, qualifies),
      isWhole: shortlists.isWhole,
    })
    if (chosen === undefined) {
      if (!ranking?.has(hashSlot)) ranking = yield* rankAll(scores, hashSlot)
      const whole = ranking
      chosen = fillHashSlot(candidates, replicas, {
        first: (qualifies) => whole.findFirst(hashSlot, qualifies),
        isWhole: true,
      })
    }
    holders.push(toSlotHolders(candidates, chosen ?? []))
    yield
  }
  return holders
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
  return finish(computePlacementRootInSteps(network, era, holders))
}

/** `computePlacementRoot` in steps of 512 hash slots. */
export function* computePlacementRootInSteps(
  network: Network,
  era: number,
  holders: readonly (readonly string[])[],
): Steps<Uint8Array> {
  if (holders.length !== HASH_SLOTS) {
    throw new ArchiveError('CORE_NUMBER_OUT_OF_RANGE', `holders of ${holders.length} hash slots, not ${HASH_SLOTS}`)
  }
  // Both numbers are powers of two, so the roots of the parts are the nodes of one level of the whole tree.
  const parts: Uint8Array[] = []
  for (let from = 0; from < HASH_SLOTS; from += ROOT_STEP_SLOTS) {
    const leaves = holders
      .slice(from, from + ROOT_STEP_SLOTS)
      .map((addresses, i) => computeLeafHash(encodePlacementLeaf(from + i, addresses)))
    parts.push(computeTreeRoot(leaves))
    yield
  }
  const writer = new ByteWriter(64).u8(PLACEMENT_ROOT_PREFIX)
  writer.u64(network.chainId).u64(network.genesisTimestampMs).u64(BigInt(era))
  return sha256(writer.raw(computeTreeRoot(parts)).finish())
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

/** Where the next in rank comes from. */
interface Ranking {
  /** Index of the candidate that ranks first among those that qualify. */
  first(qualifies: (candidate: number) => boolean): Ranked | undefined
  /** False when there are candidates behind its last one. */
  readonly isWhole: boolean
}

interface Chosen extends Ranked {
  readonly pass: HolderPass
}

/** Undefined when the ranking ends before it is known who comes next; then no slot was taken. */
function fillHashSlot(
  candidates: readonly Candidate[],
  replicas: number,
  ranking: Ranking,
): readonly Chosen[] | undefined {
  const chosen: Chosen[] = []
  const taken = new Set<Candidate>()
  const operators = new Set<string>()
  const networks = new Set<string>()
  const qualifies: Record<HolderPass, (candidate: Candidate) => boolean> = {
    1: ({ network, operator }) => !networks.has(network) && !operators.has(operator),
    2: ({ network }) => !networks.has(network),
    3: (candidate) => !taken.has(candidate),
  }
  // A pass only ever shuts candidates out, so "next in rank" is "lowest score that still qualifies".
  for (const pass of PASSES) {
    while (chosen.length < replicas) {
      const next = ranking.first((index) => {
        const candidate = candidates[index]
        return candidate !== undefined && candidate.slotsLeft > 0 && qualifies[pass](candidate)
      })
      if (next === undefined) break
      const candidate = candidates[next.index]
      if (candidate === undefined) break
      taken.add(candidate)
      operators.add(candidate.operator)
      networks.add(candidate.network)
      chosen.push({ ...next, pass })
    }
    if (chosen.length === replicas) break
    if (!ranking.isWhole) return undefined
  }
  for (const candidate of taken) candidate.slotsLeft--
  // Candidates stand in the order of their addresses.
  return chosen.sort((a, b) => a.score - b.score || a.index - b.index)
}

function toSlotHolders(candidates: readonly Candidate[], chosen: readonly Chosen[]): SlotHolders {
  return {
    addresses: chosen.flatMap(({ index }) => candidates[index]?.node.address ?? []),
    passes: chosen.map(({ pass }) => pass),
    clustered: chosen.some(({ pass }) => pass > 1),
  }
}
