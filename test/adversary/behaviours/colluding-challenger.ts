import type { Adversary } from '../adversary.ts'
import type { HistoryChunk } from '../history.ts'

/** Twice that, as the challenger is not the only one: just before an honest one would ask, an hour after the last audit. */
const INTERVAL_PERIODS = 110

export const colludingChallenger: Adversary = {
  name: 'challenger that colludes',
  does: 'keeps one chunk, and has the key of a challenger, one of two, that asks it for this chunk before the other would, if the registry lets it',
  isChallenger: true,
  play: (key) => {
    let sent = 0
    let kept: HistoryChunk | undefined
    return {
      habits: { keeps: (chunk) => chunk === kept },
      act: (arena) => {
        const [me] = arena.world.suspects
        kept ??= me?.duty.all[0]
        if (!me || !kept || !arena.mayAudit(key, me, INTERVAL_PERIODS)) return
        arena.issue(key, me, [{ id: `c-${sent++}`, chunk: kept, chunkId: kept.chunkId, nonce: 0n }])
      },
    }
  },
  expected: {
    shipped: {
      atMost: 1,
      atLeast: 0.8,
      because:
        'a draw leaves alone who was audited within the hour: who asks it a little earlier keeps others from asking. What it did not show to audits off chain is asked for sooner, 16 chunks in a day at most. Nobody can tell a friendly challenge from others, but draws can be recomputed',
    },
    production: {
      atMost: 0.55,
      atLeast: 0.45,
      because:
        'the registry lets the same challenger ask half as often as others, and evidence leaves it no choice but what the node is to keep: what is earned up to its own audits is paid, what is earned up to the others is lost. Twelve hours after it began, past the end of this run, that is a slash of 5.4 MAS, and 0.09 are left of it after 22 eras',
    },
  },
}
