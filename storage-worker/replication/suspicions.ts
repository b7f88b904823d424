import type { Period } from '../../core/index.ts'
import { MAX_SUSPICIONS, MAX_SUSPICIONS_PER_NODE } from '../../protocol-handler/index.ts'
import type { DrawnChunk } from './chunk-draw.ts'

/** A peer that hangs, or is being restarted, has this time to come back. */
export const SECOND_LOOK_MS = 600_000
/** What is suspected may have been repaired. */
const NEXT_LOOK_MS = 3_600_000
/**
 * More chunks than it showed since that a node did not show, twice each: it holds so little that nothing it says of what it
 * holds is of use. Whoever lacks a tenth of all comes to that once in 40 million times.
 */
const MANY_CHUNKS = 8

/** How an audit ended: `failed` = not held, or a wrong leaf. */
export type AuditResult = 'shown' | 'failed' | 'unanswered'

/** A node did not show a chunk, twice in a row. */
export interface Suspicion {
  readonly address: string
  readonly period: Period
  readonly index: number
  /** Date of the first time it was not shown, ms since 1970. */
  readonly sinceMs: number
  /** `failed` when one of the two answers was wrong or none. */
  readonly kind: 'failed' | 'unanswered'
}

interface Doubt extends Suspicion {
  readonly chunk: DrawnChunk
  /** In a row. */
  readonly misses: number
  /** When to ask again, by the monotonic clock. */
  readonly againMs: number
}

/** Chunks that nodes did not show when they were asked last: once, and they are asked again; twice, and they are suspected. */
export class Suspicions {
  private readonly byNode = new Map<string, Map<string, Doubt>>()
  /** By node, while there are doubts of it: chunks not shown, less one for each that was shown since; 0 to 16. */
  private readonly balances = new Map<string, number>()
  private total = 0

  /** @returns what the result changed */
  note(
    address: string,
    chunk: DrawnChunk,
    result: AuditResult,
    at: { readonly nowMs: number; readonly monotonicMs: number },
  ): 'doubted' | 'suspected' | 'cleared' | undefined {
    const before = this.byNode.get(address)?.get(keyOf(chunk))
    if (result === 'shown') {
      this.forget(address, chunk)
      this.weigh(address, -1)
      return before && isSuspected(before) ? 'cleared' : undefined
    }
    const misses = (before?.misses ?? 0) + 1
    const isKept = this.put({
      address,
      chunk,
      period: chunk.period,
      index: chunk.index,
      sinceMs: before?.sinceMs ?? at.nowMs,
      kind: before?.kind === 'failed' ? 'failed' : result,
      misses,
      againMs: at.monotonicMs + (misses < 2 ? SECOND_LOOK_MS : NEXT_LOOK_MS),
    })
    // What there is no room for is not asked for again.
    if (misses === 2 || !isKept) this.weigh(address, 1)
    return misses === 1 ? 'doubted' : misses === 2 ? 'suspected' : undefined
  }

  /** True when a node did not show 8 chunks more than it showed since. */
  showsLittle(address: string): boolean {
    return (this.balances.get(address) ?? 0) >= MANY_CHUNKS
  }

  /** Of these nodes the chunk whose second or next look is due longest. */
  findDue(addresses: Iterable<string>, monotonicMs: number): { address: string; chunk: DrawnChunk } | undefined {
    let due: Doubt | undefined
    for (const address of addresses) {
      for (const doubt of this.byNode.get(address)?.values() ?? []) {
        if (doubt.againMs <= monotonicMs && (due === undefined || doubt.againMs < due.againMs)) due = doubt
      }
    }
    return due && { address: due.address, chunk: due.chunk }
  }

  /** Whether the node did not show this chunk when it was asked last. */
  has(address: string, chunk: Pick<DrawnChunk, 'period' | 'index'>): boolean {
    return this.byNode.get(address)?.has(keyOf(chunk)) ?? false
  }

  get count(): number {
    let count = 0
    for (const doubts of this.byNode.values()) for (const doubt of doubts.values()) if (isSuspected(doubt)) count++
    return count
  }

  /** Oldest first. */
  list(): Suspicion[] {
    const found = [...this.byNode.values()].flatMap((doubts) => [...doubts.values()].filter(isSuspected))
    found.sort((a, b) => a.sinceMs - b.sinceMs)
    return found.map(({ address, period, index, sinceMs, kind }) => ({ address, period, index, sinceMs, kind }))
  }

  forget(address: string, chunk: Pick<DrawnChunk, 'period' | 'index'>): void {
    const doubts = this.byNode.get(address)
    if (!doubts?.delete(keyOf(chunk))) return
    this.total--
    if (doubts.size > 0) return
    this.byNode.delete(address)
    this.balances.delete(address)
  }

  /** Of nodes that left: it is nobody's duty any more. */
  keepOnly(isKept: (address: string, chunk: DrawnChunk) => boolean): void {
    for (const doubts of [...this.byNode.values()]) {
      for (const { address, chunk } of [...doubts.values()]) if (!isKept(address, chunk)) this.forget(address, chunk)
    }
  }

  private weigh(address: string, change: 1 | -1): void {
    if (!this.byNode.has(address)) return
    const balance = (this.balances.get(address) ?? 0) + change
    this.balances.set(address, Math.min(MAX_SUSPICIONS_PER_NODE, Math.max(0, balance)))
  }

  /** @returns false when there is no room for it */
  private put(doubt: Doubt): boolean {
    const doubts = this.byNode.get(doubt.address) ?? new Map<string, Doubt>()
    const key = keyOf(doubt.chunk)
    if (!doubts.has(key)) {
      if (doubts.size >= MAX_SUSPICIONS_PER_NODE) return false
      if (this.total >= MAX_SUSPICIONS) this.forgetOldest()
      this.total++
    }
    doubts.set(key, doubt)
    this.byNode.set(doubt.address, doubts)
    return true
  }

  private forgetOldest(): void {
    let oldest: Doubt | undefined
    for (const doubts of this.byNode.values()) {
      for (const doubt of doubts.values()) if (!oldest || doubt.sinceMs < oldest.sinceMs) oldest = doubt
    }
    if (oldest) this.forget(oldest.address, oldest)
  }
}

function isSuspected({ misses }: Doubt): boolean {
  return misses >= 2
}

function keyOf({ period, index }: Pick<DrawnChunk, 'period' | 'index'>): string {
  return `${period} ${index}`
}
