import type { Network } from '../core/index.ts'

/** Massa's public networks (massa-node's own constants). */
export const KNOWN_NETWORKS = {
  mainnet: { chainId: 77_658_377n, genesisTimestampMs: 1_705_312_800_000n },
  buildnet: { chainId: 77_658_366n, genesisTimestampMs: 1_704_289_800_000n },
} as const satisfies Record<string, Network>

export type KnownNetworkName = keyof typeof KNOWN_NETWORKS

/** Name of a public network; undefined for a private one. Both numbers must fit. */
export function findNetworkName(network: Network): KnownNetworkName | undefined {
  const names = Object.keys(KNOWN_NETWORKS) as KnownNetworkName[]
  return names.find((name) => {
    const known = KNOWN_NETWORKS[name]
    return known.chainId === network.chainId && known.genesisTimestampMs === network.genesisTimestampMs
  })
}

/** In names of files. */
export function nameNetwork(network: Network): string {
  return findNetworkName(network) ?? `chain${network.chainId}`
}
