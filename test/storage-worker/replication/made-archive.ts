import {
  ArchiveError,
  type ErrorCode,
  type Holding,
  type Manifest,
  type Network,
  type Period,
  type PeriodSummary,
} from '../../../core/index.ts'
import type { OwnHoldingsStore } from '../../../storage-worker/replication/own-holdings.ts'
import { noise } from '../synthetic-period.ts'

export const NETWORK: Network = { chainId: 77n, genesisTimestampMs: 1_795_246_964_000n }

interface MadePeriod {
  /** Hash slot of each chunk. */
  readonly slots: readonly number[]
  readonly missing: Set<number>
  hasSeals: boolean
}

/** An archive of which only that is made up which tells what is held. */
export class MadeArchive implements OwnHoldingsStore {
  readonly periods = new Map<Period, MadePeriod>()
  /** First period of each call for summaries. */
  readonly reads: Period[] = []
  /** Before summaries are given. */
  beforeRead: (from: Period) => Promise<void> | void = () => undefined
  /** Visible periods whose summaries are not written yet. */
  readonly unindexed = new Set<Period>()
  /** Of a period that cannot be read, with the code. */
  readonly broken = new Map<Period, ErrorCode>()

  /** @param slotsOf - hash slots of the chunks of each period of [from, to] */
  fill(from: Period, to: Period, slotsOf: (period: Period) => readonly number[] = (period) => [period % 16_384]): this {
    for (let period = from; period <= to; period++) {
      this.periods.set(period, { slots: slotsOf(period), missing: new Set(), hasSeals: true })
    }
    return this
  }

  drop(period: Period, index: number): void {
    this.periods.get(period)?.missing.add(index)
  }

  keep(period: Period): void {
    const made = this.periods.get(period)
    made?.missing.clear()
    if (made) made.hasSeals = true
  }

  async readRange() {
    const periods = [...this.periods.keys()]
    if (periods.length === 0) return undefined
    const first = periods.reduce((least, period) => Math.min(least, period))
    return { first, last: periods.reduce((most, period) => Math.max(most, period)) }
  }

  async *listSummaries(range: { from: Period; to: Period; reverse?: boolean }): AsyncGenerator<PeriodSummary> {
    const { from, to, reverse = false } = range
    if (!reverse) {
      this.reads.push(from)
      await this.beforeRead(from)
    }
    for (let i = 0; i <= to - from; i++) {
      const period = reverse ? to - i : from + i
      const made = this.periods.get(period)
      if (!made || this.unindexed.has(period)) continue
      yield {
        period,
        root: rootOf(period),
        bodyBytes: made.slots.length,
        blocks: 1,
        operations: 0,
        chunks: made.slots.length,
        ...(made.missing.size > 0 && { heldChunks: made.slots.length - made.missing.size }),
      }
    }
  }

  async readHolding(period: Period): Promise<Holding | undefined> {
    const code = this.broken.get(period)
    if (code) throw new ArchiveError(code, 'injected')
    const made = this.periods.get(period)
    if (!made || (made.missing.size === 0 && made.hasSeals)) return undefined
    const missingChunks = [...made.missing].sort((a, b) => a - b)
    return { operations: 0, isCounted: true, missingChunks, hasSeals: made.hasSeals, hasExecutionResults: true }
  }

  async readManifest(period: Period): Promise<Manifest | undefined> {
    const made = this.periods.get(period)
    if (!made) return undefined
    const chunks = made.slots.map((slot, i) => ({ byteLength: 1, chunkId: chunkIdOf(slot, `${period} ${i}`) }))
    return { network: NETWORK, period, bitmap: 1, chunks }
  }
}

export function rootOf(period: Period, of = 'root'): Uint8Array {
  return noise(`${of} ${period}`, 32)
}

/** An id of this hash slot. */
export function chunkIdOf(hashSlot: number, name: string): Uint8Array {
  const id = noise(name, 32)
  id[30] = hashSlot >>> 8
  id[31] = hashSlot & 0xff
  return id
}
