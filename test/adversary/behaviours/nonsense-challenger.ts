import { createHash } from 'node:crypto'
import type { Adversary } from '../adversary.ts'
import type { Order } from '../arena.ts'

export const nonsenseChallenger: Adversary = {
  name: 'challenger that issues nonsense',
  does: 'runs an honest node, has the key of a challenger, and challenges every other node, as often as the registry lets it, for a chunk that there is not',
  isChallenger: true,
  play: (key) => {
    let sent = 0
    return {
      act: (arena) => {
        if (arena.period % 25 !== 0) return
        for (const node of arena.world.honest) {
          if (!arena.mayAudit(key, node)) continue
          const chunkId = createHash('sha256').update(`nonsense ${sent}`).digest()
          const order: Order = { id: `n-${sent++}`, chunkId, nonce: 0n, chunk: undefined }
          arena.issue(key, node, [order])
        }
      },
    }
  },
  expected: {
    shipped: {
      atMost: 1,
      leavesHonest: -1,
      because:
        'without anchors challengers are trusted: it takes from all others what they earn, and 10 % of their stakes, after which they count no more. An admin who removes it voids what it has open; where coins have value `require_anchors` must be true',
    },
    production: {
      atMost: 1,
      because:
        'a challenge has to show that the chunk is anchored and that the node is to keep it: it is refused, and costs its fee',
    },
  },
}
