import type { Adversary } from '../adversary.ts'

export const floodingChallenger: Adversary = {
  name: 'challenger that floods',
  does: 'runs an honest node, has the key of a challenger, and challenges one other node, for what it keeps, as often as the registry lets it',
  isChallenger: true,
  play: (key) => {
    let sent = 0
    return {
      act: (arena) => {
        const [victim] = arena.world.honest
        if (!victim || !arena.mayAudit(key, victim)) return
        const chunk = arena.random.pick(victim.duty.all)
        arena.issue(key, victim, [{ id: `f-${sent++}`, chunk, chunkId: chunk.chunkId, nonce: 0n }])
      },
    }
  },
  expected: {
    shipped: {
      atMost: 0,
      leavesHonest: 0.6,
      because:
        'it pays more for records than its victim for answers. Only `min_challenge_interval_periods` bounds it, which is 1 here: a third of what a node of 10 GB earns goes into fees, of one of 3 GB all',
    },
    production: {
      atMost: 1,
      leavesHonest: 0.99,
      because:
        'a node is audited once in 225 periods, by the same challenger once in 450: that much it costs in fees, its challenger more',
    },
  },
}
