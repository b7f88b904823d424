import { setImmediate as nextTurn } from 'node:timers/promises'
import type { AbstractBatchOperation, AbstractLevel } from 'abstract-level'
import { ArchiveError } from '../core/index.ts'
import { LevelBatch, sizeOf } from './level-batch.ts'
import { isDiskFull, wrapLevelError, wrapOpenError } from './level-errors.ts'

/** What classic-level and memory-level have in common, with bytes for keys and values. */
export type Level = AbstractLevel<string | Buffer | Uint8Array, Uint8Array, Uint8Array>
export type LevelOperation = AbstractBatchOperation<Level, Uint8Array, Uint8Array>

/**
 * What one write does. Iterated again when a batch has to be filled anew; a value need not outlive the step to the next.
 */
export interface LevelOperations extends Iterable<LevelOperation> {
  readonly sizeBytes: number
}

export interface LevelRange {
  readonly gte?: Uint8Array
  readonly lt?: Uint8Array
  readonly reverse?: boolean
  readonly limit?: number
}

export interface GuardedLevelOptions {
  readonly name: string
  /** A database that is not open yet; asked again at every reopening. */
  readonly create: () => Level
  /** Called after a write failed for want of space, before anything else. */
  readonly onDiskFull?: () => Promise<void>
  /** Where classic-level keeps its files; absent for databases in memory. */
  readonly location?: string
}

/** A database with files, not open. */
export type StoreLevel = GuardedLevelOptions & { readonly location: string }

/** Waiting writes are joined up to here: a database takes one large write as fast as many, and holds it in memory. */
const MAX_JOINED_BYTES = 1024 * 1024

/** Batches that were larger are not used again: a full period and its signatures have 14 MB. */
const MAX_KEPT_BYTES = 16 * 1024 * 1024

interface WaitingWrite {
  readonly operations: Iterable<LevelOperation>
  readonly sync: boolean
  readonly sizeBytes: number
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

interface FilledBatch {
  readonly batch: LevelBatch
  /** Of the database: useless in another. */
  readonly life: number
}

/** Writes that go together. */
interface NextBatch {
  readonly writes: WaitingWrite[]
  sizeBytes: number
  /** Holds them; absent when it is to be filled in another life of the database. */
  filled: FilledBatch | undefined
}

/** Entries per call into the database: a few, since values are up to 1 MiB. */
const ENTRIES_PER_STEP = 32
const KEYS_PER_STEP = 1000

/**
 * A database that takes no write after a failed one until it was closed and opened again.
 *
 * LevelDB acknowledges synced batches after one ENOSPC and loses them at the next kill: its log has a torn record in
 * the middle. Opening it again replays the log up to there and starts a new one. Writes are queued one behind the other,
 * so that none is under way when another fails; those that wait for one are put into one batch meanwhile, in their
 * order, which is synced when one of them is. Reads go on, and continue after a reopening.
 */
export class GuardedLevel {
  readonly name: string
  readonly location: string | undefined
  private readonly options: GuardedLevelOptions
  private level: Level
  /** Counts reopenings: a read that began in another life is asked again. */
  private life = 0
  private broken = false
  private closed = false
  private tail: Promise<unknown> = Promise.resolve()
  private readonly waiting: WaitingWrite[] = []
  private joining: Promise<void> | undefined
  /** Called when there is one more to join. */
  private onWaiting: (() => void) | undefined
  /** Written and empty. */
  private spare: FilledBatch | undefined
  private reopening: Promise<void> | undefined
  /** Why it is closed, since the last reopening failed. */
  private unopened: ArchiveError | undefined

  private constructor(options: GuardedLevelOptions, level: Level) {
    this.name = options.name
    this.location = options.location
    this.options = options
    this.level = level
  }

  /** @throws ArchiveError STORE_LOCKED, STORE_DATABASE_DAMAGED, STORE_DISK_FULL, STORE_OPEN_FAILED */
  static async open(options: GuardedLevelOptions): Promise<GuardedLevel> {
    return new GuardedLevel(options, await openLevel(options))
  }

  /** True between a failed write and the reopening before the next one. */
  get isBroken(): boolean {
    return this.broken
  }

  /** Whether it copies what is written; databases in memory keep what they are given. */
  get copiesValues(): boolean {
    return 'compactRange' in this.level
  }

  /** @throws ArchiveError STORE_READ_FAILED; why it is closed, while it cannot be opened again */
  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.read((level) => level.get(key))
  }

  /** @throws ArchiveError STORE_READ_FAILED */
  async getMany(keys: Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    return this.read((level) => level.getMany(keys))
  }

