import type { Period } from '../core/index.ts'
import type { Logger } from '../telemetry/index.ts'
import type { Gap } from './slot-ledger.ts'

/** A block that is only late is no gap: nodes are asked for it every second. */
const GRACE_MS = 5_000

/** Says each gap once when it stands, and once when it is filled, or no longer kept. */
export class GapWatch {
  private readonly log: Logger
  private readonly open = new Map<string, { gap: Gap; readonly sinceMs: number; said: boolean }>()

  constructor(log: Logger) {
    this.log = log
  }

  /** Gaps that end before this period are not to be filled any more. */
  forgetBefore(period: Period): void {
    for (const [key, { gap, said }] of this.open) {
      if (gap.lastPeriod >= period) continue
      this.open.delete(key)
      if (said) this.log.info(describe(gap), 'gap no longer kept')
    }
  }

  /** @param nowMs - of a clock that never goes back */
  look(gaps: readonly Gap[], nowMs: number): void {
    const standing = new Set<string>()
    for (const gap of gaps) {
      // Archived periods may stand between: then one block is missing to several.
      const key = `${gap.missing} ${gap.lastPeriod}`
      standing.add(key)
      const known = this.open.get(key) ?? { gap, sinceMs: nowMs, said: false }
      known.gap = gap
      this.open.set(key, known)
      if (known.said || nowMs - known.sinceMs < GRACE_MS) continue
      known.said = true
      this.log.warn(describe(gap), 'gap found')
    }
    for (const [key, { gap, said }] of this.open) {
      if (standing.has(key)) continue
      this.open.delete(key)
      if (said) this.log.info(describe(gap), 'gap filled')
    }
  }
}

function describe({ thread, firstPeriod, lastPeriod, missing }: Gap) {
  return { thread, firstPeriod, lastPeriod, blockId: missing }
}
