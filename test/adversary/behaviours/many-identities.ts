import type { Adversary } from '../adversary.ts'

export const manyIdentities: Adversary = {
  name: 'many identities on one disk',
  does: 'registers twelve nodes of 10 GB, each with its stake, and answers for all of them from one copy of what they are to keep',
  identities: 12,
  play: () => ({}),
  expected: {
    shipped: {
      atMost: 12.1,
      atLeast: 11.9,
      leavesHonest: 0.99,
      because:
        'nothing tells twelve nodes from twelve names. Each needs a stake, 10 MAS here whatever it offers; nothing else resists',
    },
    production: {
      atMost: 4.5,
      atLeast: 4,
      leavesHonest: 0.3,
      because:
        'nothing tells twelve nodes from twelve names. Each needs a stake for each GB, 648 MAS in all here, and what is paid in all is bounded by what is anchored, so it comes off the others. Placement keeps apart what shares an operator or a network, by their own word: that stops no liar. No more is saved than the copies: with three of each chunk, two thirds of the disk',
    },
  },
}
