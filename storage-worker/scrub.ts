import { join } from 'node:path'
import { type Clock, type Holding, isArchiveError, type Manifest, type Period, parseManifest } from '../core/index.ts'
import type { LevelChunkStore } from './chunk-store.ts'
import type { GuardedLevel } from './guarded-level.ts'
import { parseHolding } from './holding.ts'
import {
  decodePeriod,
  describePlace,
  EXECUTION_RESULTS,
  encodeBodyKey,
  encodeIndexKey,
  encodePeriod,
  HOLDING,
  isChunkPlace,
  MANIFEST,
  SEALS,
} from './keyspace.ts'
import { isIndexOf } from './period-index.ts'
import { openValue } from './sealed-value.ts'
import { checkTableFile, isBearable, listTableFiles } from './table-file.ts'
import type { Damage } from './verify-report.ts'
import { readSpool } from './verify-spool.ts'

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
  /** Looks at the files beside the tables (`Store.checkFiles`). */
  readonly checkFiles?: () => Promise<Damage[]>
}

/**
 * Re-hashes everything in the background, over and over, each round within a day: files, the tables of both databases,
 * bodies, and the index, both against its own seals and against the manifests.
 *
 * Of tables that LevelDB could not bear nothing is read through it: it might end the process. Deletes bodies whose index is not in their manifest or not held; all other damage is only reported.
 */
export class Scrub {
  private readonly options: ScrubOptions
  private readonly modules: ScrubModules
  private readonly stopping = new AbortController()
  private running: Promise<void> | undefined
  private savedBytes = 0
  private sleepMs = 0

  constructor(options: ScrubOptions, modules: ScrubModules) {
    this.options = options
    this.modules = modules
  }

  /** Resolves when it was stopped; rejects with the bug that ended it. */
  start(): Promise<void> {
    this.running ??= this.run()
    return this.running
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
    for (const damage of (await this.modules.checkFiles?.()) ?? []) this.options.onDamage(damage)
    for (const level of [store.bodies, store.index]) {
      const look = await this.checkTables(level, bytesPerMs)
      bytes += look.bytes
      if (look.damaged || this.stopping.signal.aborted) return { bytes, periods }
    }
    for await (const { period, places } of store.listPlaces(from, Number.MAX_SAFE_INTEGER - 1)) {
      if (this.stopping.signal.aborted) break
      const read = await this.checkPeriod(period, places)
      bytes += read
      periods++
      await this.keepPlace(period, read)
      await this.pace(read, bytesPerMs)
    }
    if (!this.stopping.signal.aborted) bytes += await this.checkSpool(bytesPerMs)
    return { bytes, periods }
  }

  private async run(): Promise<void> {
    const { clock } = this.modules
    let from: Period | undefined
    while (!this.stopping.signal.aborted) {
      try {
        from ??= await this.readPlace()
        const round = await this.runRound(from)
        if (!this.stopping.signal.aborted) this.options.onRound?.(round)
        from = 0
      } catch (error) {
        if (!isArchiveError(error) || error.kind === 'bug') throw error
        // A full disk or a store that is being reopened is no damage: the next round tries again.
        if (error.kind === 'permanent') {
          this.options.onDamage({ what: 'database files', code: error.code, repairable: false })
        }
        from = 0
      }
      await clock.sleep(IDLE_MS, this.stopping.signal)
    }
  }

  private async readPlace(): Promise<Period> {
    const cursor = await this.modules.store.index.get(CURSOR_KEY)
    return cursor?.length === 8 ? decodePeriod(cursor, 0) : 0
  }

  /** One table after the other, every block against its CRC: whether LevelDB may read them. */
  private async checkTables(level: GuardedLevel, bytesPerMs: number): Promise<{ bytes: number; damaged: boolean }> {
    const { name, location } = level
    let bytes = 0
    let damaged = false
    for (const file of location === undefined ? [] : listTableFiles(location, level.listTables())) {
      if (this.stopping.signal.aborted) break
      const found = checkTableFile(join(location ?? '', file))
      if (!found) continue
      if (found.reason !== undefined) {
        damaged ||= !isBearable(found.reason)
        const what = `${name}/${file}`
        const { reason } = found
        this.options.onDamage({ what, code: 'STORE_DATABASE_DAMAGED', repairable: true, reason })
      }
      // Bodies are counted below, where their values are read.
      bytes += level === this.modules.store.index ? found.sizeBytes : 0
      // Twice as fast as values: what is read twice is to fit into the round, too.
      await this.pace(found.sizeBytes / 2, bytesPerMs)
    }
    return { bytes, damaged }
  }

