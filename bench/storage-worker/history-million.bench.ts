import { hash } from 'node:crypto'
import { existsSync, writeFileSync } from 'node:fs'
import { rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { concatBytes, parseBody } from '../../core/index.ts'
import { HistorySync } from '../../storage-worker/history/history-sync.ts'
import { HistoryReader, openHistory, type Store } from '../../storage-worker/index.ts'
import { encodeBodyKey } from '../../storage-worker/keyspace.ts'
import { makePeriod, noise } from '../../test/storage-worker/synthetic-period.ts'
import type { BenchRow } from '../bench-row.ts'
import { BENCH_IDENTITY, median, openBenchStore, QUIET_PERIOD } from './bench-archive.ts'

/*
 * Question: what does it take to find an operation by its id among those of a million blocks, 10 in each (4.5 GB with the index)? Warm: all
 * of it is in memory of the operating system, little of it in ours. Cold: databases just opened and the page cache dropped, each operation
 * of another period; the reads are page faults that went to the disk. In a sidecar that runs: databases that were read before, so that it
 * is known what their files hold, and nothing else in memory. Baseline: bare get of the chunk that holds it, and its SHA-256.
 *
 * The archive is made once, in a quarter of an hour, and kept in the temporary folder; `MASSA_STORAGE_BENCH_FRESH=1` makes it anew.
 */

const BLOCKS = 1_000_000
const PERIODS = Math.ceil(BLOCKS / QUIET_PERIOD.blocks)
const WARM_READS = 1_000
/** The first of them warm the page cache and the compiler. */
const WARM_ROUNDS = 6
const COLD_READS = 60
/** Of other operations: they touch nearly all of the files. */
const READS_BEFORE = 3_000
const FOLDER = join(tmpdir(), `massa-storage-bench-million-${PERIODS}`)
const DROP_CACHES = '/proc/sys/vm/drop_caches'

interface Wanted {
  readonly id: Uint8Array
  readonly period: number
}

/** One, or medians of many. */
interface ColdReads {
  readonly ms: number
  /** Major page faults. */
  readonly faults: number
}

type Read = (opened: Opened, one: Wanted) => Promise<unknown>

interface Opened {
  readonly store: Store
  readonly reader: HistoryReader
  close(): Promise<void>
}

export async function run(): Promise<BenchRow[]> {
  await makeArchive()
  const wanted = chooseOperations(WARM_READS, 'warm')
  const cold = wanted.slice(0, COLD_READS)
  return [await readWarm(wanted), ...(await readCold(cold))]
}

async function readWarm(wanted: readonly Wanted[]): Promise<BenchRow> {
  const opened = await open()
  let [ours, bare]: [number[], number[]] = [[], []]
  for (let round = 0; round < WARM_ROUNDS; round++) {
    ;[ours, bare] = [[], []]
    for (const one of wanted) {
      ours.push(await time(() => find(opened, one)))
      bare.push(await time(() => getChunk(opened, one)))
    }
  }
  await opened.close()
  const p95 = percentile(ours, 0.95)
  const ratio = median(ours) / median(bare)
  return {
    question: 'an operation by its id, of 1 M blocks, warm',
    measured: `p95 ${p95.toFixed(2)} ms, median ${median(ours).toFixed(2)}`,
    baseline: `bare get of its chunk and SHA-256: p95 ${percentile(bare, 0.95).toFixed(2)} ms, median ${median(bare).toFixed(2)}`,
    ratio,
    goal: 'p95 < 5 ms and <= 2',
    holds: p95 < 5 && ratio <= 2,
  }
}

async function readCold(wanted: readonly Wanted[]): Promise<BenchRow[]> {
  const rows: BenchRow[] = []
  for (const [question, measure] of [
    ['the same, cold: databases just opened, nothing in the page cache', measureOpened],
    ['the same, cold, in a sidecar that runs', measureRunning],
  ] as const) {
    const bare = await measure(wanted, getChunk)
    const ours = await measure(wanted, find)
    rows.push({
      question,
      measured: `${ours.faults} reads of disk, ${ours.ms.toFixed(1)} ms (medians)`,
      baseline: `bare get: ${bare.faults} reads, ${bare.ms.toFixed(1)} ms`,
      ratio: ours.ms / bare.ms,
      goal: '<= 3 reads',
      holds: ours.faults <= 3,
    })
  }
  return rows
}

async function measureOpened(wanted: readonly Wanted[], read: Read): Promise<ColdReads> {
  const reads: ColdReads[] = []
  for (const one of wanted) {
    dropCaches()
    const opened = await open()
    reads.push(await countFaults(() => read(opened, one)))
    await opened.close()
  }
  return summarize(reads)
}

async function measureRunning(wanted: readonly Wanted[], read: Read): Promise<ColdReads> {
  const opened = await open()
  for (const one of chooseOperations(READS_BEFORE, 'before')) await find(opened, one)
  const reads: ColdReads[] = []
  for (const one of wanted) {
    // What is mapped stays: of each file what is in it, and of it what was read before.
    dropCaches()
    reads.push(await countFaults(() => read(opened, one)))
  }
  await opened.close()
  return summarize(reads)
}

async function countFaults(work: () => Promise<unknown>): Promise<ColdReads> {
  const before = process.resourceUsage().majorPageFault
  const ms = await time(work)
  return { ms, faults: process.resourceUsage().majorPageFault - before }
}

function summarize(reads: readonly ColdReads[]): ColdReads {
  return { ms: median(reads.map(({ ms }) => ms)), faults: median(reads.map(({ faults }) => faults)) }
}

async function find({ reader }: Opened, { id }: Wanted): Promise<void> {
  if (!(await reader.findOperation(id))) throw new Error('an operation is missing')
}

async function getChunk({ store }: Opened, { period }: Wanted): Promise<void> {
  const chunk = await store.chunks.bodies.get(encodeBodyKey(period, 0))
  if (!chunk) throw new Error('a chunk is missing')
  hash('sha256', chunk, 'buffer')
}

async function open(): Promise<Opened> {
  const store = await openBenchStore(join(FOLDER, 'data'))
  const { index } = await openHistory(store.dataDir, BENCH_IDENTITY)
  return {
    store,
    reader: new HistoryReader({ store: store.chunks, index }),
    close: async () => {
      await index.close()
      await store.close()
    },
  }
}

async function makeArchive(): Promise<void> {
  const done = join(FOLDER, 'done')
  if (process.env.MASSA_STORAGE_BENCH_FRESH !== '1' && existsSync(done)) return
  await rm(FOLDER, { recursive: true, force: true })
  const store = await openBenchStore(join(FOLDER, 'data'))
  for (let period = 1; period <= PERIODS; period++) {
    await store.chunks.writePeriod(makePeriod(period, QUIET_PERIOD))
    if (period % 1_000 === 0) console.log(`${period} of ${PERIODS} periods`)
  }
  const { index } = await openHistory(store.dataDir, BENCH_IDENTITY)
  await new HistorySync({ store: store.chunks, index }).compare()
  await index.close()
  await store.close()
  await writeFile(`${done}.new`, '')
  await rename(`${done}.new`, done)
}

/** Of different periods, as far as there are so many. */
function chooseOperations(count: number, name: string): Wanted[] {
  const random = noise(name, 8 * count)
  const view = new DataView(random.buffer, random.byteOffset)
  return Array.from({ length: count }, (_, i) => {
    const period = 1 + (view.getUint32(8 * i) % PERIODS)
    const { slots } = parseBody(concatBytes(...makePeriod(period, QUIET_PERIOD).chunks))
    const ids = slots.flatMap((slot) => (slot.kind === 'block' ? slot.record.operations.map(({ id }) => id) : []))
    return { period, id: ids[view.getUint32(8 * i + 4) % ids.length] ?? fail() }
  })
}

/** @throws when this process may not: the row would tell of memory */
function dropCaches(): void {
  writeFileSync(DROP_CACHES, '3')
}

async function time(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return performance.now() - started
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length * share)] ?? Number.NaN
}

function fail(): never {
  throw new Error('something is missing')
}
