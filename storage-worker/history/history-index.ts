import { ByteReader, equalBytes, type Period, THREAD_COUNT } from '../../core/index.ts'
import type { GuardedLevel, LevelOperation } from '../guarded-level.ts'
import { type DirectoryEntry, parseDirectory, parseEntry } from './block-directory.ts'
import {
  addressRange,
  decodeAddressPeriod,
  decodeKeyPeriod,
  decodePeriodKey,
  decodePlaceKey,
  HISTORY_KEYSPACES,
  type HistoryPlace,
  idRange,
  MAX_INDEXED_PERIOD,
  type OperationRole,
  periodKey,
  periodKeyRange,
  type Role,
} from './history-keys.ts'
import { type IndexedPeriod, listPeriodEntries } from './period-entries.ts'
import { PeriodRanges } from './period-ranges.ts'

/** Entries that are made and written in one turn of the event loop: some milliseconds of work. */
const ENTRIES_PER_WRITE = 1000
/** Of one id: whoever grinds ids that begin alike makes a lookup this much dearer, and no answer wrong. */
const MAX_PLACES = 64
/** The index is swept once what it names and is not there any more outweighs the rest, but not below this. */
const MIN_STALE_PERIODS = 256

/** Directories that are kept parsed: a page of an address reads the same few again and again. */
const KEPT_DIRECTORIES = 64

/** What has an id, and where its block stands. */
export interface IdPlace extends HistoryPlace {
  readonly entry: DirectoryEntry
}

/** An operation of an address. */
export interface AddressPlace extends HistoryPlace {
  readonly role: OperationRole
}

/**
 * Where operations, blocks, endorsements and the deeds of addresses stand in the archive.
 *
 * It holds places alone, so it can be deleted and made again, and nothing that it says is believed: what stands at a
 * place is read and compared. Entries of periods that were deleted stay until they are half of it (`sweep`); they are
 * passed over, since their periods are not indexed any more.
 */
export class HistoryIndex {
  private readonly level: GuardedLevel
  private writes = 0
  private compared = false
  private readonly directories = new Map<Period, Map<number, DirectoryEntry>>()

  constructor(level: GuardedLevel) {
    this.level = level
  }

  /** Another number whenever a period came or went. */
  get version(): number {
    return this.writes
  }

  /** Whether it was compared with the archive since it was opened or cleared: before, what it lacks may be archived. */
  get isCompared(): boolean {
    return this.compared
  }

  noteCompared(): void {
    this.compared = true
  }

  /** Writing a period again changes nothing. Unsynced: what a crash takes is indexed again. */
  async writePeriod(indexed: IndexedPeriod): Promise<void> {
    let operations: LevelOperation[] = []
    for (const operation of listPeriodEntries(indexed)) {
      if (operations.length >= ENTRIES_PER_WRITE) {
        await this.level.write(operations, { sync: false })
        operations = []
      }
      operations.push(operation)
    }
    // The directory is in the last one: until it is written the period is not indexed.
    await this.level.write(operations, { sync: false })
    this.directories.delete(indexed.period)
    this.writes++
  }

  /** What it knew of these periods is not found any more. */
  async forgetPeriods(from: Period, to: Period): Promise<number> {
    const operations: LevelOperation[] = []
    for await (const key of this.level.keys(periodKeyRange(from, to))) operations.push({ type: 'del', key })
    if (operations.length > 0) await this.level.write(operations, { sync: false })
    for (const period of this.directories.keys()) if (period >= from && period <= to) this.directories.delete(period)
    this.writes++
    return operations.length
  }

  /** Where blocks of a period stand; `undefined`: it is not indexed. */
  async readDirectory(period: Period): Promise<Map<number, DirectoryEntry> | undefined> {
    const known = this.directories.get(period)
    if (known) return known
    const value = await this.level.get(periodKey(period))
    if (!value) return undefined
    const directory = parseDirectory(value)
    for (const oldest of this.directories.keys()) {
      if (this.directories.size < KEPT_DIRECTORIES) break
      this.directories.delete(oldest)
    }
    this.directories.set(period, directory)
    return directory
  }

  /** Needs no directory that can be read. */
  async isIndexed(period: Period): Promise<boolean> {
    return (await this.level.get(periodKey(period))) !== undefined
  }

