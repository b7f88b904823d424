import { BYTES_PER_GB, type HolderTable } from '../../../core/index.ts'
import { type MadeNetwork, makeAddress, PLACEMENT_GB, REPLICAS, tabulate } from './made-nodes.ts'
import { percent, whole } from './page-table.ts'
import { computeDrawnShare, computeModuloMovedShare, computeMovedShare, countSlots } from './placement-scale.ts'
import { MIXED_NAME, mixedGb, type ScaleWorld } from './scale-world.ts'

/** What a node's coming or going moves. */
export interface Move {
  readonly name: string
  readonly share: number
  /** What falls to the node by what it offers, on average over all addresses. */
  readonly ofNode: number
  /** What the node itself has when it is there: no less can move. */
  readonly least: number
  readonly modulo?: number
}

export const JOIN_OF_31ST = '30 to 31'

export function listMoves({ sizes, tableOf }: Pick<ScaleWorld, 'sizes' | 'tableOf'>): Move[] {
  const alike = sizes.flatMap((nodes): Move[] => {
    const [few, many] = [tableOf(nodes), tableOf(nodes + 1)]
    return [describe(nodes, few, many), describe(nodes + 1, many, few)]
  })
  return [...alike, ...listVariants()]
}

function describe(nodes: number, before: HolderTable, after: HolderTable): Move {
  const afterwards = after.addresses.length
  return {
    name: `${whole(nodes)} to ${whole(afterwards)}`,
    share: computeMovedShare(before, after),
    ofNode: 1 / Math.max(nodes, afterwards),
    least: computeShareOfLast(nodes < afterwards ? after : before),
    modulo: computeModuloMovedShare(nodes, afterwards, REPLICAS),
  }
}

/** The 31st node again, in other networks. */
function listVariants(): Move[] {
  const variants: readonly (readonly [string, Omit<MadeNetwork, 'nodes'>])[] = [
    [MIXED_NAME, { placementGb: mixedGb }],
    ['three in each /16', { nodesPerNetwork: 3 }],
    ...[0.5, 0.1, 0.02].map((room) => {
      return [`${percent(room)} more room than is needed`, { eraBytes: eraBytesFor(30, room) }] as const
    }),
  ]
  return variants.map(([name, change]) => {
    const before = tabulate({ nodes: 30, ...change })
    const after = tabulate({ nodes: 31, ...change })
    const weights = Array.from({ length: 31 }, (_, i) => Number(change.placementGb?.(i) ?? 1n))
    const ofNode = computeDrawnShare(weights, weights.length - 1, REPLICAS)
    const share = computeMovedShare(before, after)
    return { name: `${JOIN_OF_31ST}, ${name}`, share, ofNode, least: computeShareOfLast(after) }
  })
}

/** Of all placements, what the node has that came last, or goes first. */
function computeShareOfLast(table: HolderTable): number {
  const counts = countSlots(table)
  const last = table.addresses.indexOf(makeAddress(counts.length - 1))
  return (counts[last] ?? 0) / counts.reduce((sum, count) => sum + count, 0)
}

/** So that `nodes` have this much more room than all copies take. */
function eraBytesFor(nodes: number, room: number): bigint {
  return BigInt(Math.round((Number(PLACEMENT_GB) * BYTES_PER_GB * nodes) / ((1 + room) * REPLICAS)))
}
