import type { Adversary } from '../adversary.ts'
import { isAmong } from '../chunk-share.ts'

export const registersMuch: Adversary = {
  name: 'registers much and stores little',
  does: 'registers 10,000 GB, keeps a hundredth of what it is to keep, and says, where that is enough, that it has no more',
  gb: 10_000n,
  play: () => ({ habits: { keeps: (chunk) => isAmong(0.01, chunk), lists: (chunk) => isAmong(0.01, chunk) } }),
  expected: {
    shipped: {
      atMost: 1_010,
      atLeast: 900,
      because:
        'without anchors a GB is paid because it was declared, and a node is challenged for what it says that it has. Only `max_allocated_gb` bounds it, and the pool, which it empties for all. Where coins have value `require_anchors` must be true',
    },
    production: {
      atMost: 0,
      because:
        'no node counts for more than there is; it is challenged for what placement gives it, and has staked for every GB that it declared',
    },
  },
}
