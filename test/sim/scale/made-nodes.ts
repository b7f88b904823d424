import {
  computeAddress,
  computeHolderTableInSteps,
  computeScores,
  formatAddress,
  type HolderTable,
  type PlacementSnapshot,
  type RegisteredNode,
} from '../../../core/index.ts'

export const NETWORK = { chainId: 77n, genesisTimestampMs: 1_700_000_000_000n }
export const REPLICAS = 3
export const PLACEMENT_GB = 1_000n

export interface MadeNetwork {
  readonly nodes: number
  /** GB of each node, by its number; all alike unless given. */
  readonly placementGb?: (number: number) => bigint
  /** Nodes that share a network (/16); 1 unless given. */
  readonly nodesPerNetwork?: number
  readonly eraBytes?: bigint
}

/** The same nodes again with each call: node 30 of 31 is node 30 of 1,000. */
export function makeSnapshot({
  nodes,
  placementGb,
  nodesPerNetwork = 1,
  eraBytes = 0n,
}: MadeNetwork): PlacementSnapshot {
  const made = Array.from({ length: nodes }, (_, number): RegisteredNode => {
    const network = Math.floor(number / nodesPerNetwork)
    return {
      address: makeAddress(number),
      placementGb: placementGb?.(number) ?? PLACEMENT_GB,
      operator: '',
      p2pAddrs: [`/ip4/${1 + (network >> 8)}.${network & 0xff}.${number >> 8}.${number & 0xff}/tcp/31500`],
      retentionPeriods: 0n,
    }
  })
  return { network: NETWORK, era: 1_000, replicas: REPLICAS, eraBytes, requireAnchors: true, nodes: made }
}

export function makeAddress(number: number): string {
  const publicKey = new Uint8Array(33)
  new DataView(publicKey.buffer).setUint32(1, number)
  return formatAddress(computeAddress(publicKey))
}

const cachedScores = new Map<string, Float64Array>()

export function tabulate(made: MadeNetwork): HolderTable {
  return tabulateSnapshot(makeSnapshot(made))
}

/** Who holds what, computed as a sidecar does. Scores are kept: 131 kB for each node that was ever in a table. */
export function tabulateSnapshot(snapshot: PlacementSnapshot): HolderTable {
  const scoresOf = (address: string, placementGb: bigint): Float64Array => {
    const key = `${address}/${placementGb}`
    const scores = cachedScores.get(key) ?? computeScores(address, placementGb)
    cachedScores.set(key, scores)
    return scores
  }
  const steps = computeHolderTableInSteps(snapshot, { kind: 'permanent' }, { scoresOf })
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}

/** What the nodes of a table offer, in its order. */
export function listWeights(table: HolderTable, placementGb: (number: number) => bigint): number[] {
  const numberOf = new Map(table.addresses.map((_, number) => [makeAddress(number), number]))
  return table.addresses.map((address) => Number(placementGb(numberOf.get(address) ?? 0)))
}
