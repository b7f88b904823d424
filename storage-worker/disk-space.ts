import { readdir, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { ArchiveError, BYTES_PER_GB } from '../core/index.ts'

/** Below this much free space no new period is archived: what is left belongs to LevelDB's compactions and the spool. */
export const FREE_FLOOR_BYTES = 256 * 1024 * 1024
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
  private readonly readFree: () => Promise<number>
  private readonly nowMs: () => number
  private free: { readonly bytes: number; readonly atMs: number } | undefined
  private used: { readonly bytes: number; readonly atMs: number } | undefined

  constructor(options: DiskSpaceOptions) {
    this.dataDir = options.dataDir
    this.floorBytes = options.floorBytes ?? FREE_FLOOR_BYTES
    this.quotaBytes = (options.quotaGb ?? 0) * BYTES_PER_GB
    this.readFree = options.readFreeBytes ?? (() => readFreeBytes(options.dataDir))
    this.nowMs = options.nowMs ?? (() => performance.now())
  }

  /** Bytes that this process may still write. */
  readFreeBytes(): Promise<number> {
    return this.readFree()
  }

  /** Sum of the sizes of all files in the data directory, at most 10 s old. */
  async readUsedBytes(): Promise<number> {
    const now = this.nowMs()
    if (this.used === undefined || now - this.used.atMs >= USED_CACHE_MS) {
      this.used = { bytes: await sumFileSizes(this.dataDir), atMs: now }
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
   * @throws ArchiveError STORE_DISK_FULL, STORE_QUOTA_FULL
   */
  async checkRoom(bytes: number): Promise<void> {
    const free = await this.estimateFreeBytes(bytes)
    if (free < this.floorBytes) {
      throw new ArchiveError('STORE_DISK_FULL', `${free} bytes are free, ${this.floorBytes} are kept free`, {
        freeBytes: free,
        floorBytes: this.floorBytes,
      })
    }
    if (this.quotaBytes === 0) return
    const used = (await this.readUsedBytes()) + bytes
    if (used > this.quotaBytes) {
      throw new ArchiveError('STORE_QUOTA_FULL', `the archive would take ${used} of ${this.quotaBytes} bytes`, {
        usedBytes: used,
        quotaBytes: this.quotaBytes,
      })
    }
    // What is written until the next sum counts at once.
    if (this.used) this.used = { ...this.used, bytes: used }
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
    this.free = { bytes: await this.readFree(), atMs: now }
    return this.free.bytes
  }
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
