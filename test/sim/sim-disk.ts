import { ArchiveError, type ChunkPlace, type Holding, type Manifest, type Period, toHex } from '../../core/index.ts'
import type { PeriodSummary } from '../../core/ports.ts'
import type { DiskSpace } from '../../storage-worker/index.ts'
import { isChunkPlace } from '../../storage-worker/keyspace.ts'
import { type Life, never } from './node-clock.ts'
import type { SimRandom } from './sim-random.ts'

const USUAL_WRITE_MS = 5
const FREE_BYTES = 1e12

/** A period on a disk; never changed but replaced, as a synced batch does. */
export interface StoredPeriod {
  readonly manifest: Manifest
  readonly summary: PeriodSummary
  /** Absent: it is whole. */
  readonly holding: Holding | undefined
  /** By their places in the keyspace of bodies. */
  readonly values: ReadonlyMap<number, Uint8Array>
  /** Places of values whose bytes are not those that were written. */
  readonly damaged: ReadonlySet<number>
}

/** Values by key: what was put since the last sync is in the memory of the machine alone. */
export class UnsyncedFiles {
  private current = new Map<string, unknown>()
  private durable = new Map<string, unknown>()
  private log: { readonly key: string; readonly value: unknown }[] = []

  get(key: string): unknown {
    return this.current.get(key)
  }

  keys(): Iterable<string> {
    return this.current.keys()
  }

  /** @param value undefined deletes it */
  put(key: string, value: unknown): void {
    this.log.push({ key, value })
    apply(this.current, key, value)
  }

  /** How much was written until now, for `syncUntil`. */
  get end(): number {
    return this.log.length
  }

  syncUntil(end: number): void {
    for (const { key, value } of this.log.splice(0, end)) apply(this.durable, key, value)
  }

  /** The first of what was not synced are there in spite of it, the others gone: it is one log. */
  crash(random: SimRandom): void {
    this.syncUntil(random.between(0, this.log.length))
    this.log = []
    this.current = new Map(this.durable)
  }

  clear(): void {
    this.current.clear()
    this.durable.clear()
    this.log = []
  }
}

function apply(map: Map<string, unknown>, key: string, value: unknown): void {
  if (value === undefined) map.delete(key)
  else map.set(key, value)
}

/** What a node has on disk. It outlives crashes; the processes that write to it come and go. */
export class SimDisk {
  readonly spool = new UnsyncedFiles()
  /** How long a write takes to be synced. */
  writeMs = USUAL_WRITE_MS
  /** 0: what is read is in the memory of the machine. */
  readMs = 0
  isFull = false
  /** How often all of it was lost. */
  losses = 0
  /** What chunks may take. */
  quotaBytes = FREE_BYTES
  private usedBytes = 0
  /** Told of each change of what it holds. */
  onCommit: (period: Period, before: StoredPeriod | undefined, after: StoredPeriod | undefined) => void = () =>
    undefined
  private readonly after: (delayMs: number, work: () => void) => void
  private readonly periods = new Map<Period, StoredPeriod>()
  private readonly numbers: Period[] = []
  private readonly places = new Map<string, ChunkPlace>()
  private onTheWay: (() => void)[] = []

  /** @param after plans something for later */
  constructor(after: (delayMs: number, work: () => void) => void) {
    this.after = after
  }

  get(period: Period): StoredPeriod | undefined {
    return this.periods.get(period)
  }

  /** Ascending. */
  listPeriods(): readonly Period[] {
    return this.numbers
  }

  placeOf(chunkId: string): ChunkPlace | undefined {
    return this.places.get(chunkId)
  }

  listPlaces(): Iterable<[string, ChunkPlace]> {
    return this.places
  }

  /**
   * A synced write: applied when it resolves; when the process ends before, it is or is not.
   *
   * @throws ArchiveError STORE_DISK_FULL
   */
  write(life: Life, takesRoom: boolean, work: () => void): Promise<void> {
    if (life.isOver) return never()
    if (takesRoom && this.isFull)
      return Promise.reject(new ArchiveError('STORE_DISK_FULL', 'the simulated disk is full'))
    return new Promise((resolve) => {
      this.onTheWay.push(work)
      this.after(this.writeMs, () => {
        const at = this.onTheWay.indexOf(work)
        if (at < 0) return
        this.onTheWay.splice(at, 1)
        work()
        if (!life.isOver) resolve()
      })
    })
  }

  /** Resolves when a read of this moment may give its value. */
  async read(life: Life): Promise<void> {
    if (life.isOver) await never()
    if (this.readMs === 0) return
    await new Promise<void>((resolve) => this.after(this.readMs, () => (life.isOver ? undefined : resolve())))
  }

  /** As DiskSpace tells it. */
  get space(): Pick<DiskSpace, 'floorBytes' | 'quotaBytes' | 'readArchiveRoom' | 'readFreeBytes' | 'readUsedBytes'> {
    return {
      quotaBytes: 0,
      floorBytes: 0,
      readArchiveRoom: async () => ({ usedBytes: this.usedBytes, mostBytes: this.quotaBytes }),
      readUsedBytes: async () => 0,
      readFreeBytes: async () => (this.isFull ? 0 : FREE_BYTES),
    }
  }

  /** As fast as disks are. */
  recoverSpeed(): void {
    this.writeMs = USUAL_WRITE_MS
    this.readMs = 0
  }

  /** The last step of a write; undefined deletes the period. */
  commit(period: Period, stored: StoredPeriod | undefined): void {
    const before = this.periods.get(period)
    for (const [index, { chunkId }] of before?.manifest.chunks.entries() ?? []) {
      if (before?.values.has(index)) this.places.delete(toHex(chunkId))
    }
    if (stored) {
      this.periods.set(period, stored)
      if (!before) this.addNumber(period)
      for (const [index, { chunkId }] of stored.manifest.chunks.entries()) {
        if (stored.values.has(index)) this.places.set(toHex(chunkId), { chunkId, period, index })
      }
    } else if (before) {
      this.periods.delete(period)
      this.numbers.splice(this.numbers.indexOf(period), 1)
    }
    this.usedBytes += sizeOf(stored) - sizeOf(before)
    this.onCommit(period, before, stored)
  }

  /** The process that writes, or the machine, ends without a word. */
  crash(random: SimRandom): void {
    const arrived = random.between(0, this.onTheWay.length)
    for (const work of this.onTheWay.splice(0).slice(0, arrived)) work()
    this.spool.crash(random)
  }

  /** The disk is lost, and an empty one takes its place. */
  wipe(): void {
    this.losses++
    this.onTheWay = []
    for (const period of [...this.numbers]) this.commit(period, undefined)
    this.spool.clear()
  }

  /** Some chunk of a period rots. */
  damage(period: Period, index: number): void {
    const stored = this.periods.get(period)
    if (!stored?.values.has(index) || !isChunkPlace(index)) return
    this.commit(period, { ...stored, damaged: new Set([...stored.damaged, index]) })
  }

  private addNumber(period: Period): void {
    let at = this.numbers.length
    while (at > 0 && (this.numbers[at - 1] ?? 0) > period) at--
    this.numbers.splice(at, 0, period)
  }
}

/** Of its chunks. */
function sizeOf(stored: StoredPeriod | undefined): number {
  let sizeBytes = 0
  for (const [n, value] of stored?.values ?? []) if (isChunkPlace(n)) sizeBytes += value.length
  return sizeBytes
}
