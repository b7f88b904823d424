import { hash } from 'node:crypto'
import { join } from 'node:path'
import type { ChunkStore } from '../../core/index.ts'
import { MAX_CACHED_CHUNK_BYTES } from '../../protocol-handler/index.ts'
import { encodeBodyKey } from '../../storage-worker/keyspace.ts'
import { BODIES_OPTIONS, createClassicLevel } from '../../storage-worker/level-options.ts'
import { createChunkService } from '../../storage-worker/peers/chunk-service.ts'
import { noise } from '../../test/storage-worker/synthetic-period.ts'
import type { BenchRow } from '../bench-row.ts'
import { FULL_PERIOD, makePeriods, median, openBenchStore, withFolder } from './bench-archive.ts'

/*
 * Question: what does a verified read of one chunk cost? Input: random chunks of 24 full periods (seeded order).
 * Baseline: bare get of the same keys, then node:crypto SHA-256 of the 1 MiB.
 *
 * Question: is a chunk that peers ask for again and again cheaper from memory? Input: the chunks of three full periods in
 * turn. Measured: processor time of an answer from the cache. Baseline: the same answer from the store, all of whose files
 * are in the page cache. A ratio near 1 would take the cache away.
 */

const READS = 300
const PERIODS = 24
const CHUNKS = 9
const HOT_PERIODS = 3
const HOT_ANSWERS = 600

export async function run(): Promise<BenchRow[]> {
  return withFolder(async (folder) => {
    const dataDir = join(folder, 'data')
    const store = await openBenchStore(dataDir)
    for (const period of makePeriods(PERIODS, FULL_PERIOD)) await store.chunks.writePeriod(period)
    await store.close()
    const order = noise('read-chunk', READS * 2)
    const places = Array.from({ length: READS }, (_, i) => ({
      period: 1 + ((order[2 * i] ?? 0) % PERIODS),
      index: (order[2 * i + 1] ?? 0) % CHUNKS,
    }))
    const ours: number[] = []
    const bare: number[] = []
    for (let round = 0; round < 4; round++) {
      const opened = await openBenchStore(dataDir)
      const times = await measure(places, ({ period, index }) => opened.chunks.readChunk(period, index))
      await opened.close()
      const level = createClassicLevel(join(dataDir, 'bodies'), BODIES_OPTIONS)
      await level.open()
      const bareTimes = await measure(places, async ({ period, index }) => {
        const value = await level.get(encodeBodyKey(period, index))
        if (value) hash('sha256', value, 'buffer')
        return value
      })
      await level.close()
      // The first round warms the page cache for both.
      if (round > 0) ours.push(...times)
      if (round > 0) bare.push(...bareTimes)
    }
    const again = await openBenchStore(dataDir)
    const disk = await measureAnswers(again.chunks, 0)
    const cache = await measureAnswers(again.chunks, MAX_CACHED_CHUNK_BYTES)
    await again.close()
    const ratio = median(ours) / median(bare)
    return [
      {
        question: 'one random chunk of 1 MiB, read and verified',
        measured: `${median(ours).toFixed(2)} ms`,
        baseline: `${median(bare).toFixed(2)} ms bare get + SHA-256`,
        ratio,
        goal: '<= 1.5',
        holds: ratio <= 1.5,
      },
      {
        question: 'one chunk of 1 MiB given to a peer that others asked for before, processor time',
        measured: `${cache.toFixed(3)} ms from memory`,
        baseline: `${disk.toFixed(2)} ms from the store`,
        ratio: cache / disk,
        goal: '<= 0.1',
        holds: cache / disk <= 0.1,
      },
    ]
  })
}

/** @returns ms of processor time of an answer */
async function measureAnswers(store: ChunkStore, cacheBytes: number): Promise<number> {
  const service = createChunkService(store, { cacheBytes })
  const chunkIds: Uint8Array[] = []
  for (let period = 1; period <= HOT_PERIODS; period++) {
    for (const { chunkId } of (await store.readManifest(period))?.chunks ?? []) chunkIds.push(chunkId)
  }
  for (const chunkId of chunkIds) await service.answer({ wanted: 'chunk', chunkId }, 'peer')
  const before = process.cpuUsage()
  for (let i = 0; i < HOT_ANSWERS; i++) {
    await service.answer({ wanted: 'chunk', chunkId: chunkIds[i % chunkIds.length] ?? new Uint8Array(32) }, 'peer')
  }
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000 / HOT_ANSWERS
}

async function measure<T>(places: readonly T[], read: (place: T) => Promise<unknown>): Promise<number[]> {
  const times: number[] = []
  for (const place of places) {
    const started = performance.now()
    if ((await read(place)) === undefined) throw new Error('a chunk is missing')
    times.push(performance.now() - started)
  }
  return times
}
