import {
  type Body,
  type ChunkStore,
  concatBytes,
  encodeBlockRecord,
  equalBytes,
  type Manifest,
  type Period,
  parseBody,
  parseSeals,
} from '../../core/index.ts'
import {
  type BlockRequest,
  type BlockResponse,
  blockRequestCodec,
  blockResponseCodec,
  type StreamService,
  type WantedBlock,
} from '../../protocol-handler/index.ts'

/** A thread misses so many periods in a row only when the chain stands: 4.5 hours. */
const MAX_PERIODS_BACK = 1_024

/** Blocks of this disk by their place, for peers that have a gap. */
export function createBlockService(store: ChunkStore): StreamService<BlockRequest> {
  return {
    request: blockRequestCodec,
    priorityOf: () => 'repair',
    answer: async ({ blocks }) => {
      const reader = new BlockReader(store)
      const frames: Uint8Array[] = []
      for (const wanted of blocks) frames.push(blockResponseCodec.encode(await reader.read(wanted)))
      return frames
    },
    refuse: ({ blocks }, status) => blocks.map(({ id }) => blockResponseCodec.encode({ status, id })),
  }
}

/** Reads a period once for all threads of a request. */
class BlockReader {
  private readonly store: ChunkStore
  private lastRead: { readonly body: Body; readonly seals: readonly Uint8Array[] } | undefined

  constructor(store: ChunkStore) {
    this.store = store
  }

  async read({ thread, beforePeriod, id }: WantedBlock): Promise<BlockResponse> {
    const manifest = await this.findManifest(thread, beforePeriod)
    if (!manifest) return { status: 'notHeld', id }
    const period = await this.readPeriod(manifest)
    const slot = period?.body.slots[thread]
    if (!period || slot?.kind !== 'block' || !equalBytes(slot.record.id, id)) return { status: 'notHeld', id }
    const place = period.body.slots.slice(0, thread).filter(({ kind }) => kind === 'block').length
    const seals = period.seals[place]
    return seals ? { status: 'ok', id, record: encodeBlockRecord(slot.record), seals } : { status: 'notHeld', id }
  }

  /** Of the last period before this one that has a block in the thread; nothing where our own archive has a hole. */
  private async findManifest(thread: number, beforePeriod: Period): Promise<Manifest | undefined> {
    const last = Math.max(0, beforePeriod - MAX_PERIODS_BACK)
    for (let period = beforePeriod - 1; period >= last; period--) {
      const manifest = await this.store.readManifest(period)
      if (!manifest || ((manifest.bitmap >>> thread) & 1) === 1) return manifest
    }
    return undefined
  }

  private async readPeriod(manifest: Manifest) {
    if (this.lastRead?.body.period === manifest.period) return this.lastRead
    const chunks: Uint8Array[] = []
    for (const index of manifest.chunks.keys()) {
      const chunk = await this.store.readChunk(manifest.period, index)
      if (!chunk) return undefined
      chunks.push(chunk)
    }
    const seals = await this.store.readSeals(manifest.period)
    if (!seals) return undefined
    const body = parseBody(concatBytes(...chunks))
    this.lastRead = { body, seals: parseSeals(seals, body) }
    return this.lastRead
  }
}
