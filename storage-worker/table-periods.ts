import type { Period } from '../core/index.ts'
import { countIntact, type IntactPeriod, readIntact, type TableFacts } from './hash-worker.ts'

/** Periods next to each other that tables do not answer for alone. */
export interface OpenPeriods {
  readonly from: Period
  readonly to: Period
}

interface Item {
  readonly period: Period
  /** Absent: open. */
  readonly intact?: { readonly facts: TableFacts; readonly at: number }
}

/** What tables hold, in the order of periods: those that they found intact, and between them what is to be looked at. */
export class TablePeriods {
  private items: Item[] = []

  /** @param range - periods outside of it are left out */
  add(facts: TableFacts, { from, to }: OpenPeriods): void {
    for (let at = 0; at < countIntact(facts); at++) {
      this.items.push({ period: readIntact(facts, at).period, intact: { facts, at } })
    }
    let last: Period | undefined
    for (const period of facts.periods) {
      if (period !== last && period >= from && period <= to) this.items.push({ period })
      last = period
    }
  }

  /** Takes out what is below `limit`. A period of which any table says that it is open is open. */
  *takeBelow(limit: Period): Generator<IntactPeriod | OpenPeriods> {
    const items = this.items.sort((a, b) => a.period - b.period || (a.intact ? 1 : 0) - (b.intact ? 1 : 0))
    const end = items.findIndex(({ period }) => period >= limit)
    this.items = end < 0 ? [] : items.slice(end)
    let open: { from: Period; to: Period } | undefined
    let last: Period | undefined
    for (const { period, intact } of end < 0 ? items : items.slice(0, end)) {
      if (period === last) continue
      last = period
      if (!intact) {
        open ??= { from: period, to: period }
        open.to = period
        continue
      }
      if (open) yield open
      open = undefined
      yield readIntact(intact.facts, intact.at)
    }
    if (open) yield open
  }
}
