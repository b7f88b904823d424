import { type Clock, type EraStatement, equalBytes, isArchiveError, Loop, type Network } from '../../core/index.ts'
import type { Logger } from '../../telemetry/index.ts'
import type { PeerClient } from '../peers/peer-client.ts'
import type { PlacementTable } from './placement-table.ts'

const LOOK_MS = 2_000
/** The era before is not whole in its archive yet, or it does not answer. */
export const ROOT_RETRY_MS = 300_000
/** Of as many peers as there are connections each is asked in time, even where most never answer. */
const MAX_ASKED = 4

export interface PlacementRootsModules {
  readonly client: Pick<PeerClient, 'fetchEra'>
  readonly placement: {
    readonly inForce: Pick<PlacementTable, 'era' | 'root'> | undefined
    readonly isCurrent: boolean
  }
  readonly ports: {
    /** Connected peers, with the Massa address that each is bound to. */
    readonly listPeers: () => readonly { readonly peer: string; readonly address: string }[]
    /** Whether the placement in force knows a node; what others make of it is no matter. */
    readonly isNode: (address: string) => boolean
    /** Once for each node and era: whether its placement is another than ours. */
    readonly onCompared: (address: string, differs: boolean) => void
  }
  readonly clock: Clock
  readonly log: Logger
}

interface Compared {
  /** Era of the last placement that it told; undefined before the first. */
  era: number | undefined
  differs: boolean
  /** When it may be asked again while it does not tell, by the monotonic clock. */
  againMs: number
}

/**
 * Has each connected node of the registry say which placement it made of the era in force: it stands in what the node signs
 * about the era before (`/era/1`). Two nodes with another root for the same era disagree on who is to hold what.
 */
export class PlacementRoots {
  private readonly options: { readonly network: Network; readonly registry: string; readonly ownAddress: string }
  private readonly modules: PlacementRootsModules
  private readonly loop: Loop
  /** By address. */
  private readonly known = new Map<string, Compared>()

  /**
   * @param options.registry - its address
   * @param options.ownAddress - the Massa address that we speak for
   */
  constructor(
    options: { readonly network: Network; readonly registry: string; readonly ownAddress: string },
    modules: PlacementRootsModules,
  ) {
    this.options = options
    this.modules = modules
    this.loop = new Loop({ everyMs: LOOK_MS }, { clock: modules.clock, look: () => this.look() })
  }

  /** Runs until `stop`. @throws what is no ArchiveError: a bug */
  start(): Promise<void> {
    return this.loop.start()
  }

  stop(): Promise<void> {
    return this.loop.stop()
  }

  /** Addresses of nodes whose placement was another than ours when they told it last. */
  listDiffering(): readonly string[] {
    return [...this.known].flatMap(([address, { differs }]) => (differs ? [address] : []))
  }

  /** Asks those of whom it is time to, four at most; resolves when they have answered or not. */
  async look(): Promise<void> {
    const { placement, ports, clock } = this.modules
    for (const address of this.known.keys()) if (!ports.isNode(address)) this.known.delete(address)
    const table = placement.inForce
    // Nobody signed anything before the first era; and an outdated table is not what others have.
    if (!table || table.era === 0 || !placement.isCurrent) return
    const nowMs = clock.monotonicMs()
    const due = ports.listPeers().filter(({ address }) => this.isDue(address, table.era, nowMs))
    await Promise.all(due.slice(0, MAX_ASKED).map((peer) => this.compare(peer, table)))
  }

  private isDue(address: string, era: number, nowMs: number): boolean {
    if (address === this.options.ownAddress || !this.modules.ports.isNode(address)) return false
    const known = this.known.get(address)
    return known === undefined || (known.era !== era && known.againMs <= nowMs)
  }

  private async compare(
    { peer, address }: { readonly peer: string; readonly address: string },
    { era, root }: Pick<PlacementTable, 'era' | 'root'>,
  ): Promise<void> {
    const { ports, clock } = this.modules
    const known = this.known.get(address) ?? { era: undefined, differs: false, againMs: 0 }
    this.known.set(address, known)
    known.againMs = clock.monotonicMs() + ROOT_RETRY_MS
    const statement = await this.ask(peer, address, era - 1)
    if (!statement || this.loop.signal.aborted) return
    const differs = !equalBytes(statement.nextPlacementRoot, root)
    this.tell({ address, era }, differs, known.differs)
    known.era = era
    known.againMs = Number.NEGATIVE_INFINITY
    known.differs = differs
    ports.onCompared(address, differs)
  }

  private async ask(peer: string, address: string, era: number): Promise<EraStatement | undefined> {
    const { network, registry: contract } = this.options
    try {
      const about = { chainId: network.chainId, contract, era, address }
      const answer = await this.modules.client.fetchEra(peer, about)
      return answer.status === 'ok' ? answer.value.statement : undefined
    } catch (error) {
      if (!isArchiveError(error)) throw error
      return undefined
    }
  }

  private tell(fields: { readonly address: string; readonly era: number }, differs: boolean, differed: boolean): void {
    const { log } = this.modules
    if (differs) log.warn({ ...fields, code: 'PROTOCOL_PLACEMENT_DIFFERS' }, 'node has another placement for this era')
    else if (differed) log.info(fields, 'node has the same placement again')
  }
}
