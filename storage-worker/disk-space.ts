import { readdir, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { ArchiveError, BYTES_PER_GB, type SpoolLevel } from '../core/index.ts'

/** Below this much free space no new period is archived: what is left belongs to LevelDB's compactions and the spool. */
export const FREE_FLOOR_BYTES = 256 * 1024 * 1024
/** Of the quota, for what waits in the spool: periods may take the rest, so that neither starves the other. */
const SPOOL_SHARE = 0.1
/** Without a quota, and of a large one: five hours of a chain that is full, months of a quiet one. */
const MAX_SPOOL_BYTES = 10 * BYTES_PER_GB
/** Parts of the spool's bytes that may be taken, and of the floor that stay free: the spool goes on below the floor. */
const SPOOL_LEVELS: Readonly<Record<SpoolLevel, { readonly share: number; readonly floor: number }>> = {
  urgent: { share: 1, floor: 0.25 },
  ordinary: { share: 0.75, floor: 0.5 },
  again: { share: 0.6, floor: 0.75 },
}
/** Summing the files of a 1 TB archive takes some 100 ms, and 10 s of archiving add 6 MB at most. */
const USED_CACHE_MS = 10_000

/** Free space is asked for again after so long, and whenever the floor may be nearer than this. */
const FREE_CACHE_MS = 1000
const FREE_MARGIN_BYTES = 256 * 1024 * 1024

export interface DiskSpaceOptions {
  readonly dataDir: string
  /** Default FREE_FLOOR_BYTES. */
  readonly floorBytes?: number
  /** Of disk used by the data directory, in 10^9 bytes; 0 or absent: no quota. */
  readonly quotaGb?: number
  /** For tests. */
  readonly readFreeBytes?: () => Promise<number>
  readonly nowMs?: () => number
}

/** How much room there is, and whether a new period may take some. */
export class DiskSpace {
  readonly dataDir: string
  readonly floorBytes: number
  readonly quotaBytes: number
  /** Most that the spool may take; a part of the quota. */
  readonly spoolBytes: number
  private readonly readFree: () => Promise<number>
  private readonly nowMs: () => number
  private free: { readonly bytes: number; readonly atMs: number } | undefined
  private heldSpoolBytes = 0
  private used: { readonly bytes: number; readonly atMs: number } | undefined

  constructor(options: DiskSpaceOptions) {
    this.dataDir = options.dataDir
    this.floorBytes = options.floorBytes ?? FREE_FLOOR_BYTES
    this.quotaBytes = (options.quotaGb ?? 0) * BYTES_PER_GB
    this.spoolBytes = Math.min(this.quotaBytes === 0 ? MAX_SPOOL_BYTES : this.quotaBytes * SPOOL_SHARE, MAX_SPOOL_BYTES)
    this.readFree = options.readFreeBytes ?? (() => readFreeBytes(options.dataDir))
    this.nowMs = options.nowMs ?? (() => performance.now())
  }

  /** Bytes that this process may still write. @throws ArchiveError STORE_READ_FAILED */
  readFreeBytes(): Promise<number> {
    return this.readFree().catch((cause) => refuse('free space', this.dataDir, cause))
  }

  /** Sum of the sizes of all files in the data directory, at most 10 s old. @throws ArchiveError STORE_READ_FAILED */
  async readUsedBytes(): Promise<number> {
    const now = this.nowMs()
    if (this.used === undefined || now - this.used.atMs >= USED_CACHE_MS) {
      const bytes = await sumFileSizes(this.dataDir).catch((cause) => refuse('used space', this.dataDir, cause))
      this.used = { bytes, atMs: now }
    }
    return this.used.bytes
  }

  /** After a deletion: sums again at the next question. */
  forgetUsed(): void {
    this.used = undefined
  }

  /**
   * Refuses unless a new period of `bytes` may be written.
   *
   * @throws ArchiveError STORE_DISK_FULL, STORE_QUOTA_FULL, STORE_READ_FAILED
   */
  async checkRoom(bytes: number): Promise<void> {
    const free = await this.estimateFreeBytes(bytes)
    if (free < this.floorBytes) {
      throw new ArchiveError(
        'STORE_DISK_FULL',
        `${free} bytes are free, and no period is archived below store.min_free_bytes = ${this.floorBytes}`,
        { freeBytes: free, floorBytes: this.floorBytes },
      )
    }
    const room = await this.readArchiveRoom()
    if (!room) return
    const archive = room.usedBytes + bytes
    const most = room.mostBytes
    if (archive > most) {
      throw new ArchiveError(
        'STORE_QUOTA_FULL',
        `the archive would take ${archive} of ${most} bytes, ${this.spoolBytes} more are for blocks that wait: ` +
          'raise allocated_storage_gb or lower retention_periods',
        { usedBytes: archive, quotaBytes: this.quotaBytes },
      )
    }
    // What is written until the next sum counts at once.
    if (this.used) this.used = { ...this.used, bytes: this.used.bytes + bytes }
  }

  /** What archived periods take and may take of the quota; undefined without one. @throws ArchiveError STORE_READ_FAILED */
  async readArchiveRoom(): Promise<{ readonly usedBytes: number; readonly mostBytes: number } | undefined> {
    if (this.quotaBytes === 0) return undefined
    // The spool has its own part, used or not: what is archived leaves it.
    const usedBytes = (await this.readUsedBytes()) - Math.min(this.heldSpoolBytes, this.spoolBytes)
    return { usedBytes: Math.max(0, usedBytes), mostBytes: this.quotaBytes - this.spoolBytes }
  }

  /**
   * Refuses unless the spool may hold `heldBytes`.
   *
   * @throws ArchiveError STORE_SPOOL_FULL, STORE_READ_FAILED
   */
  async checkSpoolRoom(heldBytes: number, level: SpoolLevel): Promise<void> {
    const { share, floor } = SPOOL_LEVELS[level]
    const most = this.spoolBytes * share
    if (heldBytes > most) {
      throw new ArchiveError(
        'STORE_SPOOL_FULL',
        `blocks that wait would take ${heldBytes} of ${most} bytes, their part of a tenth of allocated_storage_gb`,
        { most },
      )
    }
    const free = await this.estimateFreeBytes(Math.max(0, heldBytes - this.heldSpoolBytes))
    if (free < this.floorBytes * floor) {
      const least = this.floorBytes * floor
      throw new ArchiveError(
        'STORE_SPOOL_FULL',
        `${free} bytes are free, and no block is kept to wait below ${least}, a part of store.min_free_bytes = ` +
          `${this.floorBytes}: free disk space, or lower it`,
        { freeBytes: free, leastBytes: least },
      )
    }
    this.heldSpoolBytes = heldBytes
  }

  /** Far from the floor a question per second is enough: it costs a tenth of writing a quiet period. */
  private async estimateFreeBytes(bytes: number): Promise<number> {
    const now = this.nowMs()
    const { free } = this
    if (free && now - free.atMs < FREE_CACHE_MS && free.bytes - bytes > this.floorBytes + FREE_MARGIN_BYTES) {
      // Written twice, to the log and to a table.
      this.free = { ...free, bytes: free.bytes - 2 * bytes }
      return free.bytes
    }
    this.free = { bytes: await this.readFreeBytes(), atMs: now }
    return this.free.bytes
  }
}

/** A folder that is gone or a disk that fails is no bug. */
function refuse(what: string, dataDir: string, cause: unknown): never {
  const reason = cause instanceof Error ? cause.message : String(cause)
  throw new ArchiveError('STORE_READ_FAILED', `${what} of ${dataDir}: ${reason}`, { dataDir }, cause)
}

async function readFreeBytes(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path)
  return bavail * bsize
}

async function sumFileSizes(folder: string): Promise<number> {
  let sum = 0
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    try {
      if (entry.isDirectory()) sum += await sumFileSizes(path)
      else if (entry.isFile()) sum += (await stat(path)).size
    } catch (error) {
      // LevelDB deletes files while we look.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  return sum
}
