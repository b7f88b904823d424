import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Store } from '../../storage-worker/index.ts'
import { makePeriod } from '../../test/storage-worker/synthetic-period.ts'
import type { BenchRow } from '../bench-row.ts'
import { BENCH_IDENTITY, FULL_PERIOD, median, QUIET_PERIOD, type Shape, withFolder } from './bench-archive.ts'

/*
 * Question: does `verify` run at the speed of hashing? Input: an archive of MASSA_STORAGE_BENCH_MB (default 256) in
 * full periods, and one in quiet periods. Baseline: as many threads, started in the measured time as ours are, hashing as
 * many bytes of memory: flat SHA-256, and the tree over 1 KiB leaves, by node:crypto. It reads nothing, and unlike
 * `--deep` computes no flat hashes beside the tree.
 *
 * `--deep` beats its baseline. The plain `verify` stays below 0.8: at about 0.65 for 1 GB of full periods and 0.45 of
 * quiet ones, in processor time of two busy cores. SHA-256 takes 0.58 ms per MB there; the copy out of the page cache,
 * and hashing what lies in it and not in the second-level cache, 0.15 to 0.2 ms, and starting two threads that know our
 * formats 60 ms more than empty ones. A quiet period of 90 kB has four more values, each with a hash of its own, a period
 * root, a summary and a place in the index: some 40 us beside 50 us of hashing. Through LevelDB's own reads, which copy
 * three times, the ratios were 0.3 and 0.1.
 */

const ARCHIVE_BYTES = Number(process.env.MASSA_STORAGE_BENCH_MB ?? 256) * 1e6
const THREADS = availableParallelism()
const ROUNDS = 3
// What ships: worker threads start several times slower from sources.
const BUILT = new URL('../../dist/storage-worker/index.js', import.meta.url).href
const { openStore, verifyArchive } = (await import(BUILT)) as typeof import('../../storage-worker/index.ts')

export async function run(): Promise<BenchRow[]> {
  const rows: BenchRow[] = []
  for (const [name, shape] of [
    ['full periods', FULL_PERIOD],
    ['quiet periods', QUIET_PERIOD],
  ] as const) {
    rows.push(...(await withFolder((folder) => compare(join(folder, 'data'), name, shape))))
  }
  return rows
}

async function compare(dataDir: string, name: string, shape: Shape): Promise<BenchRow[]> {
  const store = await openStore({ dataDir, identity: BENCH_IDENTITY })
  const bytes = await fill(store, shape)
  const rows: BenchRow[] = []
  for (const deep of [false, true]) {
    const ours: number[] = []
    const bare: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      ours.push(await measureVerify(store, deep))
      bare.push(await measureHashing(bytes, deep))
    }
    const [rate, baseline] = [median(ours), median(bare)]
    rows.push({
      question: `verify${deep ? ' --deep' : ''} of ${(bytes / 1e6).toFixed(0)} MB in ${name}, ${THREADS} threads`,
      measured: `${rate.toFixed(0)} MB/s`,
      baseline: `${baseline.toFixed(0)} MB/s ${deep ? 'leaf trees' : 'flat SHA-256'}`,
      ratio: rate / baseline,
      goal: '>= 0.8',
      holds: rate / baseline >= 0.8,
    })
  }
  await store.close()
  return rows
}

async function fill(store: Store, shape: Shape): Promise<number> {
  let bytes = 0
  for (let number = 1; bytes < ARCHIVE_BYTES; number++) {
    const period = makePeriod(number, shape)
    await store.chunks.writePeriod(period)
    bytes += period.summary.bodyBytes
  }
  return bytes
}

async function measureVerify(store: Store, deep: boolean): Promise<number> {
  const started = performance.now()
  const report = await verifyArchive(store.chunks, { deep, threads: THREADS })
  if (report.damages.length > 0) throw new Error('the archive is damaged')
  return report.bytes / 1e3 / (performance.now() - started)
}

/** The bare work, in memory. */
const HASHER = `
const { parentPort, workerData } = require('node:worker_threads')
const { hash, randomBytes } = require('node:crypto')
const chunk = randomBytes(1048576)
const leaf = Buffer.alloc(1025), node = Buffer.alloc(65, 1)
function tree() {
  let level = Buffer.alloc(32 * 1024)
  for (let i = 0; i < 1024; i++) {
    chunk.copy(leaf, 1, i * 1024, (i + 1) * 1024)
    hash('sha256', leaf, 'buffer').copy(level, i * 32)
  }
  for (let n = 1024; n > 1; n /= 2) {
    for (let i = 0; i < n; i += 2) {
      level.copy(node, 1, i * 32, i * 32 + 64)
      hash('sha256', node, 'buffer').copy(level, i * 16)
    }
  }
}
parentPort.on('message', (chunks) => {
  for (let i = 0; i < chunks; i++) workerData.deep ? tree() : hash('sha256', chunk, 'buffer')
  parentPort.postMessage('done')
})
`

async function measureHashing(bytes: number, deep: boolean): Promise<number> {
  const started = performance.now()
  const workers = Array.from({ length: THREADS }, () => new Worker(HASHER, { eval: true, workerData: { deep } }))
  const all = (chunks: number) =>
    Promise.all(
      workers.map(
        (worker) =>
          new Promise<void>((resolve, reject) => {
            worker.once('message', () => resolve())
            worker.once('error', reject)
            worker.postMessage(chunks)
          }),
      ),
    )
  const chunks = Math.ceil(bytes / THREADS / 1_048_576)
  await all(chunks)
  const seconds = (performance.now() - started) / 1000
  for (const worker of workers) await worker.terminate()
  return (chunks * THREADS * 1.048576) / seconds
}
