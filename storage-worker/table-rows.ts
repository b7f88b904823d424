import type { Period } from '../core/index.ts'
import { DELETED, INTACT, type TableFacts } from './hash-worker.ts'
import { HOLDING, MANIFEST, SEALS } from './keyspace.ts'
import type { ValueFact } from './value-fact.ts'

interface Span {
  readonly facts: TableFacts
  readonly first: number
  /** Behind the last row. */
  readonly end: number
}

/** Rows of several tables, found by period. */
export class TableRows {
  private readonly spans = new Map<Period, Span[]>()

  add(facts: TableFacts): void {
    const { periods } = facts
    for (let first = 0; first < periods.length; ) {
      const period = periods[first] ?? 0
      let end = first + 1
      while (end < periods.length && periods[end] === period) end++
      const others = this.spans.get(period)
      if (others) others.push({ facts, first, end })
      else this.spans.set(period, [{ facts, first, end }])
      first = end
    }
  }

  /** Takes out what is known of a period, by place; places of which tables hold more than one state are left out. */
  take(period: Period): Map<number, ValueFact> {
    const found = new Map<number, ValueFact>()
    const unclear = new Set<number>()
    for (const { facts, first, end } of this.spans.get(period) ?? []) {
      for (let row = first; row < end; row++) {
        const n = facts.places[row] ?? 0
        if (found.has(n) || facts.states[row] === DELETED) unclear.add(n)
        found.set(n, readFact(facts, row, n))
      }
    }
    this.spans.delete(period)
    for (const n of unclear) found.delete(n)
    return found
  }
}

function readFact(facts: TableFacts, row: number, n: number): ValueFact {
  const sealedBytes = facts.sealedBytes[row] ?? 0
  if (facts.states[row] !== INTACT) return { state: 'damaged', sealedBytes }
  const start = row === 0 ? 0 : (facts.detailEnds[row - 1] ?? 0)
  const end = facts.detailEnds[row] ?? 0
  if (start === end) return { state: 'intact', sealedBytes }
  const detail = facts.details.subarray(start, end)
  if (n === SEALS) return { state: 'intact', sealedBytes, sealsFit: detail[0] === 1 }
  if (n === HOLDING) return { state: 'intact', sealedBytes, holding: detail }
  return n === MANIFEST
    ? { state: 'intact', sealedBytes, manifest: detail }
    : { state: 'intact', sealedBytes, chunkId: detail }
}
