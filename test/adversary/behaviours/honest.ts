import type { Adversary } from '../adversary.ts'

const because = 'the others are measured by it'

export const honest: Adversary = {
  name: 'an honest node',
  does: 'keeps what it is to keep and answers what it is asked',
  play: () => ({}),
  expected: { shipped: { atMost: 1, because }, production: { atMost: 1, because } },
}
