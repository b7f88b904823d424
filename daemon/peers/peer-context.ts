import { type Archiver, type CpuPool, guardLoop } from '../../archiver/index.ts'
import type { Config } from '../../config/index.ts'
import type { ArchiveError, Clock } from '../../core/index.ts'
import type { Bandwidth, Bindings, MarkKeeper, PeerScores } from '../../protocol-handler/index.ts'
import type { PeerNode } from '../../protocol-handler/peer-node.ts'
import type { AnchoredEras, OwnHoldings, PlacementWatch, Store } from '../../storage-worker/index.ts'
import type { PeerClient } from '../../storage-worker/peers/peer-client.ts'
import type { PastPlacements } from '../../storage-worker/placement/past-placements.ts'
import type { RegisteredNodes } from '../../storage-worker/placement/registered-nodes.ts'
import type { Logger, Metrics } from '../../telemetry/index.ts'
import type { ChainContext } from '../chain/chain-context.ts'
import type { StopSteps } from '../stop-steps.ts'

/** What the rest of the sidecar gives to the part of it that other sidecars see. */
export interface PeerNetworkModules {
  readonly store: Store
  readonly archiver: Archiver
  readonly cpu: CpuPool
  /** Who holds what; without a registry it never has a table. */
  readonly placement: PlacementWatch
  /** Which eras are anchored; without a registry none is. */
  readonly anchors: AnchoredEras
  /** What acts in the registry; undefined where something that it needs is not configured. */
  readonly chain: ChainContext | undefined
  /** What this disk holds, told of every period that comes. */
  readonly holdings: OwnHoldings
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: Metrics
  readonly undo: StopSteps
  readonly onFatal: (error: ArchiveError) => void
}

/** What all that meets, serves and asks other sidecars is built of: one file of this folder for each of its parts. */
export interface PeerContext extends PeerNetworkModules {
  readonly config: Config
  /** 32-byte secret of the Massa key that this sidecar speaks for. */
  readonly seed: Uint8Array
  /** Undefined: as many as there have to be. */
  readonly auditsPerDay: number | undefined
  /** The Massa address of that key. */
  readonly address: string
  readonly node: PeerNode
  readonly scores: PeerScores
  readonly bindings: Bindings
  /** Who is registered, by the placement in force. */
  readonly registered: RegisteredNodes
  /** Who was to hold what in past eras: made once for all that ask, as each table measures some MB. */
  readonly pastPlacements: PastPlacements
  /** Keeps bans across restarts. */
  readonly bans: MarkKeeper
  /** Asks one peer; what it answers wrongly costs it. */
  readonly client: PeerClient
  /** What is sent and taken in all; undefined where it is not limited. */
  readonly bandwidth: Bandwidth | undefined
  /** Multiaddrs that others are told. */
  readonly ownAddresses: () => readonly string[]
}

/** What runs from `start` until `stop`. */
interface Loop {
  start(): Promise<void>
  stop(): Promise<void>
}

/** Runs a loop until the sidecar stops; what ends it before is a bug and ends the sidecar. */
export function keepRunning(
  name: string,
  loop: Loop,
  { undo, onFatal }: Pick<PeerNetworkModules, 'undo' | 'onFatal'>,
): void {
  const running = guardLoop(name, loop.start(), onFatal)
  undo.push(async () => {
    await Promise.allSettled([loop.stop(), running])
  })
}
