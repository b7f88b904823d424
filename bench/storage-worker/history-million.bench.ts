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
 * of another period; the reads are page faults that went to the disk. Baseline: bare get of the chunk that holds it, and its SHA-256.
 *
 * The archive is made once, in a quarter of an hour, and kept in the temporary folder; `MASSA_STORAGE_BENCH_FRESH=1` makes it anew.
 */

const BLOCKS = 1_000_000
const PERIODS = Math.ceil(BLOCKS / QUIET_PERIOD.blocks)
const WARM_READS = 1_000
const COLD_READS = 60
const FOLDER = join(tmpdir(), `massa-storage-bench-million-${PERIODS}`)
const DROP_CACHES = '/proc/sys/vm/drop_caches'

interface Wanted {
  readonly id: Uint8Array
  readonly period: number
}

interface Opened {
  readonly store: Store
  readonly reader: HistoryReader
  close(): Promise<void>
}

export async function run(): Promise<BenchRow[]> {
  await makeArchive()
  const wanted = chooseOperations(WARM_READS)
  return [await readWarm(wanted), await readCold(wanted.slice(0, COLD_READS))]
}

async function readWarm(wanted: readonly Wanted[]): Promise<BenchRow> {
  const opened = await open()
  let [ours, bare]: [number[], number[]] = [[], []]
  for (let round = 0; round < 3; round++) {
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

async function readCold(wanted: readonly Wanted[]): Promise<BenchRow> {
  const measure = async (read: (opened: Opened, one: Wanted) => Promise<unknown>) => {
    const times: number[] = []
    const faults: number[] = []
    for (const one of wanted) {
      dropCaches()
      const opened = await open()
      const before = process.resourceUsage().majorPageFault
      times.push(await time(() => read(opened, one)))
      faults.push(process.resourceUsage().majorPageFault - before)
      await opened.close()
    }
    return { ms: median(times), faults: median(faults) }
  }
  const bare = await measure(getChunk)
  const ours = await measure(find)
  return {
    question: 'the same, cold: databases just opened, nothing in the page cache',
    measured: `${ours.faults} reads of disk, ${ours.ms.toFixed(1)} ms (medians)`,
    baseline: `bare get: ${bare.faults} reads, ${bare.ms.toFixed(1)} ms`,
    ratio: ours.ms / bare.ms,
    goal: '<= 3 reads',
    holds: ours.faults <= 3,
  }
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
function chooseOperations(count: number): Wanted[] {
  const random = noise('million', 8 * count)
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