  /** False when an entry that the period should have lacks, or says something else. */
  async isRight(indexed: IndexedPeriod): Promise<boolean> {
    for (const operation of listPeriodEntries(indexed)) {
      if (operation.type !== 'put') continue
      const value = await this.level.get(operation.key)
      if (!value || !equalBytes(value, operation.value)) return false
    }
    return true
  }

  /** Indexed periods of [from, to], ascending. */
  async *listPeriods(from: Period, to: Period): AsyncGenerator<Period> {
    for await (const page of this.level.keyPages(periodKeyRange(from, to))) {
      for (const key of page) yield decodePeriodKey(key)
    }
  }

  /** Places of what has an id that begins so, ascending; some of them may be of others, or gone. @param id - 33 bytes */
  async findPlaces(kind: 'operations' | 'blocks' | 'endorsements', id: Uint8Array): Promise<IdPlace[]> {
    const places: IdPlace[] = []
    for await (const page of this.level.entryPages({ ...idRange(kind, id), limit: MAX_PLACES })) {
      for (const [key, value] of page) places.push({ ...decodePlaceKey(kind, key), entry: parseEntry(value) })
    }
    return places
  }

  /** Operations of an address in a role, by slot and place in the block; within a period always ascending. */
  async *listOperations(
    address: Uint8Array,
    role: OperationRole,
    range: { readonly from: Period; readonly to: Period; readonly reverse: boolean },
  ): AsyncGenerator<AddressPlace[]> {
    const keys = addressRange(address, role, range.from, range.to)
    for await (const [key, value] of this.level.entries({ ...keys, reverse: range.reverse })) {
      const period = decodeAddressPeriod(key)
      const places: AddressPlace[] = []
      for (let at = 0; at + 3 <= value.length; at += 3) {
        places.push({ period, role, thread: value[at] ?? 0, index: (value[at + 1] ?? 0) * 256 + (value[at + 2] ?? 0) })
      }
      yield places
    }
  }

  /** Slots in which an address produced or endorsed blocks, or is in the call stack of an event. */
  async *listSlots(
    address: Uint8Array,
    role: Exclude<Role, OperationRole>,
    range: { readonly from: Period; readonly to: Period; readonly reverse: boolean },
  ): AsyncGenerator<{ readonly period: Period; readonly threads: readonly number[] }> {
    const keys = addressRange(address, role, range.from, range.to)
    for await (const [key, value] of this.level.entries({ ...keys, reverse: range.reverse })) {
      const bitmap = new ByteReader(value, 'STORE_VALUE_CORRUPT').u32()
      const threads = Array.from({ length: THREAD_COUNT }, (_, thread) => thread).filter((t) => (bitmap >>> t) & 1)
      yield { period: decodeAddressPeriod(key), threads }
    }
  }

  /** Whether so many forgotten periods, of which entries are left, are worth a sweep. */
  static isWorthSweeping(stalePeriods: number, indexedPeriods: number): boolean {
    return stalePeriods >= Math.max(MIN_STALE_PERIODS, indexedPeriods)
  }

  /** Forgets everything. */
  async clear(signal?: AbortSignal): Promise<void> {
    this.compared = false
    await this.forgetPeriods(0, MAX_INDEXED_PERIOD)
    await this.sweep(signal)
  }

  /** Deletes entries of periods that are not indexed, and gives their room back. Returns how many. */
  async sweep(signal?: AbortSignal): Promise<number> {
    const indexed = new PeriodRanges()
    for await (const period of this.listPeriods(0, MAX_INDEXED_PERIOD)) indexed.add(period)
    let count = 0
    const all = { gte: Uint8Array.of(HISTORY_KEYSPACES.operations), lt: Uint8Array.of(HISTORY_KEYSPACES.addresses + 1) }
    for await (const page of this.level.keyPages(all)) {
      if (signal?.aborted) return count
      const stale = page.filter((key) => !indexed.has(decodeKeyPeriod(key)))
      if (stale.length > 0)
        await this.level.write(
          stale.map((key) => ({ type: 'del', key })),
          { sync: false },
        )
      count += stale.length
    }
    if (count > 0) await this.level.compact(all.gte, all.lt)
    return count
  }

  async close(): Promise<void> {
    await this.level.close()
  }
}