  /** What waits for its period, and marks. */
  private async checkSpool(bytesPerMs: number): Promise<number> {
    let bytes = 0
    for await (const { damage, sizeBytes } of readSpool(this.modules.store.index)) {
      if (this.stopping.signal.aborted) break
      bytes += sizeBytes
      if (damage) this.options.onDamage(damage)
      await this.pace(sizeBytes, bytesPerMs)
    }
    return bytes
  }

  private async checkPeriod(period: Period, places: readonly number[]): Promise<number> {
    const { store } = this.modules
    let bytes = 0
    let manifest: Manifest | undefined
    let holding: Holding | 'damaged' | undefined
    const damages: Damage[] = []
    const orphans: number[] = []
    // The manifest first, then the holding: they say which bodies belong.
    for (const n of [...places].reverse()) {
      if (this.stopping.signal.aborted) return bytes
      if (manifest && isChunkPlace(n) && (n >= manifest.chunks.length || isMissing(holding, n))) {
        orphans.push(n)
        continue
      }
      try {
        const sealed = await store.bodies.get(encodeBodyKey(period, n))
        // Deleted since the walk saw its key.
        if (!sealed) continue
        bytes += sealed.length
        const value = openValue(sealed)
        if (!value) damages.push(damage(period, n, 'STORE_VALUE_CORRUPT'))
        else if (n === MANIFEST) manifest = parseManifest(value)
        else if (n === HOLDING && manifest) holding = parseHolding(value, manifest.chunks.length)
        if (!value && n === HOLDING) holding = 'damaged'
      } catch (error) {
        if (!isArchiveError(error)) throw error
        if (n === HOLDING) holding = 'damaged'
        damages.push(damage(period, n, error.code))
      }
    }
    for (const n of orphans.length > 0 ? await store.deleteOrphans(period, orphans) : []) {
      damages.push({ period, what: describePlace(n), code: 'STORE_VALUE_ORPHANED', repairable: true, repaired: true })
    }
    if (manifest && holding !== 'damaged') {
      const lacking = listLacking(manifest, holding, places)
      // Chunks that came since the walk saw the keys: what is not held now, and held by what is said now, is missing.
      const now = lacking.length === 0 ? [] : await this.listLackingNow(period)
      for (const n of lacking) if (now.includes(n)) damages.push(damage(period, n, 'STORE_VALUE_MISSING'))
      if (!(await isIndexOf(store.index, manifest, holding)) && !(await this.isIndexedNow(period))) {
        damages.push({ period, what: 'index', code: 'STORE_INDEX_WRONG', repairable: true })
      }
    }
    for (const each of damages) this.options.onDamage(each)
    return bytes
  }

  /** The index is written after bodies and deleted before them: what differs is looked at again when all is written. */
  private async isIndexedNow(period: Period): Promise<boolean> {
    const { store } = this.modules
    await store.settle()
    const manifest = await store.readManifest(period)
    return manifest === undefined || isIndexOf(store.index, manifest, await store.readHolding(period))
  }

  private async listLackingNow(period: Period): Promise<readonly number[]> {
    const { store } = this.modules
    const places = await store.listPlacesOf(period)
    const manifest = await store.readManifest(period)
    return manifest ? listLacking(manifest, await store.readHolding(period), places) : []
  }

  private async keepPlace(period: Period, bytes: number): Promise<void> {
    this.savedBytes += bytes
    if (this.savedBytes < CURSOR_EVERY_BYTES) return
    this.savedBytes = 0
    const value = encodePeriod(period)
    await this.modules.store.index.write([{ type: 'put', key: CURSOR_KEY, value }], { sync: false })
  }

  private async pace(bytes: number, bytesPerMs: number): Promise<void> {
    this.sleepMs += bytes / bytesPerMs
    if (this.sleepMs < MIN_SLEEP_MS) return
    const durationMs = this.sleepMs
    this.sleepMs = 0
    await this.modules.clock.sleep(durationMs, this.stopping.signal)
  }
}

function isMissing(holding: Holding | 'damaged' | undefined, index: number): boolean {
  return typeof holding === 'object' && holding.missingChunks.includes(index)
}

/** Places of what ought to be held, by what is said to be. */
function listLacking(manifest: Manifest, holding: Holding | undefined, places: readonly number[]): number[] {
  const held = new Set([...places, ...(holding?.missingChunks ?? [])])
  if (holding?.hasSeals === false) held.add(SEALS)
  if (holding?.hasExecutionResults === false) held.add(EXECUTION_RESULTS)
  return [...manifest.chunks.keys(), EXECUTION_RESULTS, SEALS].filter((n) => !held.has(n))
}

function damage(period: Period, n: number, code: Damage['code']): Damage {
  return { period, what: describePlace(n), code, repairable: false }
}
