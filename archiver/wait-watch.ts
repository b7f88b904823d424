import { formatSlot, slotIndex } from '../core/index.ts'
import type { Logger } from '../telemetry/index.ts'
import type { Awaited } from './agreement.ts'

/** Nodes reach finality at times up to 62 s apart from the slot: a minute more than that is no delay of theirs. */
const PATIENCE_MS = 60_000

/** Says which slot archiving waits at, when a node names nothing for it, and says when it goes on. */
export class WaitWatch {
  private readonly log: Logger
  private current: Awaited | undefined
  private sinceMs = 0
  private said = false

  constructor(log: Logger) {
    this.log = log
  }

  /** What is waited for, once it was said. */
  get awaited(): Awaited | undefined {
    return this.said ? this.current : undefined
  }

  /**
   * @param awaited - the lowest slot that waits for a node, now
   * @param nowMs - of a clock that never goes back
   */
  look(awaited: Awaited | undefined, nowMs: number): void {
    const before = this.current
    const isSame = awaited && before && slotIndex(awaited.slot) === slotIndex(before.slot)
    if (!isSame) {
      if (before && this.said) this.log.info({ slot: formatSlot(before.slot) }, 'slot named')
      this.said = false
      this.sinceMs = nowMs
    }
    this.current = awaited
    if (!awaited || this.said || nowMs - this.sinceMs < PATIENCE_MS) return
    this.said = true
    const { slot, nodes } = awaited
    const fields = { slot: formatSlot(slot), nodes, quietMs: nowMs - this.sinceMs, code: 'ARCHIVER_SLOT_UNNAMED' }
    this.log.error(fields, 'node names nothing for a slot')
  }
}
