import type { Adversary } from '../adversary.ts'
import { mustSucceed } from '../arena.ts'

const because =
  'leaving ends no challenge: it expires, which forfeits what was under audit, and the stake stays until it is resolved and the unbonding is over'

export const leavesWithAnOpenChallenge: Adversary = {
  name: 'leaves with an open challenge',
  does: 'keeps nothing, and leaves in the period in which it is challenged',
  play: () => {
    let hasLeft = false
    return {
      habits: { keeps: () => false },
      act: ({ world }) => {
        const [node] = world.suspects
        if (!node || hasLeft || node.queue.length === 0) return
        hasLeft = true
        mustSucceed(world.chain.send(node.address, 'unregisterStorageNode', {}))
      },
    }
  },
  expected: { shipped: { atMost: 0, because }, production: { atMost: 0, because } },
}
