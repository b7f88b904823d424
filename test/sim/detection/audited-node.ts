import { formatAddress, toHex } from '../../../core/index.ts'
import { suspicionRequestCodec, suspicionResponseCodec } from '../../../protocol-handler/index.ts'
import { SuspicionHints } from '../../../storage-worker/challenge/suspicion-hints.ts'
import { createSuspicionService } from '../../../storage-worker/peers/suspicion-service.ts'
import { AUDITS_PER_DAY, Auditor, type AuditorModules } from '../../../storage-worker/replication/auditor.ts'
import { createLogger } from '../../../telemetry/index.ts'
import { SetClock } from '../../devnet/set-clock.ts'
import { registered } from '../../storage-worker/replication/audited-nodes.ts'
import type { SimRandom } from '../sim-random.ts'
import type { MadeArchive } from './made-archive.ts'

const DAY_MS = 86_400_000
/** Auditor and hints look every second: here a quarter of the time between two audits of a node. */
const STEP_MS = DAY_MS / AUDITS_PER_DAY / 4
const NODE = formatAddress(new Uint8Array(34))
const HASH_SLOTS = Array.from({ length: 16_384 }, (_, hashSlot) => hashSlot)
const LOG = createLogger({ level: 'error', format: 'json', destination: { write: () => true } })

/** Who audits the node. */
export interface Audience {
  /** With the audited one. */
  readonly nodes: number
  /** Of them, without the audited one. */
  readonly challengers: number
  /** Whether the challengers hear of what others did not get shown. */
  readonly isTold: boolean
}

/** What a network asks one of its nodes off chain: the node holds every hash slot, and lacks some chunks. */
export class AuditedNode {
  private readonly archive: MadeArchive

  constructor(archive: MadeArchive) {
    this.archive = archive
  }

  /**
   * Whether a challenger suspects the node within so many days: to itself it did not show a chunk, and ten minutes later neither.
   *
   * @param missing - ids of the chunks that it lacks, in hex
   */
  async isCaught(
    missing: ReadonlySet<string>,
    { nodes, challengers, isTold }: Audience,
    { days, random }: { readonly days: number; readonly random: SimRandom },
  ): Promise<boolean> {
    const clock = new SetClock()
    const auditsPerDay = Math.ceil(AUDITS_PER_DAY / (nodes - 1))
    const auditors = Array.from({ length: isTold ? nodes - 1 : challengers }, (_, i) => {
      return new Auditor({ auditsPerDay }, this.makeModules(missing, clock, random.fork(`auditor ${i}`)))
    })
    const ofChallengers = auditors.slice(0, challengers)
    const hints = ofChallengers.map((auditor, i) =>
      makeHints(auditor, auditors, { clock, random: random.fork(`${i}`) }),
    )
    const endMs = clock.timeMs + days * DAY_MS
    while (clock.timeMs <= endMs) {
      for (const auditor of auditors) await auditor.look()
      if (isTold) for (const each of hints) await each.look()
      if (ofChallengers.some((auditor) => auditor.listSuspicions().length > 0)) return true
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

/** A challenger that is connected with all others. */
function makeHints(
  own: Auditor,
  auditors: readonly Auditor[],
  { clock, random }: { readonly clock: SetClock; readonly random: SimRandom },
): SuspicionHints {
  const draw = (maxExclusive: number) => random.below(maxExclusive)
  const services = new Map<string, ReturnType<typeof createSuspicionService>>(
    auditors.flatMap((auditor, i) => {
      const service = createSuspicionService({ listSuspicions: () => auditor.listSuspicions(), random: draw })
      return auditor === own ? [] : [[`${i}`, service] as const]
    }),
  )
  const request = suspicionRequestCodec.decode(suspicionRequestCodec.encode({}))
  const peers = [...services.keys()].map((peer) => ({ address: peer, peer }))
  return new SuspicionHints({
    readIsChallenger: async () => true,
    listPeers: () => peers,
    client: {
      fetchSuspicions: async (peer) => {
        const [frame = new Uint8Array()] = (await services.get(peer)?.answer(request, peer)) ?? []
        const answer = suspicionResponseCodec.decode(frame)
        return answer.status === 'ok' ? { status: 'ok', value: answer.suspicions } : answer
      },
    },
    auditor: own,
    clock,
    random: draw,
    log: LOG,
  })
}
