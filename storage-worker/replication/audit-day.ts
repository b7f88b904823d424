import { type Clock, compareAddresses } from '../../core/index.ts'
import type { AuditResult } from './suspicions.ts'

const HOUR_MS = 3_600_000
const DAY_HOURS = 24

/** Audits of one node. */
export interface AuditDayRow {
  readonly address: string
  readonly shown: number
  /** Not held, or a wrong leaf. */
  readonly failed: number
  readonly unanswered: number
}

type Counts = { -readonly [R in AuditResult]: number }

/** How many audits were made of whom in this hour and the 23 before it. */
export class AuditDay {
  private readonly clock: Clock
  /** By hour, then by address: as many as nodes that were connected in it. */
  private readonly hours = new Map<number, Map<string, Counts>>()

  constructor(clock: Clock) {
    this.clock = clock
  }

  add(address: string, result: AuditResult): void {
    const hour = this.forget()
    const counts = this.hours.get(hour) ?? new Map<string, Counts>()
    this.hours.set(hour, counts)
    addTo(counts, address, { shown: 0, failed: 0, unanswered: 0, [result]: 1 })
  }

  /** By address. */
  list(): AuditDayRow[] {
    this.forget()
    const day = new Map<string, Counts>()
    for (const hour of this.hours.values()) for (const [address, counts] of hour) addTo(day, address, counts)
    return Array.from(day, ([address, counts]) => ({ address, ...counts })).sort((a, b) =>
      compareAddresses(a.address, b.address),
    )
  }

  /** @returns the present hour */
  private forget(): number {
    const hour = Math.floor(this.clock.monotonicMs() / HOUR_MS)
    for (const known of this.hours.keys()) if (known <= hour - DAY_HOURS) this.hours.delete(known)
    return hour
  }
}

function addTo(counts: Map<string, Counts>, address: string, more: Readonly<Counts>): void {
  const sum = counts.get(address) ?? { shown: 0, failed: 0, unanswered: 0 }
  sum.shown += more.shown
  sum.failed += more.failed
  sum.unanswered += more.unanswered
  counts.set(address, sum)
}
