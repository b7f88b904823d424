import { computeHashSlot, type Period } from '../../core/index.ts'
import type { SimChain } from './sim-chain.ts'
import type { SimIdentity } from './sim-identity.ts'
import type { SimRandom } from './sim-random.ts'
import type { SimRegistry } from './sim-registry.ts'

/** Of what a node may let go of, this much is still there. */
const KEPT_SHARE = 0.1

/**
 * Draws what each honest node has let go of before a simulation begins: nothing of which it is a holder. The holders have
 * shown all they hold; a sham among them has lost it since.
 *
 * @param lastPeriod younger ones are whole
 * @returns by name: keys of `keyOf`
 */
export function drawLetGo(
  { nodes, lastPeriod }: { readonly nodes: readonly SimIdentity[]; readonly lastPeriod: Period },
  { chain, registry, random }: { readonly chain: SimChain; readonly registry: SimRegistry; readonly random: SimRandom },
): ReadonlyMap<string, ReadonlySet<string>> {
  const letGo = new Map(nodes.map(({ name }) => [name, new Set<string>()]))
  const table = registry.tableOf(0)
  for (let period = 0; period <= lastPeriod; period++) {
    for (const [index, { chunkId }] of chain.period(period).manifest.chunks.entries()) {
      const hashSlot = computeHashSlot(chunkId)
      for (const { name, massaAddress } of nodes) {
        const isHolder = table?.isHolder(massaAddress, hashSlot) ?? true
        if (!isHolder && !random.chance(KEPT_SHARE)) letGo.get(name)?.add(keyOf(period, index))
      }
    }
  }
  return letGo
}

export function keyOf(period: Period, index: number): string {
  return `${period} ${index}`
}
