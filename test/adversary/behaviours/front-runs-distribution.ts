import type { Adversary } from '../adversary.ts'
import { DISTRIBUTE_EVERY_PERIODS } from '../sizes.ts'

const because =
  'a distribution writes down what was set aside and pays nobody: rewards accrue by the period, whoever calls and when. It pays fee and record that another would have paid'

export const frontRunsDistribution: Adversary = {
  name: 'front-runs `distributeRewards`',
  does: 'is honest otherwise, and sends each `distributeRewards` a moment before the others would',
  play: () => ({
    act: (arena) => {
      const [me] = arena.world.suspects
      if (me && arena.period % DISTRIBUTE_EVERY_PERIODS === 0) arena.distribute(me.party)
    },
  }),
  expected: { shipped: { atMost: 1, because }, production: { atMost: 1, because } },
}
