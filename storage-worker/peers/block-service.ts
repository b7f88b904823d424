import {
  BlockFinder,
  type BlockPlace,
  ByteReader,
  type ChunkStore,
  concatBytes,
  equalBytes,
  type Manifest,
  type Period,
  readBlockHead,
} from '../../core/index.ts'
import {
  type BlockRequest,
  type BlockResponse,
  blockRequestCodec,
  blockResponseCodec,
  MAX_PERIODS_BACK,
  type StreamService,
  type WantedBlock,
} from '../../protocol-handler/index.ts'
import { WithheldChunks } from '../replication/withheld-chunks.ts'
import { computeManifestCost } from './read-cost.ts'

/** Blocks of this disk by their place, for peers that have a gap. What is read to find them costs the peer as what is sent. */
export function createBlockService(store: ChunkStore, withheld = new WithheldChunks()): StreamService<BlockRequest> {
  return {
    request: blockRequestCodec,
    priorityOf: () => 'repair',
    answer: async ({ blocks }, _, onRead) => {
      const reader = new BlockReader({ store, withheld, onRead })
      const frames: Uint8Array[] = []
      for (const wanted of blocks) frames.push(blockResponseCodec.encode(await reader.read(wanted)))
      return frames
    },
    refuse: ({ blocks }, status) => blocks.map(({ id }) => blockResponseCodec.encode({ status, id })),
  }
}

/** What is known of a period of which blocks are asked for. */
interface OpenedPeriod {
  readonly manifest: Manifest
  readonly finder: BlockFinder
  /** Chunks that the finder has passed. */
  passed: number
}

/** Blocks of one request: no chunk of BODY is read behind those that are wanted, none is decoded, and each is passed once. */
class BlockReader {
  private readonly store: ChunkStore
  private readonly withheld: WithheldChunks
  private readonly onRead: ((bytes: number) => void) | undefined
  private readonly opened = new Map<Period, OpenedPeriod>()
  /** The last two: a block may stand in both, and the next one in the second. */
  private lastChunks: { readonly period: Period; readonly index: number; readonly chunk: Uint8Array }[] = []

  constructor(modules: {
    readonly store: ChunkStore
    readonly withheld: WithheldChunks
    readonly onRead: ((bytes: number) => void) | undefined
  }) {
    this.store = modules.store
    this.withheld = modules.withheld
    this.onRead = modules.onRead
  }

  async read({ thread, beforePeriod, id }: WantedBlock): Promise<BlockResponse> {
    const manifest = await this.findManifest(thread, beforePeriod)
    const place = manifest && (await this.findPlace(manifest, thread))
    const record = place && (await this.readRecord(manifest, place))
    if (!record || !equalBytes(readBlockHead(new ByteReader(record, 'CORE_BODY_INVALID')).id, id)) {
      return { status: 'notHeld', id }
    }
    const seals = await this.store.readSeals(manifest.period)
    if (!seals) return { status: 'notHeld', id }
    this.onRead?.(seals.length)
    return { status: 'ok', id, record, seals: seals.subarray(place.sealsStart, place.sealsEnd) }
  }

  /** Of the last period before this one that has a block in the thread; nothing where our own archive has a hole. */
  private async findManifest(thread: number, beforePeriod: Period): Promise<Manifest | undefined> {
    const last = Math.max(0, beforePeriod - MAX_PERIODS_BACK)
    for (let period = beforePeriod - 1; period >= last; period--) {
      const manifest = this.opened.get(period)?.manifest ?? (await this.readManifest(period))
      if (!manifest || ((manifest.bitmap >>> thread) & 1) === 1) return manifest
    }
    return undefined
  }

  private async readManifest(period: Period): Promise<Manifest | undefined> {
    const manifest = await this.store.readManifest(period)
    this.onRead?.(computeManifestCost(manifest))
    return manifest
  }

  private async findPlace(manifest: Manifest, thread: number): Promise<BlockPlace | undefined> {
    const { period, chunks } = manifest
    const opened = this.opened.get(period) ?? { manifest, finder: new BlockFinder(), passed: 0 }
    this.opened.set(period, opened)
    while (!opened.finder.hasPassed(thread) && opened.passed < chunks.length) {
      const chunk = await this.readChunk(period, opened.passed)
      if (!chunk) return undefined
      opened.passed++
      opened.finder.pass(chunk, opened.passed === chunks.length)
    }
    return opened.finder.placeOf(thread)
  }

  private async readRecord({ period, chunks }: Manifest, place: BlockPlace): Promise<Uint8Array | undefined> {
    const chunkBytes = chunks[0]?.byteLength ?? 0
    const first = Math.floor(place.start / chunkBytes)
    const parts: Uint8Array[] = []
    for (let index = first; index * chunkBytes < place.end; index++) {
      const chunk = await this.readChunk(period, index)
      if (!chunk) return undefined
      parts.push(chunk)
    }
    const offset = first * chunkBytes
    return concatBytes(...parts).subarray(place.start - offset, place.end - offset)
  }

  private async readChunk(period: Period, index: number): Promise<Uint8Array | undefined> {
    if (this.withheld.has({ period, index })) return undefined
    const known = this.lastChunks.find((last) => last.period === period && last.index === index)
    if (known) return known.chunk
    const chunk = await this.store.readChunk(period, index)
    if (!chunk) return undefined
    this.onRead?.(chunk.length)
    this.lastChunks = [...this.lastChunks.slice(-1), { period, index, chunk }]
    return chunk
  }
}
