import { slotIndex } from '../../../core/index.ts'
import type { GraphBlock } from '../chain/block-graph.ts'
import type { DevnetChain } from '../chain/devnet-chain.ts'

export interface Clique {
  readonly blockIds: readonly string[]
  readonly fitness: number
  readonly isBlockclique: boolean
}

/**
 * The largest sets of blocks that are not final and agree with each other, the best first. All blocks after a rival
 * descend from the one that it lost to: a rival is in a clique with those before it.
 */
export function listCliques(chain: DevnetChain): Clique[] {
  const oldest = Math.min(...chain.latestFinalBlocks.map((block) => block.slotIndex))
  const active = chain
    .listGraph(oldest, slotIndex(chain.lastSlot) + 1)
    .filter((block) => !block.isFinal && !isDiscarded(chain, block))
  const winners = active.filter(({ isRival }) => !isRival)
  const rivals = active.filter(({ isRival }) => isRival)
  return [
    describe(chain, winners, true),
    ...rivals.map((rival) =>
      describe(chain, [...winners.filter((winner) => winner.slotIndex < rival.slotIndex), rival], false),
    ),
  ]
}

/** A rival whose slot is decided. */
export function isDiscarded(chain: DevnetChain, block: GraphBlock): boolean {
  return block.isRival && chain.blockStatus(block) === 4
}

function describe(chain: DevnetChain, blocks: readonly GraphBlock[], isBlockclique: boolean): Clique {
  return {
    blockIds: blocks.map(({ id }) => id),
    fitness: blocks.reduce((sum, { id }) => sum + 1 + (chain.findBlock(id)?.header.endorsements.length ?? 0), 0),
    isBlockclique,
  }
}
