import {
  ArchiveError,
  BlockFinder,
  type ChunkStore,
  concatBytes,
  isArchiveError,
  type Manifest,
  type Period,
} from '../../core/index.ts'
import { ChunkCache } from '../../protocol-handler/chunk-cache.ts'
import { type DirectoryEntry, listEntries } from './block-directory.ts'

export interface BodyReaderModules {
  readonly store: Pick<ChunkStore, 'identity' | 'readManifest' | 'readChunk' | 'readSeals'>
  /** Who gets what is not here, or damaged here, from who holds it, verified. Absent: only this disk is read. */
  readonly holders?: ChunkHolders | undefined
}

export interface ChunkHolders {
  /** @throws ArchiveError STORE_CHUNK_AWAY */
  fetchChunk(manifest: Manifest, index: number): Promise<Uint8Array>
  /** `undefined`: nobody gives true ones. @param readBody - all of it */
  fetchSeals(manifest: Manifest, readBody: () => Promise<Uint8Array>): Promise<Uint8Array | undefined>
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
    return (await this.readAllSeals(period))?.subarray(sealsStart, sealsEnd)
  }

  /** Of a period; `undefined` where SEALS are not held. */
  async readAllSeals(period: Period): Promise<Uint8Array | undefined> {
    const name = `${period}/seals`
    const cached = this.cache.get(name)
    if (cached) return cached.data
    const data = await this.findSeals(period)
    if (data) this.cache.put(name, { data })
    return data
  }

  /** @throws ArchiveError STORE_CHUNK_AWAY, STORE_VALUE_CORRUPT */
  async readChunk(period: Period, index: number): Promise<Uint8Array> {
    const name = `${period}/${index}`
    const cached = this.cache.get(name)
    if (cached) return cached.data
    const data = await this.findChunk(period, index)
    if (!data) {
      throw new ArchiveError('STORE_CHUNK_AWAY', `chunk ${index} of period ${period} is not on this disk`, {
        period,
        index,
      })
    }
    this.cache.put(name, { data })
    return data
  }

  private async findChunk(period: Period, index: number): Promise<Uint8Array | undefined> {
    const { store, holders } = this.modules
    if (!holders) return store.readChunk(period, index)
    const held = await store.readChunk(period, index).catch(unlessDamaged)
    const manifest = held ? undefined : await store.readManifest(period)
    return manifest ? holders.fetchChunk(manifest, index) : held
  }

  private async findSeals(period: Period): Promise<Uint8Array | undefined> {
    const { store, holders } = this.modules
    if (!holders) return store.readSeals(period)
    const held = await store.readSeals(period).catch(unlessDamaged)
    const manifest = held ? undefined : await store.readManifest(period)
    return manifest ? holders.fetchSeals(manifest, () => this.readBody(manifest)) : held
  }

  private async readBody({ period, chunks }: Manifest): Promise<Uint8Array> {
    const parts: Uint8Array[] = []
    for (const [index] of chunks.entries()) parts.push(await this.readChunk(period, index))
    return parts.length === 1 && parts[0] ? parts[0] : concatBytes(...parts)
  }
}

function unlessDamaged(error: unknown): undefined {
  if (!isArchiveError(error, 'STORE_VALUE_CORRUPT')) throw error
}
