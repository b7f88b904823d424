import { decodeBans, encodeBans } from './ban-record.ts'
import { MAX_KEPT_BANS } from './limits.ts'
import { MarkKeeper, type MarkModules } from './mark-keeper.ts'
import type { PeerScores } from './peer-scores.ts'

/** Strangers who come to be banned make the disk write no more often than this. */
const LOOK_MS = 10_000

/** Bans outlive a restart: each is on disk within ten seconds, and at once where the operator waits for it. */
export function createBanKeeper(scores: PeerScores, modules: MarkModules): MarkKeeper {
  const { clock } = modules
  return new MarkKeeper(
    {
      name: 'peerBans',
      everyMs: LOOK_MS,
      countChanges: () => scores.changes,
      encode: () => encodeBans(scores.keep(MAX_KEPT_BANS), clock.nowMs()),
      restore: (bytes) => scores.restore(decodeBans(bytes, clock.nowMs())),
    },
    modules,
  )
}
