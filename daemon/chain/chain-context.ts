import type { Archiver } from '../../archiver/index.ts'
import type { Config } from '../../config/index.ts'
import type { ArchiveError, Clock } from '../../core/index.ts'
import type { AnchoredEras, PlacementWatch, Store } from '../../storage-worker/index.ts'
import type { RegistrySender } from '../../storage-worker/sending/registry-sender.ts'
import type { Logger, Metrics } from '../../telemetry/index.ts'
import type { StopSteps } from '../stop-steps.ts'

/**
 * From one look at the registry to the next. A second is nothing beside the 16 that a proof waits for its block, and costs a
 * node two small requests; following blocks may be set to look more often.
 */
export const REGISTRY_LOOK_MS = 1_000

/** What the rest of the sidecar gives to the part of it that acts in the registry. */
export interface ChainModules {
  readonly store: Store
  readonly archiver: Archiver
  readonly placement: PlacementWatch
  readonly anchors: AnchoredEras
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: Metrics
  readonly undo: StopSteps
  readonly onFatal: (error: ArchiveError) => void
}

/** What signs operations for the registry and follows them: one file of this folder for each duty that uses it. */
export interface ChainContext extends ChainModules {
  readonly config: Config
  readonly sender: RegistrySender
}
