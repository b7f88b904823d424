import type { ChunkStore, Period } from '../core/index.ts'
import type { PlacementWatch } from '../storage-worker/index.ts'
import type { Logger } from '../telemetry/index.ts'

/** Says of each archived period of how many of its chunks which node is the primary holder, one period after another. */
export class AssignmentLog {
  private readonly placement: Pick<PlacementWatch, 'inForce'>
  private readonly store: Pick<ChunkStore, 'readManifest'>
  private readonly log: Logger
  private last: Promise<void> = Promise.resolve()

  constructor(modules: {
    readonly placement: Pick<PlacementWatch, 'inForce'>
    readonly store: Pick<ChunkStore, 'readManifest'>
    readonly log: Logger
  }) {
    this.placement = modules.placement
    this.store = modules.store
    this.log = modules.log
  }

  /** Silent while no placement is in force, and where it knows no node. */
  tell(period: Period): void {
    if (this.placement.inForce) this.last = this.last.then(() => this.write(period))
  }

  async idle(): Promise<void> {
    await this.last
  }

  private async write(period: Period): Promise<void> {
    try {
      const table = this.placement.inForce
      const manifest = await this.store.readManifest(period)
      if (!table || !manifest) return
      const assignments = table.countPrimaries(manifest.chunks.map(({ chunkId }) => chunkId))
      if (Object.keys(assignments).length > 0) this.log.info({ period, assignments }, 'chunks assigned')
    } catch (error) {
      // What was written a moment ago: scrub and verify look into it, and nothing depends on this line.
      this.log.warn({ period, err: error }, 'assignments not told')
    }
  }
}
