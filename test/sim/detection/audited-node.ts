import { toHex } from '../../../core/index.ts'
import { AUDITS_PER_DAY, Auditor, type AuditorModules } from '../../../storage-worker/replication/auditor.ts'
import { createLogger } from '../../../telemetry/index.ts'
import { SetClock } from '../../devnet/set-clock.ts'
import { registered } from '../../storage-worker/replication/audited-nodes.ts'
import type { SimRandom } from '../sim-random.ts'
import type { MadeArchive } from './made-archive.ts'

const DAY_MS = 86_400_000
/** The auditor looks every second; nothing changes between its turns. */
const STEP_MS = DAY_MS / AUDITS_PER_DAY / 2
const NODE = 'audited'
const HASH_SLOTS = Array.from({ length: 16_384 }, (_, hashSlot) => hashSlot)
const LOG = createLogger({ level: 'error', format: 'json', destination: { write: () => true } })

/** One peer that asks a node for all its audits of a day: the node holds every hash slot, and lacks some chunks. */
export class AuditedNode {
  private readonly archive: MadeArchive

  constructor(archive: MadeArchive) {
    this.archive = archive
  }

  /**
   * Whether the auditor suspects the node within so many days: it did not show a chunk, and ten minutes later neither.
   *
   * @param missing - ids of the chunks that it lacks, in hex
   */
  async isCaught(missing: ReadonlySet<string>, days: number, random: SimRandom): Promise<boolean> {
    const clock = new SetClock()
    const auditor = new Auditor({}, this.makeModules(missing, clock, random))
    const endMs = clock.timeMs + days * DAY_MS
    while (clock.timeMs <= endMs) {
      await auditor.look()
      if (auditor.listSuspicions().length > 0) return true
      clock.timeMs += STEP_MS
    }
    return false
  }

  private makeModules(missing: ReadonlySet<string>, clock: SetClock, random: SimRandom): AuditorModules {
    const snapshot = { nodes: [registered(NODE)] }
    return {
      client: {
        audit: async (_peer, chunkId) =>
          missing.has(toHex(chunkId)) ? { status: 'notHeld' } : { status: 'ok', value: true },
      },
      placement: {
        inForce: { snapshot, isHolder: () => true, listSlotsOf: () => HASH_SLOTS },
        isCurrent: true,
      },
      store: this.archive,
      listPeers: () => [{ address: NODE, peer: NODE }],
      clock,
      random: (maxExclusive) => random.below(maxExclusive),
      log: LOG,
      onResult: () => {},
      onFailure: (error) => {
        throw error
      },
    }
  }
}
