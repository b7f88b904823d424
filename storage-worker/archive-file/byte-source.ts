import { type FileHandle, open } from 'node:fs/promises'
import { ArchiveError } from '../../core/index.ts'

/** Bytes of an archive file, wherever it lies. */
export interface ByteSource {
  /** As people gave it. */
  readonly name: string
  readonly sizeBytes: number
  /** Exactly these bytes. @throws ArchiveError STORE_FILE_UNREADABLE, STORE_FILE_UNREACHABLE, STORE_FILE_SERVER_WRONG */
  read(offset: number, length: number): Promise<Uint8Array>
  close(): Promise<void>
}

/** Reading ahead hides what the disk takes, or the way to a server, and holds so many pieces in memory. */
const PIECES_AHEAD = 2

/** @throws ArchiveError STORE_FILE_UNREADABLE */
export async function openFileSource(path: string): Promise<ByteSource> {
  const refuse = (cause: unknown): never => {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new ArchiveError('STORE_FILE_UNREADABLE', `${path} cannot be read: ${reason}`, { path }, cause)
  }
  const file = await open(path, 'r').catch(refuse)
  const facts = await file.stat().catch(refuse)
  if (!facts.isFile()) {
    await file.close()
    throw new ArchiveError('STORE_FILE_UNREADABLE', `${path} is no file`, { path })
  }
  return {
    name: path,
    sizeBytes: facts.size,
    read: (offset, length) => readWhole(file, offset, length).catch(refuse),
    close: () => file.close(),
  }
}

async function readWhole(file: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  // Not zeroed: every byte is written.
  const bytes = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer)
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.read(bytes, done, length - done, offset + done)
    if (bytesRead === 0) throw new Error(`it ends at byte ${offset + done}`)
    done += bytesRead
  }
  return bytes
}

/** Pieces of a source in the order of `places`, the next ones read meanwhile. */
export async function* readAhead<P extends { readonly offset: number; readonly length: number }>(
  source: ByteSource,
  places: readonly P[],
): AsyncGenerator<{ readonly place: P; readonly bytes: Uint8Array }> {
  const underWay: { readonly place: P; readonly bytes: Promise<Uint8Array> }[] = []
  let next = 0
  const start = (): void => {
    for (; underWay.length <= PIECES_AHEAD; next++) {
      const place = places[next]
      if (!place) return
      const bytes = source.read(place.offset, place.length)
      // Heard when its turn comes.
      bytes.catch(() => undefined)
      underWay.push({ place, bytes })
    }
  }
  try {
    for (start(); underWay.length > 0; start()) {
      const first = underWay.shift()
      if (first) yield { place: first.place, bytes: await first.bytes }
    }
  } finally {
    await Promise.allSettled(underWay.map(({ bytes }) => bytes))
  }
}
