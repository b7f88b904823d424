import { decodeBindings, encodeBindings } from './binding-record.ts'
import type { Bindings } from './bindings.ts'
import { MAX_KEPT_BINDINGS } from './limits.ts'
import { MarkKeeper, type MarkModules } from './mark-keeper.ts'

/** Nodes speak all the time, and what is lost in a crash are the sequences of so long: 400 kB are written at most. */
const LOOK_MS = 300_000
/**
 * A sequence further ahead of the clock than this is not kept: of a node whose clock was wrong and whose disk is lost
 * nobody would hear until that time. Replays of such statements are refused until the next restart only.
 */
const MOST_AHEAD_MS = 86_400_000

/** Which PeerId speaks for whom outlives a restart, and what was said before it is refused after it. */
export function createBindingKeeper(bindings: Bindings, modules: MarkModules): MarkKeeper {
  return new MarkKeeper(
    {
      name: 'peerBindings',
      everyMs: LOOK_MS,
      countChanges: () => bindings.changes,
      encode: () => {
        const latest = BigInt(Math.max(0, Math.floor(modules.clock.nowMs())) + MOST_AHEAD_MS)
        const kept = bindings.keep().filter(({ sequence }) => sequence <= latest)
        return encodeBindings(kept.slice(0, MAX_KEPT_BINDINGS))
      },
      restore: (bytes) => bindings.restore(decodeBindings(bytes)),
    },
    modules,
  )
}
