import { join } from 'node:path'
import { type ArchivedPeriod, CHUNK_SIZE_BYTES, type ChunkStore, toHex } from '../../core/index.ts'
import { createChunkService } from '../../storage-worker/peers/chunk-service.ts'
import { FULL_PERIOD, makePeriods, openBenchStore } from '../storage-worker/bench-archive.ts'
import { serveBare } from './bare-peers.ts'
import { openBenchPeer } from './bench-peer.ts'

/*
 * The process that is asked: one PeerNode over a store in the folder that is its argument, one over the same periods in
 * memory, and bare libp2p that answers with memory. Ends when its parent lets go of it.
 */

export interface ServerReady {
  readonly diskAddress: string
  readonly memoryAddress: string
  readonly bareAddress: string
  /** Of whole chunks, 64 hex digits each. */
  readonly chunkIds: readonly string[]
}

const PERIODS = 12

const [folder] = process.argv.slice(2)
if (folder === undefined) throw new Error('where to?')
const store = await openBenchStore(join(folder, 'data'))
const periods = makePeriods(PERIODS, FULL_PERIOD)
for (const period of periods) await store.chunks.writePeriod(period)
const whole = periods
  .flatMap(({ manifest }) => manifest.chunks)
  .filter(({ byteLength }) => byteLength === CHUNK_SIZE_BYTES)
const disk = await openBenchPeer('disk')
await disk.serve('chunk', createChunkService(store.chunks))
const memory = await openBenchPeer('memory')
await memory.serve('chunk', createChunkService(inMemory(periods)))
const bare = await serveBare()
const ready: ServerReady = {
  diskAddress: disk.addresses[0] ?? '',
  memoryAddress: memory.addresses[0] ?? '',
  bareAddress: bare.address,
  chunkIds: whole.map(({ chunkId }) => toHex(chunkId)),
}
process.send?.(ready)
process.once('disconnect', async () => {
  await Promise.all([disk.stop(), memory.stop(), bare.stop()])
  await store.close()
})

/** What the chunk service asks of a store. */
function inMemory(all: readonly ArchivedPeriod[]): ChunkStore {
  const byPeriod = new Map(all.map((period) => [period.manifest.period, period]))
  const places = all.flatMap(({ manifest: { period, chunks } }) =>
    chunks.map(({ chunkId }, index) => [toHex(chunkId), { chunkId, period, index }] as const),
  )
  const placeOf = new Map(places)
  const store: Pick<ChunkStore, 'findChunks' | 'readManifest' | 'readChunk'> = {
    findChunks: async (id) => {
      const place = placeOf.get(id)
      return place ? [place] : []
    },
    readManifest: async (period) => byPeriod.get(period)?.manifest,
    readChunk: async (period, index) => byPeriod.get(period)?.chunks[index],
  }
  return store as ChunkStore
}
