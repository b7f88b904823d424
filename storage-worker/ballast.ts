import { randomBytes } from 'node:crypto'
import { open, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { DiskSpace } from './disk-space.ts'

/**
 * Reopening a database writes its log out once more: at most two write buffers and batches of both databases, 60 MiB
 * (LEVEL_OPTIONS).
 */
export const BALLAST_BYTES = 64 * 1024 * 1024
const PIECE_BYTES = 1024 * 1024

/** A file that takes up room until the disk is full, and is then given up so that LevelDB can reopen. */
export class Ballast {
  private readonly path: string
  private readonly sizeBytes: number
  private readonly disk: DiskSpace
  private present = false

  /** @param sizeBytes - 0: no ballast */
  constructor(disk: DiskSpace, sizeBytes: number) {
    this.path = join(disk.dataDir, 'ballast')
    this.sizeBytes = sizeBytes
    this.disk = disk
  }

  get isPresent(): boolean {
    return this.present
  }

  /** Deletes the file; never fails. */
  async release(): Promise<void> {
    this.present = false
    await rm(this.path, { force: true }).catch(() => undefined)
  }

  /** Makes the file when it is missing and there is room for it above the floor. */
  async restore(): Promise<void> {
    if (this.present || this.sizeBytes === 0) return
    const found = await stat(this.path).catch(() => undefined)
    if (found?.size === this.sizeBytes) {
      this.present = true
      return
    }
    if ((await this.disk.readFreeBytes()) < this.disk.floorBytes + this.sizeBytes) return
    this.present = await this.write()
  }

  /** False when the disk filled up meanwhile. */
  private async write(): Promise<boolean> {
    try {
      const file = await open(this.path, 'w')
      try {
        // Random: a file system that compresses would give no room back for zeros.
        const piece = randomBytes(Math.min(PIECE_BYTES, this.sizeBytes))
        for (let left = this.sizeBytes; left > 0; left -= piece.length) {
          await file.write(piece, 0, Math.min(piece.length, left))
        }
        await file.datasync()
      } finally {
        await file.close()
      }
      return true
    } catch {
      await this.release()
      return false
    }
  }
}
