import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CHUNK_SIZE_BYTES, type ChunkStore, toHex } from '../../core/index.ts'
import { REGISTERED_SHARE, WORK } from '../../daemon/peers/shares.ts'
import { createChunkService } from '../../storage-worker/peers/chunk-service.ts'
import { type BenchBlock, makeBenchBlocks } from '../archiver/bench-blocks.ts'
import { ingest, SPARSE_CHAIN } from '../archiver/ingest.ts'
import { CpuPool } from '../built.ts'
import { openBenchPeer } from '../protocol-handler/bench-peer.ts'
import { FULL_PERIOD, makePeriods, openBenchStore } from '../storage-worker/bench-archive.ts'

/*
 * The process that follows a chain and serves peers meanwhile: chunks of 1 MiB of another store on the same disk. Arguments:
 * its folder, how many periods it is to follow, and how many ms lie between two. Ends when its parent lets go of it.
 */

export interface LagReady {
  readonly address: string
  /** Of whole chunks, 64 hex digits each. */
  readonly chunkIds: readonly string[]
}

/** Every read of a chunk for a peer takes so much longer. */
export interface FollowOrder {
  readonly diskDelayMs: number
}

const SERVED_PERIODS = 4
/** For the compilers. */
const WARM_UP_PERIODS = 5

const [folder = '', periodsText = '', paceText = ''] = process.argv.slice(2)
const PERIODS = Number(periodsText) + WARM_UP_PERIODS
const PACE_MS = Number(paceText)

const blocks = await makeBenchBlocks({ ...SPARSE_CHAIN, periods: PERIODS })
const cpu = new CpuPool({ threads: availableParallelism() })
const store = await openBenchStore(join(folder, 'served'))
const served = makePeriods(SERVED_PERIODS, FULL_PERIOD)
for (const period of served) await store.chunks.writePeriod(period)
const node = await openBenchPeer('follower', { share: REGISTERED_SHARE, work: WORK, onOffence: () => {} })
let diskDelayMs = 0
const slowDisk: Pick<ChunkStore, 'findChunks' | 'readManifest' | 'readChunk'> = {
  findChunks: (id, limit) => store.chunks.findChunks(id, limit),
  readManifest: (period) => store.chunks.readManifest(period),
  readChunk: async (period, index) => {
    if (diskDelayMs > 0) await sleep(diskDelayMs)
    return await store.chunks.readChunk(period, index)
  },
}
await node.serve('chunk', createChunkService(slowDisk as ChunkStore))

let runs = 0

/** @returns for each period how many ms after its last block it is on disk */
async function follow(order: FollowOrder): Promise<readonly number[]> {
  diskDelayMs = order.diskDelayMs
  const toldAtMs: number[] = []
  const lagsMs: number[] = []
  await ingest(pace(toldAtMs), {
    cpu,
    dataDir: join(folder, `followed ${runs++}`),
    onArchived: (period) => lagsMs.push(performance.now() - (toldAtMs[period] ?? Number.NaN)),
  })
  return lagsMs.slice(WARM_UP_PERIODS)
}

/** All blocks of a period at once, the next ones when it is time for them. */
async function* pace(toldAtMs: number[]): AsyncGenerator<BenchBlock> {
  const beganMs = performance.now()
  for (const [i, block] of blocks.entries()) {
    const { period } = block.slot
    if (toldAtMs[period] === undefined) {
      const waitMs = beganMs + period * PACE_MS - performance.now()
      if (waitMs > 0) await sleep(waitMs)
    }
    // Of its last block: those before it are on their way.
    if (blocks[i + 1]?.slot.period !== period || toldAtMs[period] === undefined) toldAtMs[period] = performance.now()
    yield block
  }
}

process.on('message', async (order: FollowOrder) => {
  process.send?.(await follow(order))
})
process.once('disconnect', async () => {
  await node.stop()
  await Promise.all([store.close(), cpu.close()])
})
const ready: LagReady = {
  address: node.addresses[0] ?? '',
  chunkIds: served
    .flatMap(({ manifest }) => manifest.chunks)
    .filter(({ byteLength }) => byteLength === CHUNK_SIZE_BYTES)
    .map(({ chunkId }) => toHex(chunkId)),
}
process.send?.(ready)
