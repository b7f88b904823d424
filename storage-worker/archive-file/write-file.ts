import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ArchiveError, type ArchiveFileHead, type FileEra, type FilePeriod, formatFileName } from '../../core/index.ts'
import { syncFolder } from '../sync-folder.ts'
import { encodeArchiveFile } from './encode-file.ts'

/** Small records are gathered: a write for each would be most of the time of quiet periods. */
const GATHERED_BYTES = 4_194_304
const PIECES_AT_ONCE = 1_000

/** A file that is there whole, or not at all: what is not finished has another name, and goes when writing ends. */
export class FileInMaking {
  /** Another export was interrupted there. */
  readonly isBegunAnew: boolean
  private readonly path: string
  private readonly file: FileHandle
  private waiting: Uint8Array[] = []
  private waitingBytes = 0
  private written = 0
  /** On its way to the disk while the next pieces come. Never rejects. */
  private underWay: Promise<unknown> = Promise.resolve()
  private failure: unknown

  private constructor(path: string, file: FileHandle, isBegunAnew: boolean) {
    this.path = path
    this.file = file
    this.isBegunAnew = isBegunAnew
  }

  /** @param path - of the file while it is made; @throws ArchiveError STORE_FILE_NOT_WRITTEN */
  static async begin(path: string): Promise<FileInMaking> {
    const before = await stat(path).catch(() => undefined)
    const file = await open(path, 'w').catch((error: unknown) => refuse(path, error))
    return new FileInMaking(path, file, before !== undefined)
  }

  get sizeBytes(): number {
    return this.written + this.waitingBytes
  }

  /** The bytes are not to be changed any more. @throws ArchiveError STORE_FILE_NOT_WRITTEN */
  async write(parts: readonly Uint8Array[]): Promise<void> {
    for (const part of parts) {
      this.waiting.push(part)
      this.waitingBytes += part.length
    }
    if (this.waitingBytes >= GATHERED_BYTES) await this.flush()
  }

  /** Gives it its name; it outlives a loss of power then. @throws ArchiveError STORE_FILE_NOT_WRITTEN */
  async finish(path: string): Promise<void> {
    await this.flush()
    await this.settle()
    try {
      await this.file.sync()
      await this.file.close()
      await rename(this.path, path)
      await syncFolder(dirname(path))
    } catch (error) {
      refuse(path, error)
    }
  }

  /** Leaves nothing behind. */
  async giveUp(): Promise<void> {
    await this.underWay
    await this.file.close().catch(() => undefined)
    await rm(this.path, { force: true }).catch(() => undefined)
  }

  /** Begins to write what waits, when what was begun before is written. */
  private async flush(): Promise<void> {
    const parts = this.waiting
    const from = this.written
    this.waiting = []
    this.written += this.waitingBytes
    this.waitingBytes = 0
    await this.settle()
    this.underWay = this.put(parts, from).catch((error: unknown) => {
      this.failure = error
    })
  }

  private async settle(): Promise<void> {
    await this.underWay
    if (this.failure !== undefined) refuse(this.path, this.failure)
  }

  private async put(parts: readonly Uint8Array[], from: number): Promise<void> {
    let at = from
    // As many pieces as the system takes at once.
    for (let first = 0; first < parts.length; first += PIECES_AT_ONCE) {
      const some = parts.slice(first, first + PIECES_AT_ONCE)
      const length = some.reduce((sum, part) => sum + part.length, 0)
      const { bytesWritten } = await this.file.writev(some, at)
      if (bytesWritten !== length) throw new Error(`${bytesWritten} of ${length} bytes written`)
      at += bytesWritten
    }
  }
}

export interface WriteFileOptions {
  readonly head: ArchiveFileHead
  /** Of the network, in the name of the file. */
  readonly networkName: string
  /** Where it goes: a folder, in which it gets its own name, or the path of a file that is not there yet. */
  readonly target: { readonly folder: string } | { readonly path: string }
  /** What is known of the anchor of an era. */
  readonly findAnchor?: ((era: number) => Promise<FileEra['anchor'] | undefined>) | undefined
  readonly onPeriod?: (done: number, total: number, bytes: number) => void
}

export interface WrittenFile {
  readonly path: string
  /** 32 bytes */
  readonly root: Uint8Array
  readonly bytes: number
  readonly periods: number
  readonly eras: number
  readonly isBegunAnew: boolean
}

/**
 * Writes an archive file from periods as they come; holds one of them in memory, and 44 bytes of each.
 *
 * @throws ArchiveError STORE_FILE_EXISTS, STORE_FILE_NOT_WRITTEN, and what `periods` throws: nothing is left then
 */
export async function writeArchiveFile(
  { head, networkName, target, findAnchor, onPeriod }: WriteFileOptions,
  periods: AsyncIterable<FilePeriod>,
): Promise<WrittenFile> {
  const total = head.last - head.first + 1
  if ('path' in target) await refuseExisting(target.path)
  const making =
    'path' in target ? target.path : join(target.folder, `massa-${networkName}-${head.first}-${head.last}.mhs`)
  const file = await FileInMaking.begin(`${making}.part`)
  try {
    let [done, eras, fileBytes] = [0, 0, 0]
    let root = new Uint8Array()
    for await (const piece of encodeArchiveFile(head, periods, findAnchor)) {
      await file.write(piece.parts)
      if (piece.kind === 'period') onPeriod?.(++done, total, file.sizeBytes)
      else if (piece.kind === 'era') eras++
      else if (piece.kind === 'end') [root, fileBytes] = [Uint8Array.from(piece.root), piece.fileBytes]
    }
    const path = 'path' in target ? target.path : join(target.folder, formatFileName(networkName, head, root))
    await file.finish(path)
    return { path, root, bytes: fileBytes, periods: total, eras, isBegunAnew: file.isBegunAnew }
  } catch (error) {
    await file.giveUp()
    throw error
  }
}

/** @throws ArchiveError STORE_FILE_EXISTS */
export async function refuseExisting(path: string): Promise<void> {
  if (await stat(path).catch(() => undefined)) {
    throw new ArchiveError('STORE_FILE_EXISTS', `${path} is there already`, { path })
  }
}

function refuse(path: string, cause: unknown): never {
  const reason = cause instanceof Error ? cause.message : String(cause)
  throw new ArchiveError('STORE_FILE_NOT_WRITTEN', `${path} cannot be written: ${reason}`, { path }, cause)
}
