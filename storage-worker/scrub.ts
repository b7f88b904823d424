import { type Clock, isArchiveError, type Period, parseManifest } from '../core/index.ts'
import type { LevelChunkStore } from './chunk-store.ts'
import {
  decodePeriod,
  describePlace,
  EXECUTION_RESULTS,
  encodeBodyKey,
  encodeIndexKey,
  encodePeriod,
  MANIFEST,
} from './keyspace.ts'
import { openValue } from './sealed-value.ts'
import type { Damage } from './verify.ts'

const DAY_MS = 24 * 3600 * 1000
/** Where it was: a daemon that restarts every hour still gets round. Written once per so many bytes. */
const CURSOR_KEY = encodeIndexKey('journal', new TextEncoder().encode('scrub'))
const CURSOR_EVERY_BYTES = 256 * 1024 * 1024
/** Shorter sleeps are saved up. */
const MIN_SLEEP_MS = 50
const IDLE_MS = 60_000

export interface ScrubOptions {
  /** For one round through everything; default one day. */
  readonly roundMs?: number
  readonly onDamage: (damage: Damage) => void
  /** After each round. */
  readonly onRound?: (round: { readonly bytes: number; readonly periods: number }) => void
}

export interface ScrubModules {
  readonly store: LevelChunkStore
  readonly clock: Clock
  /** Bytes on disk, to know the pace. */
  readonly readUsedBytes: () => Promise<number>
}

/**
 * Re-hashes everything in the background, over and over, each round within a day.
 *
 * Deletes bodies whose index is not in their manifest; all other damage is only reported.
 */
export class Scrub {
  private readonly options: ScrubOptions
  private readonly modules: ScrubModules
  private readonly stopping = new AbortController()
  private running: Promise<void> | undefined
  private saved: { bytes: number; sleepMs: number } = { bytes: 0, sleepMs: 0 }

  constructor(options: ScrubOptions, modules: ScrubModules) {
    this.options = options
    this.modules = modules
  }

  start(): void {
    this.running ??= this.run()
  }

  /** Ends after the value under way. Idempotent; throws what ended the scrub early. */
  async stop(): Promise<void> {
    this.stopping.abort()
    await this.running
  }

  /** One round from `from` on, or to the end if stopped. */
  async runRound(from: Period): Promise<{ readonly bytes: number; readonly periods: number }> {
    const { store, readUsedBytes } = this.modules
    const roundMs = this.options.roundMs ?? DAY_MS
    // Twice as fast as needed: it grows meanwhile, and hashing takes time itself.
    const bytesPerMs = Math.max(1, (await readUsedBytes()) / (roundMs / 2))
    let bytes = 0
    let periods = 0
    for await (const { period, places } of store.listPlaces(from, Number.MAX_SAFE_INTEGER - 1)) {
      if (this.stopping.signal.aborted) break
      const read = await this.checkPeriod(period, places)
      bytes += read
      periods++
      await this.pace(period, read, bytesPerMs)
    }
    return { bytes, periods }
  }

  private async run(): Promise<void> {
    const { store, clock } = this.modules
    const cursor = await store.index.get(CURSOR_KEY)
    let from = cursor?.length === 8 ? decodePeriod(cursor, 0) : 0
    while (!this.stopping.signal.aborted) {
      try {
        const round = await this.runRound(from)
        if (!this.stopping.signal.aborted) this.options.onRound?.(round)
        from = 0
      } catch (error) {
        if (!isArchiveError(error)) throw error
        // A full disk or a store that is being reopened is no damage: the next round tries again.
        if (error.code === 'STORE_READ_FAILED') {
          this.options.onDamage({ what: 'database files', code: error.code, repairable: false })
        }
        from = 0
      }
      await clock.sleep(IDLE_MS, this.stopping.signal)
    }
  }

  private async checkPeriod(period: Period, places: readonly number[]): Promise<number> {
    const { store } = this.modules
    let bytes = 0
    let chunkCount: number | undefined
    const damages: Damage[] = []
    // The manifest first: it says which bodies belong.
    for (const n of [...places].reverse()) {
      if (this.stopping.signal.aborted) return bytes
      if (chunkCount !== undefined && n >= chunkCount && n < EXECUTION_RESULTS) {
        await store.deleteValues(period, [n])
        damages.push({ period, what: describePlace(n), code: 'STORE_VALUE_ORPHANED', repairable: true, repaired: true })
        continue
      }
      try {
        const sealed = await store.bodies.get(encodeBodyKey(period, n))
        // Deleted since the walk saw its key.
        if (!sealed) continue
        bytes += sealed.length
        const value = openValue(sealed)
        if (!value) damages.push(damage(period, n, 'STORE_VALUE_CORRUPT'))
        else if (n === MANIFEST) chunkCount = parseManifest(value).chunks.length
      } catch (error) {
        if (!isArchiveError(error)) throw error
        damages.push(damage(period, n, error.code))
      }
    }
    if (chunkCount !== undefined) {
      const held = new Set(places)
      for (let i = 0; i < chunkCount; i++) if (!held.has(i)) damages.push(damage(period, i, 'STORE_VALUE_MISSING'))
    }
    for (const each of damages) this.options.onDamage(each)
    return bytes
  }

  private async pace(period: Period, bytes: number, bytesPerMs: number): Promise<void> {
    const { store, clock } = this.modules
    this.saved.sleepMs += bytes / bytesPerMs
    this.saved.bytes += bytes
    if (this.saved.bytes >= CURSOR_EVERY_BYTES) {
      this.saved.bytes = 0
      await store.index.write([{ type: 'put', key: CURSOR_KEY, value: encodePeriod(period) }], { sync: false })
    }
    if (this.saved.sleepMs < MIN_SLEEP_MS) return
    const durationMs = this.saved.sleepMs
    this.saved.sleepMs = 0
    await clock.sleep(durationMs, this.stopping.signal)
  }
}

function damage(period: Period, n: number, code: Damage['code']): Damage {
  return { period, what: describePlace(n), code, repairable: false }
}