  /**
   * Writes all or nothing.
   *
   * @throws ArchiveError STORE_DISK_FULL, STORE_WRITE_FAILED; nothing was acknowledged then
   */
  write(operations: readonly LevelOperation[] | LevelOperations, options: { readonly sync: boolean }): Promise<void> {
    return new Promise((resolve, reject) => {
      const sizeBytes = 'sizeBytes' in operations ? operations.sizeBytes : sumSizes(operations)
      this.waiting.push({ operations, sync: options.sync, sizeBytes, resolve, reject })
      this.onWaiting?.()
      this.joining ??= this.joinWaiting()
    })
  }

  /** @throws ArchiveError STORE_READ_FAILED */
  async *entries(range: LevelRange): AsyncGenerator<[Uint8Array, Uint8Array]> {
    const start = (level: Level, rest: LevelRange) => level.iterator(rest)
    for await (const entries of this.walk(range, ENTRIES_PER_STEP, start, ([key]) => key)) yield* entries
  }

  /** @throws ArchiveError STORE_READ_FAILED */
  async *keys(range: LevelRange): AsyncGenerator<Uint8Array> {
    for await (const keys of this.keyPages(range)) yield* keys
  }

  /** The same, many at once. */
  keyPages(range: LevelRange): AsyncGenerator<Uint8Array[]> {
    return this.walk(
      range,
      KEYS_PER_STEP,
      (level, rest) => level.keys(rest),
      (key) => key,
    )
  }

  /** Entries with small values, many at once. @throws ArchiveError STORE_READ_FAILED */
  entryPages(range: LevelRange): AsyncGenerator<[Uint8Array, Uint8Array][]> {
    return this.walk(
      range,
      KEYS_PER_STEP,
      (level, rest) => level.iterator(rest),
      ([key]) => key,
    )
  }

  /** The first key of the range, or the last one with `reverse`. */
  async firstKey(range: LevelRange): Promise<Uint8Array | undefined> {
    for await (const key of this.keys({ ...range, limit: 1 })) return key
    return undefined
  }

  /** Gives disk space of deleted keys back. Does nothing in databases that need none of it. */
  async compact(from: Uint8Array, to: Uint8Array): Promise<void> {
    await this.queue(async () => {
      if (this.broken) await this.reopen()
      const level = this.level as Level & { compactRange?: (from: Uint8Array, to: Uint8Array) => Promise<void> }
      try {
        await level.compactRange?.(from, to)
      } catch (cause) {
        this.broken = true
        throw wrapLevelError(cause, 'STORE_WRITE_FAILED', this.name)
      }
    })
  }

