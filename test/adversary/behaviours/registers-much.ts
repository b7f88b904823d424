import type { Adversary } from '../adversary.ts'
import { isAmong } from '../chunk-share.ts'

export const registersMuch: Adversary = {
  name: 'registers much and stores little',
  does: 'registers 10,000 GB; without anchors it keeps the 10 GB that there are, with them a hundredth of what it is to keep',
  gb: 10_000n,
  play: (_, setting) => (setting === 'shipped' ? {} : { habits: { keeps: (chunk) => isAmong(0.01, chunk) } }),
  expected: {
    shipped: {
      atMost: 1_010,
      atLeast: 900,
      because:
        'without anchors a GB is paid because it was declared, whether there is anything to fill it with or not. Only `max_allocated_gb` bounds it, and the pool, which it empties for all. Where coins have value `require_anchors` must be true',
    },
    production: {
      atMost: 0,
      because:
        'no node counts for more than there is; it is challenged for what placement gives it, and has staked for every GB that it declared',
    },
  },
}
