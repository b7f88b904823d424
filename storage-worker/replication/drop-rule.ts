import { computeNetworkTag, ERA_PERIODS, type Period, type PlacementSnapshot } from '../../core/index.ts'
import type { DrawnChunk } from './chunk-draw.ts'

/** Why a chunk stays. */
export const KEEP_REASONS = [
  /** No placement, or one that may be outdated; or nobody keeps for ever. */
  'unplaced',
  /** Anchors are required, and its era has none. */
  'unanchored',
  'young',
  /** It is ours, stands in for a holder, was ours of late, or may have been. */
  'assigned',
  /** Fewer holders than copies are wanted, or two that share operator or network. */
  'clustered',
  /** Not every holder showed us a leaf of it of late, and with chunk 0 SEALS. */
  'unshown',
] as const
export type KeepReason = (typeof KEEP_REASONS)[number]

/** What of a placement decides. */
export interface DropTable {
  readonly era: number
  /** r: copies that there are to be. */
  readonly replicas: number
  readonly keepsForEver: boolean
  /** How long a node that got a hash slot has to fetch it. */
  readonly lagEras: number
  readonly snapshot: Pick<PlacementSnapshot, 'nodes' | 'requireAnchors'>
  holdersOfSlot(hashSlot: number): {
    readonly holders: readonly { readonly address: string; readonly pass: number }[]
    readonly clustered: boolean
  }
}

export interface DropFacts {
  /** Undefined: there is none, or it may be outdated. */
  readonly table: DropTable | undefined
  /** Of the newest final slot: all times are the chain's. */
  readonly finalPeriod: Period
  readonly minAgePeriods: number
  readonly duty: {
    of(hashSlot: number): 'assigned' | 'standIn' | undefined
    wasNeverAssigned(hashSlot: number, fromEra: number): boolean
  }
  readonly isAnchored: (era: number) => boolean
  /** Whether this node showed us, within 5,400 periods, a leaf of the chunk at an index that we drew, with chunk 0 SEALS too. */
  readonly hasShown: (address: string) => boolean
}

/**
 * Why a node must keep a chunk of which it is no holder; undefined when it may let it go, if its disk is over 90 % full.
 *
 * What others say that they hold does not occur here: only what they showed.
 */
export function findReasonToKeep(chunk: DrawnChunk, facts: DropFacts): KeepReason | undefined {
  const { table, finalPeriod, duty } = facts
  if (!table?.keepsForEver) return 'unplaced'
  if (table.snapshot.requireAnchors && !facts.isAnchored(Math.floor(chunk.period / ERA_PERIODS))) return 'unanchored'
  if (finalPeriod - chunk.period < facts.minAgePeriods) return 'young'
  const fromEra = Math.max(0, table.era - 2 * table.lagEras)
  if (duty.of(chunk.hashSlot) !== undefined || !duty.wasNeverAssigned(chunk.hashSlot, fromEra)) return 'assigned'
  const holders = listSeparateHolders(table, chunk.hashSlot)
  if (!holders) return 'clustered'
  return holders.every((address) => facts.hasShown(address)) ? undefined : 'unshown'
}

/**
 * The r holders of a hash slot; undefined unless there are so many, and no two of them share operator or network.
 *
 * Looked up anew, not taken from the passes alone: a copy too many costs disk, one too few may be the last.
 */
export function listSeparateHolders(table: DropTable, hashSlot: number): readonly string[] | undefined {
  const { holders, clustered } = table.holdersOfSlot(hashSlot)
  if (clustered || holders.length < Math.max(1, table.replicas)) return undefined
  const operators = new Set<string>()
  const networks = new Set<string>()
  for (const { address, pass } of holders) {
    const node = table.snapshot.nodes.find((each) => each.address === address)
    if (!node || pass !== 1) return undefined
    operators.add(node.operator === '' ? address : node.operator)
    networks.add(computeNetworkTag(node.p2pAddrs, address))
  }
  const isSeparate = operators.size === holders.length && networks.size === holders.length
  return isSeparate ? holders.map(({ address }) => address) : undefined
}
