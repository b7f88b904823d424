import type { Adversary } from '../adversary.ts'
import { isAmong } from '../chunk-share.ts'
import type { HistoryChunk } from '../history.ts'

const isKept = (chunk: HistoryChunk) => isAmong(1 / 2, chunk)

export const keepsHalf: Adversary = {
  name: 'keeps half',
  does: 'keeps half of what it is to keep, and says no more in its have-map',
  play: () => ({ habits: { keeps: isKept, lists: isKept } }),
  expected: {
    shipped: {
      atMost: 0.95,
      atLeast: 0.75,
      because:
        'without anchors a draw asks for what the node says that it has. What it does not show to audits off chain it is challenged for all the same, and loses what it earned up to then; but 16 chunks of a node are remembered, each is asked for once in a day, and here, where audits may follow each other at once, all of that is over within two hours',
    },
    production: {
      atMost: 0,
      because:
        'a draw asks for what placement gives it, and what it did not show its peers is asked for at every hour that an audit may begin: each takes what was earned since the one before, and five a tenth of the stake',
    },
  },
}
