import { ERA_PERIODS } from '../../../core/index.ts'
import type { Adversary } from '../adversary.ts'
import { mustSucceed } from '../arena.ts'
import { keepUntilProven } from '../until-proven.ts'

const because =
  'what no audit judged before it leaves goes back to the pool: it is paid up to the one audit that it passed, as who deletes and stays'
const LEAVES_AFTER_ERAS = 19

export const passesOnceAndLeaves: Adversary = {
  name: 'passes once and leaves much later',
  does: 'keeps everything until it has answered its first audit, then deletes it, and leaves 19 eras after it began',
  play: () => {
    let leavesIn: number | undefined
    return {
      habits: keepUntilProven(),
      act: ({ period, world }) => {
        leavesIn ??= period + LEAVES_AFTER_ERAS * ERA_PERIODS
        const [node] = world.suspects
        if (node && period === leavesIn) mustSucceed(world.chain.send(node.address, 'unregisterStorageNode', {}))
      },
    }
  },
  expected: { shipped: { atMost: 0.75, because }, production: { atMost: 0.75, because } },
}