  /**
   * Numbers of the table files that hold data, each with its level: others in the folder are being written or about to
   * be deleted. `undefined` for databases in memory.
   */
  listTables(): Map<number, number> | undefined {
    const level = this.level as Level & { getProperty?: (name: string) => string }
    const text = level.getProperty?.('leveldb.sstables')
    if (text === undefined) return undefined
    const tables = new Map<number, number>()
    let at = 0
    // Lines of `--- level <n> ---` and ` <number>:<bytes>[<first key> .. <last key>]`, keys escaped.
    for (const [, header, number] of text.matchAll(/^(?:--- level (\d+) ---$| (\d+):\d+\[)/gm)) {
      if (header !== undefined) at = Number(header)
      else tables.set(Number(number), at)
    }
    return tables
  }

  /** Waits for writes under way. Idempotent. */
  async close(): Promise<void> {
    while (this.joining) await this.joining
    await this.queue(async () => {
      if (this.closed) return
      this.closed = true
      this.spare = undefined
      await this.level.close()
    })
  }

  /** Puts what waits into batches, one ahead of the one that is written. Never rejects. */
  private async joinWaiting(): Promise<void> {
    await Promise.resolve()
    while (this.waiting.length > 0) {
      // The way to the database costs more than an unsynced write: those of one turn of the event loop go together.
      if (this.waiting.every(({ sync }) => !sync)) await nextTurn()
      const next: NextBatch = { writes: [], sizeBytes: 0, filled: undefined }
      let isLastDone = false
      const last = this.tail.then(() => {
        isLastDone = true
      })
      await this.join(next)
      while (!isLastDone) {
        const arrival = new Promise<void>((resolve) => {
          this.onWaiting = resolve
        })
        await Promise.race([last, arrival])
        await this.join(next)
      }
      void this.queue(() => this.writeNext(next))
    }
    this.joining = undefined
  }

  private async join(next: NextBatch): Promise<void> {
    const writes = takeJoined(this.waiting, next)
    next.writes.push(...writes)
    // What is to be opened again is filled then.
    if (this.broken || writes.length === 0) return
    const isFirst = next.writes.length === writes.length
    try {
      if (isFirst) next.filled = this.takeBatch()
      for (const { operations } of writes) await next.filled?.batch.fill(operations)
    } catch {
      // Closed under our feet by a reopening. Whatever it was, it is tried again before the batch is written.
      next.filled = undefined
    }
  }

  /** Never rejects. */
  private async writeNext(next: NextBatch): Promise<void> {
    try {
      if (this.broken) await this.reopen()
      await this.writeBatch(next)
      for (const { resolve } of next.writes) resolve()
    } catch (error) {
      for (const { reject } of next.writes) reject(error)
    }
  }

  private async writeBatch({ writes, sizeBytes, filled }: NextBatch): Promise<void> {
    try {
      const ready = filled?.life === this.life ? filled : this.takeBatch()
      if (ready !== filled) for (const { operations } of writes) await ready.batch.fill(operations)
      await ready.batch.write(writes.some(({ sync }) => sync))
      if (this.spare || sizeBytes > MAX_KEPT_BYTES) await ready.batch.close()
      else this.spare = ready
    } catch (cause) {
      this.broken = true
      if (isDiskFull(cause)) await this.options.onDiskFull?.()
      throw wrapLevelError(cause, 'STORE_WRITE_FAILED', this.name)
    }
  }

  private takeBatch(): FilledBatch {
    const { spare, level, life } = this
    this.spare = undefined
    return spare?.life === life ? spare : { batch: new LevelBatch(level), life }
  }

  private async *walk<T>(
    range: LevelRange,
    step: number,
    start: (level: Level, rest: LevelRange) => { nextv(size: number): Promise<T[]>; close(): Promise<void> },
    keyOf: (item: T) => Uint8Array,
  ): AsyncGenerator<T[]> {
    let rest: LevelRange & { gt?: Uint8Array } = { ...range }
    let left = range.limit ?? Number.POSITIVE_INFINITY
    while (left > 0) {
      await this.reopening
      const { level, life } = this
      if (this.unopened) throw this.unopened
      const iterator = start(level, left === Number.POSITIVE_INFINITY ? rest : { ...rest, limit: left })
      try {
        while (left > 0) {
          const items = await iterator.nextv(Math.min(step, left))
          const last = items.at(-1)
          if (last === undefined) return
          left -= items.length
          rest = continueAfter(rest, keyOf(last))
          yield items
        }
      } catch (cause) {
        // Closed under our feet by a reopening: go on behind the last key.
        if (this.life === life && this.reopening === undefined) throw this.explainRead(cause)
      } finally {
        await iterator.close()
      }
    }
  }

  private async read<T>(ask: (level: Level) => Promise<T>): Promise<T> {
    for (;;) {
      await this.reopening
      const { level, life } = this
      try {
        return await ask(level)
      } catch (cause) {
        if (this.life === life && this.reopening === undefined) throw this.explainRead(cause)
      }
    }
  }

  /** A database that a full disk keeps from being opened again says nothing of what is in it. */
  private explainRead(cause: unknown): ArchiveError {
    return this.unopened ?? wrapLevelError(cause, 'STORE_READ_FAILED', this.name)
  }

  private queue<T>(task: () => Promise<T>): Promise<T> {
    const done = this.tail.then(task)
    this.tail = done.catch(() => undefined)
    return done
  }

  private reopen(): Promise<void> {
    if (this.closed) throw new ArchiveError('STORE_CLOSED', `${this.name} is closed`)
    const done = (async () => {
      this.life++
      this.spare = undefined
      await this.level.close()
      this.level = await openLevel(this.options).catch((error: ArchiveError) => {
        this.unopened = error
        throw error
      })
      this.unopened = undefined
      this.broken = false
    })()
    // Readers wait for the end, whichever it is; who writes gets the error.
    this.reopening = done
      .catch(() => undefined)
      .then(() => {
        this.reopening = undefined
      })
    return done
  }
}

/** All that fit behind those of `next`; at least one where there are none. */
function takeJoined(waiting: WaitingWrite[], next: NextBatch): WaitingWrite[] {
  let count = 0
  for (const { sizeBytes } of waiting) {
    const isFirst = next.writes.length + count === 0
    if (!isFirst && next.sizeBytes + sizeBytes > MAX_JOINED_BYTES) break
    next.sizeBytes += sizeBytes
    count++
  }
  return waiting.splice(0, count)
}

function sumSizes(operations: readonly LevelOperation[]): number {
  return operations.reduce((sum, operation) => sum + sizeOf(operation), 0)
}

function continueAfter(range: LevelRange & { gt?: Uint8Array }, key: Uint8Array): LevelRange & { gt?: Uint8Array } {
  if (range.reverse) return { ...range, lt: key }
  const { gte: _, ...others } = range
  return { ...others, gt: key }
}

async function openLevel(options: GuardedLevelOptions): Promise<Level> {
  const level = options.create()
  try {
    await level.open()
    return level
  } catch (cause) {
    if (isDiskFull(cause)) await options.onDiskFull?.()
    throw wrapOpenError(cause, options.name)
  }
}
