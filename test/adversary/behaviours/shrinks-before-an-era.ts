import { ERA_PERIODS, type RegistryNode } from '../../../core/index.ts'
import type { Adversary } from '../adversary.ts'
import { mustSucceed } from '../arena.ts'
import { isAmong } from '../chunk-share.ts'
import { NODE_GB } from '../sizes.ts'

const SMALL_GB = 1n

/** What placement goes by is what was small. */
function checkSnapshot({ placementEra, previousPlacementGb }: RegistryNode, period: number): void {
  if (Number(placementEra) === Math.floor(period / ERA_PERIODS) && previousPlacementGb === SMALL_GB) return
  throw new Error(`placement counts ${previousPlacementGb} GB in period ${period}`)
}

export const shrinksBeforeAnEra: Adversary = {
  name: 'shrinks before an era and grows after it',
  does: 'is of 1 GB when an era begins and of 10 GB for the rest of it, and keeps what falls to 1 GB',
  placedGb: SMALL_GB,
  play: (_, setting) => ({
    // Without anchors nothing more falls to it; with them, placements from when it was large do for a day or two.
    habits: setting === 'shipped' ? {} : { keeps: (chunk) => isAmong(0.1, chunk) },
    act: ({ period, world }) => {
      const position = period % ERA_PERIODS
      const newAllocatedGb = position === ERA_PERIODS - 1 ? SMALL_GB : position === 0 ? NODE_GB : undefined
      const [node] = world.suspects
      if (node && setting === 'shipped' && position === 1) checkSnapshot(world.chain.view('getNodeInfo', node), period)
      if (!node || newAllocatedGb === undefined || !world.chain.view('getNodeInfo', node).active) return
      mustSucceed(world.chain.send(node.address, 'updateStorageAllocation', { newAllocatedGb }))
    },
  }),
  expected: {
    shipped: {
      atMost: 1,
      atLeast: 0.9,
      because:
        'placement goes by the GB at the start of an era, and without anchors pay by those of now. It costs two fees an era. Where coins have value `require_anchors` must be true',
    },
    production: {
      atMost: 0,
      because:
        'with anchors a weight falls at once and rises a day later, and then only if the node did not shrink again: it is paid for 1 GB, and asked for the 10 of older placements',
    },
  },
}
