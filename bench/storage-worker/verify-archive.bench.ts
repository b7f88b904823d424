import { readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Store } from '../../storage-worker/index.ts'
import { makePeriod } from '../../test/storage-worker/synthetic-period.ts'
import type { BenchRow } from '../bench-row.ts'
import { BENCH_IDENTITY, FULL_PERIOD, median, QUIET_PERIOD, type Shape, withFolder } from './bench-archive.ts'

/*
 * Question: does `verify` run at the speed of hashing? Input: an archive of MASSA_STORAGE_BENCH_MB (default 256) in
 * full periods, and one in quiet periods. Baselines: as many threads, started in the measured time as ours are, hashing
 * flat by node:crypto
 * - the same bytes: the table files of the archive, read with readSync, 1 MiB after the other;
 * - one MiB of memory, as often as makes as many bytes: nothing is read, and it never leaves the cache.
 * The goal speaks of the same bytes, so it is measured with the first; the second shows what reading costs. `--deep` is
 * compared with trees over 1 KiB leaves of memory, and unlike those reads, computes flat hashes beside them, and holds
 * every block against LevelDB's CRC.
 *
 * The second can hardly be reached: bytes that lie on disk are copied from the page cache once, which alone makes 0.8 of it.
 * A thread that has run for 200 ms goes through quiet periods of 90 kB nearly as fast as the first, though each has four
 * more values with a hash of their own, and a period root: what is lost is lost before, to modules and to V8's compiler.
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
  const files = listTableFiles(join(dataDir, 'bodies'))
  const rows: BenchRow[] = []
  for (const deep of [false, true]) {
    const ours: number[] = []
    const fromFiles: number[] = []
    const fromMemory: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      ours.push(await measureVerify(store, deep))
      if (!deep) fromFiles.push(await measureHashing({ bytes, deep, files }))
      fromMemory.push(await measureHashing({ bytes, deep, files: [] }))
    }
    const rate = median(ours)
    const add = (baseline: number, what: string) =>
      rows.push({
        question: `verify${deep ? ' --deep' : ''} of ${(bytes / 1e6).toFixed(0)} MB in ${name}, ${THREADS} threads`,
        measured: `${rate.toFixed(0)} MB/s`,
        baseline: `${baseline.toFixed(0)} MB/s ${what}`,
        ratio: rate / baseline,
        goal: '>= 0.8',
        holds: rate / baseline >= 0.8,
      })
    if (!deep) add(median(fromFiles), 'flat SHA-256 of the same files')
    add(median(fromMemory), deep ? 'leaf trees of memory' : 'flat SHA-256 of memory')
  }
  await store.close()
  return rows
}

function listTableFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.ldb'))
    .map((name) => join(folder, name))
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

/** The bare work. */
const HASHER = `
const { parentPort, workerData } = require('node:worker_threads')
const { hash, randomBytes } = require('node:crypto')
const { closeSync, openSync, readSync } = require('node:fs')
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
function hashFile(path) {
  const file = openSync(path, 'r')
  let bytes = 0
  for (let n = readSync(file, chunk); n > 0; n = readSync(file, chunk)) {
    hash('sha256', chunk.subarray(0, n), 'buffer')
    bytes += n
  }
  closeSync(file)
  return bytes
}
parentPort.on('message', ({ chunks, files }) => {
  let bytes = 0
  for (const path of files) bytes += hashFile(path)
  for (let i = 0; i < chunks; i++, bytes += chunk.length) workerData.deep ? tree() : hash('sha256', chunk, 'buffer')
  parentPort.postMessage(bytes)
})
`

interface BareJob {
  readonly bytes: number
  readonly deep: boolean
  /** None: as many bytes of memory. */
  readonly files: readonly string[]
}

async function measureHashing({ bytes, deep, files }: BareJob): Promise<number> {
  const started = performance.now()
  const workers = Array.from({ length: THREADS }, () => new Worker(HASHER, { eval: true, workerData: { deep } }))
  const chunks = files.length > 0 ? 0 : Math.ceil(bytes / THREADS / 1_048_576)
  const hashed = await Promise.all(
    workers.map(
      (worker, n) =>
        new Promise<number>((resolve, reject) => {
          worker.once('message', resolve)
          worker.once('error', reject)
          worker.postMessage({ chunks, files: files.filter((_, i) => i % THREADS === n) })
        }),
    ),
  )
  const milliseconds = performance.now() - started
  for (const worker of workers) await worker.terminate()
  return hashed.reduce((sum, part) => sum + part, 0) / 1e3 / milliseconds
}
