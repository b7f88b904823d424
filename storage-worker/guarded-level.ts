import { setImmediate as nextTurn } from 'node:timers/promises'
import type { AbstractBatchOperation, AbstractLevel } from 'abstract-level'
import { ArchiveError, type ErrorCode } from '../core/index.ts'

/** What classic-level and memory-level have in common, with bytes for keys and values. */
export type Level = AbstractLevel<string | Buffer | Uint8Array, Uint8Array, Uint8Array>
export type LevelOperation = AbstractBatchOperation<Level, Uint8Array, Uint8Array>

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

/** Waiting writes are joined up to here: a database takes one large write as fast as many, and holds it in memory. */
const MAX_JOINED_BYTES = 4 * 1024 * 1024

/** In one turn of the event loop. */
const MAX_COPIED_BYTES = 1024 * 1024

interface WaitingWrite {
  readonly operations: readonly LevelOperation[]
  readonly sync: boolean
  readonly sizeBytes: number
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** Entries per call into the database: a few, since values are up to 1 MiB. */
const ENTRIES_PER_STEP = 32
const KEYS_PER_STEP = 1000

/**
 * A database that takes no write after a failed one until it was closed and opened again.
 *
 * LevelDB acknowledges synced batches after one ENOSPC and loses them at the next kill: its log has a torn record in
 * the middle. Opening it again replays the log up to there and starts a new one. Writes are queued one behind the other,
 * so that none is under way when another fails; those that wait for one are written together, in their order, as one
 * batch that is synced when one of them is. Reads go on meanwhile, and continue after a reopening.
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
  private reopening: Promise<void> | undefined

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

  /** @throws ArchiveError STORE_READ_FAILED */
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
  write(operations: readonly LevelOperation[], options: { readonly sync: boolean }): Promise<void> {
    return new Promise((resolve, reject) => {
      const sizeBytes = operations.reduce((sum, operation) => sum + sizeOf(operation), 0)
      this.waiting.push({ operations, sync: options.sync, sizeBytes, resolve, reject })
      void this.queue(() => this.writeWaiting())
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
        throw wrap(cause, 'STORE_WRITE_FAILED', this.name)
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
    await this.queue(async () => {
      if (this.closed) return
      this.closed = true
      await this.level.close()
    })
  }

  /** The next write and those behind it; nothing when they went with another. Never rejects. */
  private async writeWaiting(): Promise<void> {
    // The way to the database costs more than an unsynced write: those of one turn of the event loop go together.
    if (this.waiting.length > 0 && this.waiting.every(({ sync }) => !sync)) await nextTurn()
    const writes = takeJoined(this.waiting)
    if (writes.length === 0) return
    try {
      if (this.broken) await this.reopen()
      await this.writeBatch(writes)
      for (const { resolve } of writes) resolve()
    } catch (error) {
      for (const { reject } of writes) reject(error)
    }
  }

  private async writeBatch(writes: readonly WaitingWrite[]): Promise<void> {
    const operations = writes.length === 1 ? writes[0]?.operations : writes.flatMap((write) => write.operations)
    const sync = writes.some((write) => write.sync)
    try {
      // `sync` is an option of classic-level; memory-level ignores it.
      if (writes.some(({ sizeBytes }) => sizeBytes > MAX_COPIED_BYTES)) await this.writeSliced(operations ?? [], sync)
      else await this.level.batch([...(operations ?? [])], { sync } as object)
    } catch (cause) {
      this.broken = true
      if (isDiskFull(cause)) await this.options.onDiskFull?.()
      throw wrap(cause, 'STORE_WRITE_FAILED', this.name)
    }
  }

  /** One batch too, but the event loop turns while it is copied into the database's memory. */
  private async writeSliced(operations: readonly LevelOperation[], sync: boolean): Promise<void> {
    const batch = this.level.batch()
    try {
      let copiedBytes = 0
      for (const operation of operations) {
        if (operation.type === 'put') batch.put(operation.key, operation.value)
        else batch.del(operation.key)
        copiedBytes += sizeOf(operation)
        if (copiedBytes < MAX_COPIED_BYTES) continue
        copiedBytes = 0
        await nextTurn()
      }
      await batch.write({ sync } as object)
    } finally {
      await batch.close()
    }
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
        if (this.life === life && this.reopening === undefined) throw wrap(cause, 'STORE_READ_FAILED', this.name)
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
        if (this.life === life && this.reopening === undefined) throw wrap(cause, 'STORE_READ_FAILED', this.name)
      }
    }
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
      await this.level.close()
      this.level = await openLevel(this.options)
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

/** At least the first; all that fit behind it. */
function takeJoined(waiting: WaitingWrite[]): WaitingWrite[] {
  let count = 0
  let sizeBytes = 0
  for (const write of waiting) {
    sizeBytes += write.sizeBytes
    if (count > 0 && sizeBytes > MAX_JOINED_BYTES) break
    count++
  }
  return waiting.splice(0, count)
}

function sizeOf(operation: LevelOperation): number {
  return operation.key.length + (operation.type === 'put' ? operation.value.length : 0)
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

function wrapOpenError(cause: unknown, name: string): ArchiveError {
  const inner = innermost(cause)
  const code = (inner as { code?: unknown }).code
  if (code === 'LEVEL_LOCKED' || /\bLOCK\b.*(Resource temporarily unavailable|already held)/i.test(String(inner))) {
    return new ArchiveError('STORE_LOCKED', `${name} is open in another process`, { name }, cause)
  }
  // A file that LevelDB names and that is not there: CURRENT or the manifest is damaged.
  const isLost = /IO error: .*No such file or directory|create_if_missing is false/i.test(inner.message)
  if (code === 'LEVEL_CORRUPTION' || isLost || /^\S*\s*Corruption/i.test(inner.message)) {
    return new ArchiveError('STORE_DATABASE_DAMAGED', `${name} does not open: ${inner.message}`, { name }, cause)
  }
  return wrap(cause, 'STORE_OPEN_FAILED', name)
}

function wrap(cause: unknown, code: ErrorCode, name: string): ArchiveError {
  if (cause instanceof ArchiveError) return cause
  const inner = innermost(cause)
  return new ArchiveError(isDiskFull(cause) ? 'STORE_DISK_FULL' : code, `${name}: ${inner.message}`, { name }, cause)
}

function innermost(error: unknown): Error {
  let inner = error instanceof Error ? error : new Error(String(error))
  while (inner.cause instanceof Error) inner = inner.cause
  return inner
}

function isDiskFull(error: unknown): boolean {
  const inner = innermost(error)
  const code = (inner as NodeJS.ErrnoException).code
  if (code === 'ENOSPC' || code === 'EDQUOT') return true
  return /ENOSPC|No space left on device|Disk quota exceeded/.test(inner.message)
}
