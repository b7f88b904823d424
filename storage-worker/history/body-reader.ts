import {
  ArchiveError,
  BlockFinder,
  type ChunkStore,
  concatBytes,
  type Manifest,
  type Period,
} from '../../core/index.ts'
import { ChunkCache } from '../../protocol-handler/chunk-cache.ts'
import { type DirectoryEntry, listEntries } from './block-directory.ts'

export interface BodyReaderModules {
  readonly store: Pick<ChunkStore, 'identity' | 'readManifest' | 'readChunk' | 'readSeals'>
  /** From who holds it, verified against the manifest; `undefined`: nobody gives it. Absent: only this disk is read. */
  readonly fetchChunk?: (manifest: Manifest, index: number) => Promise<Uint8Array | undefined>
}

/** Reads parts of BODY and SEALS: chunks of this disk, else of others. What was read lately is kept. */
export class BodyReader {
  private readonly modules: BodyReaderModules
  private readonly cache: ChunkCache<{ readonly data: Uint8Array }>

  constructor(modules: BodyReaderModules, cacheBytes: number) {
    this.modules = modules
    this.cache = new ChunkCache(cacheBytes)
  }

  /**
   * Bytes [start, end) of BODY.
   *
   * @throws ArchiveError STORE_CHUNK_AWAY, STORE_VALUE_CORRUPT
   */
  async readBytes(period: Period, start: number, end: number): Promise<Uint8Array> {
    const { chunkSizeBytes } = this.modules.store.identity
    const first = Math.floor(start / chunkSizeBytes)
    const parts: Uint8Array[] = []
    for (let index = first; index * chunkSizeBytes < end; index++) {
      const chunk = await this.readChunk(period, index)
      const offset = index * chunkSizeBytes
      parts.push(chunk.subarray(Math.max(0, start - offset), end - offset))
    }
    return parts.length === 1 && parts[0] ? parts[0] : concatBytes(...parts)
  }

  /** Where blocks stand, by the lengths in all of BODY: for a period that is not indexed. */
  async findBlocks({ period, chunks }: Manifest): Promise<Map<number, DirectoryEntry>> {
    const finder = new BlockFinder()
    for (const [index] of chunks.entries()) {
      finder.pass(await this.readChunk(period, index), index === chunks.length - 1)
    }
    return listEntries(finder)
  }

  /** Of one block: header first; `undefined` where SEALS are not held. */
  async readSeals(period: Period, { sealsStart, sealsEnd }: DirectoryEntry): Promise<Uint8Array | undefined> {
    const name = `${period}/seals`
    const data = this.cache.get(name)?.data ?? (await this.modules.store.readSeals(period))
    if (data) this.cache.put(name, { data })
    return data?.subarray(sealsStart, sealsEnd)
  }

  /** @throws ArchiveError STORE_CHUNK_AWAY */
  async readChunk(period: Period, index: number): Promise<Uint8Array> {
    const { store, fetchChunk } = this.modules
    const name = `${period}/${index}`
    const cached = this.cache.get(name)
    if (cached) return cached.data
    const held = await store.readChunk(period, index)
    const manifest = held || !fetchChunk ? undefined : await store.readManifest(period)
    const data = held ?? (manifest && (await fetchChunk?.(manifest, index)))
    if (!data) {
      throw new ArchiveError('STORE_CHUNK_AWAY', `chunk ${index} of period ${period} is not on this disk`, {
        period,
        index,
      })
    }
    this.cache.put(name, { data })
    return data
  }
}
