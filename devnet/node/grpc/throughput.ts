import type { DevnetChain } from '../chain/devnet-chain.ts'
import type { NodeModules } from './node-modules.ts'

/** Over how long a node counts (`stats_time_window_duration`). */
const WINDOW_MS = 60_000

/** Final operations a second, of the last minute of virtual time. */
export class ThroughputMeter {
  private readonly modules: NodeModules
  private readonly counts: { readonly atMs: number; readonly operations: number }[] = []
  private readonly unsubscribe: () => void

  constructor(modules: NodeModules) {
    this.modules = modules
    const { chain }: { chain: DevnetChain } = modules
    this.unsubscribe = chain.onSlotFinal(({ executedOperations }) => {
      if (executedOperations.length === 0) return
      this.counts.push({ atMs: modules.clock.nowMs(), operations: executedOperations.length })
      this.drop()
    })
  }

  perSecond(): number {
    this.drop()
    let operations = 0
    for (const count of this.counts) operations += count.operations
    return Math.floor(operations / (WINDOW_MS / 1000))
  }

  stop(): void {
    this.unsubscribe()
  }

  private drop(): void {
    const fromMs = this.modules.clock.nowMs() - WINDOW_MS
    while ((this.counts[0]?.atMs ?? Number.POSITIVE_INFINITY) < fromMs) this.counts.shift()
  }
}
