import type { Adversary } from '../adversary.ts'
import { isAmong } from '../chunk-share.ts'

const because =
  'what it did not show its peers twice is asked for on chain, and a failed audit takes what was earned since the one before'

export const keepsHalf: Adversary = {
  name: 'keeps half',
  does: 'says that it has everything and keeps half of it',
  play: () => ({ habits: { keeps: (chunk) => isAmong(1 / 2, chunk) } }),
  expected: { shipped: { atMost: 0, because }, production: { atMost: 0, because } },
}
