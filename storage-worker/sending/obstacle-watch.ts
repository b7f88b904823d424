import { type ArchiveError, type Clock, Loop, PERIOD_MS } from '../../core/index.ts'
import type { Logger } from '../../telemetry/index.ts'
import type { RegistryClient } from '../registry-client.ts'
import { listObstacles, type ObstacleOptions } from './list-obstacles.ts'

export interface ObstacleWatchModules {
  readonly client: RegistryClient
  readonly clock: Clock
  readonly log: Logger
}

/** Knows what keeps the node from earning, looks again every period, and says what comes and that all has gone. */
export class ObstacleWatch {
  private readonly options: ObstacleOptions
  private readonly modules: ObstacleWatchModules
  private readonly loop: Loop
  private found: readonly ArchiveError[] = []

  constructor(options: ObstacleOptions, modules: ObstacleWatchModules) {
    this.options = options
    this.modules = modules
    this.loop = new Loop({ everyMs: PERIOD_MS }, { clock: modules.clock, look: () => this.look() })
  }

  start(): Promise<void> {
    return this.loop.start()
  }

  stop(): Promise<void> {
    return this.loop.stop()
  }

  /** As of the last look; empty before the first. */
  get obstacles(): readonly ArchiveError[] {
    return this.found
  }

  /** What `start` does again and again. */
  async look(): Promise<void> {
    const { client, log } = this.modules
    const found = await listObstacles(client, this.options)
    if (this.loop.signal.aborted) return
    const before = this.found.map(({ code }) => code)
    this.found = found
    for (const error of found) {
      if (!before.includes(error.code))
        log.warn({ err: error, action: error.action }, 'something keeps this node from earning')
    }
    if (found.length === 0 && before.length > 0) log.info('nothing keeps this node from earning any more')
  }
}
