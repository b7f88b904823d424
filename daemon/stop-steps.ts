import { isStoreFailure } from '../archiver/index.ts'
import type { Logger } from '../telemetry/index.ts'

/** What has to be done to stop, from the step that was added last on: each runs whatever became of those before. */
export class StopSteps {
  private readonly steps: (() => Promise<void>)[] = []
  private readonly log: Logger
  private running: Promise<void> | undefined

  constructor(log: Logger) {
    this.log = log
  }

  push(step: () => Promise<void>): void {
    this.steps.push(step)
  }

  /**
   * Runs what was added. Idempotent. A store that fails while it is left, on a full disk say, is said and no more: what was
   * acknowledged is on disk.
   *
   * @throws the first of other errors, when all steps have run
   */
  run(): Promise<void> {
    this.running ??= this.runAll()
    return this.running
  }

  private async runAll(): Promise<void> {
    const failures: unknown[] = []
    for (let step = this.steps.pop(); step; step = this.steps.pop()) {
      try {
        await step()
      } catch (error) {
        if (isStoreFailure(error)) this.log.warn({ err: error, code: error.code }, 'store not left as it should be')
        else {
          this.log.error({ err: error }, 'stop step failed')
          failures.push(error)
        }
      }
    }
    if (failures.length > 0) throw failures[0]
  }
}
