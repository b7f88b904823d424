import { hash } from 'node:crypto'
import { readdir, stat } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { ed25519Verify } from '../../core/crypto-node.ts'
import { computeAddress, computeHeaderSignedHash, concatBytes, parseBody, parseSeals } from '../../core/index.ts'
import { HistorySync } from '../../storage-worker/history/history-sync.ts'
import { HistoryReader, openHistory } from '../../storage-worker/index.ts'
import { encodeBodyKey } from '../../storage-worker/keyspace.ts'
import { RECORDINGS } from '../../test/devnet/fixture.ts'
import { readRecordedPeriods } from '../../test/recorded-periods.ts'
import { makePeriod, noise } from '../../test/storage-worker/synthetic-period.ts'
import { type BenchBlock, makeBenchBlocks } from '../archiver/bench-blocks.ts'
import { FULL_CHAIN, ingest, SPARSE_CHAIN } from '../archiver/ingest.ts'
import type { BenchRow } from '../bench-row.ts'
import { CpuPool } from '../built.ts'
import { BENCH_IDENTITY, median, openBenchStore, QUIET_PERIOD, withFolder } from './bench-archive.ts'

/*
 * Question: what does it take to find an operation by its id? Input: random ones of PERIODS quiet periods (90 kB each), read
 * again and again. Baseline: bare get of the chunk that holds it, and its SHA-256.
 *
 * Question: what does the first page of an address take that made all of these operations in one thread?
 *
 * Question: what does the index cost? Input: blocks of a made chain, 16 endorsements and an operation each, through the archiver.
 * Measured: processor time of the whole process with the index, in turns with the same without. The same of blocks of
 * transfers. Then periods of a real node's recording, with endorsements and events: processor time of indexing them alone. Baseline:
 * verifying their signatures, which is less than archiving them takes. And its bytes for each operation of the quiet periods.
 */

const PERIODS = 1_000
const READS = 2_000
/** The last one counts: the others warm the page cache and the compiler, for both. */
const WARM_ROUNDS = 4
const PAGES = 200
const ROUNDS = 20
const INGEST_ROUNDS = 7
/** For the compilers. */
const WARM_UP_ROUNDS = 4
const TRANSFERS = 100

export async function run(): Promise<BenchRow[]> {
  const sparse = await makeBenchBlocks({ ...SPARSE_CHAIN, periods: 20 })
  const transfers = await makeBenchBlocks({ ...FULL_CHAIN, operationsPerBlock: TRANSFERS, periods: 2 })
  return [
    ...(await readOperations()),
    await indexArchived('sparse blocks, 18 signatures each', sparse),
    await indexArchived(`blocks of ${TRANSFERS} transfers`, transfers),
    await indexRecorded(),
  ]
}

async function readOperations(): Promise<BenchRow[]> {
  return withFolder(async (folder) => {
    const store = await openBenchStore(join(folder, 'data'))
    const ids: { readonly id: Uint8Array; readonly period: number }[] = []
    let address: Uint8Array = new Uint8Array(34)
    for (let period = 1; period <= PERIODS; period++) {
      const made = makePeriod(period, QUIET_PERIOD)
      await store.chunks.writePeriod(made)
      for (const slot of parseBody(concatBytes(...made.chunks)).slots) {
        if (slot.kind !== 'block') continue
        for (const { id, publicKey } of slot.record.operations) {
          ids.push({ id, period })
          address = computeAddress(publicKey)
        }
      }
    }
    const { index } = await openHistory(store.dataDir, BENCH_IDENTITY)
    await new HistorySync({ store: store.chunks, index }).compare()
    const random = noise('history', READS * 4)
    const view = new DataView(random.buffer, random.byteOffset)
    const wanted = Array.from({ length: READS }, (_, i) => ids[view.getUint32(4 * i) % ids.length]).flatMap(
      (one) => one ?? [],
    )
    const ours: number[] = []
    const bare: number[] = []
    for (let round = 0; round < WARM_ROUNDS; round++) {
      const reader = new HistoryReader({ store: store.chunks, index })
      const [found, got]: [number[], number[]] = [[], []]
      for (const { id, period } of wanted) {
        found.push(await time(async () => (await reader.findOperation(id)) ?? fail()))
        got.push(
          await time(async () => {
            hash('sha256', (await store.chunks.bodies.get(encodeBodyKey(period, 0))) ?? fail(), 'buffer')
          }),
        )
      }
      if (round < WARM_ROUNDS - 1) continue
      ours.push(...found)
      bare.push(...got)
    }
    const reader = new HistoryReader({ store: store.chunks, index })
    const pages: number[] = []
    const range = { roles: ['creator', 'target'], from: 0, to: PERIODS, limit: 25 } as const
    for (let i = 0; i < PAGES; i++) pages.push(await time(() => reader.listOperations(address, range)))
    await index.close()
    const bytes = await sumFiles(join(store.dataDir, 'history'))
    await store.close()
    const ratio = median(ours) / median(bare)
    const perOperation = bytes / ids.length
    const p95 = percentile(ours, 0.95)
    return [
      {
        question: `an operation by its id, of ${ids.length.toLocaleString('en-US')} in ${PERIODS} periods, warm`,
        measured: `p95 ${p95.toFixed(2)} ms, median ${median(ours).toFixed(2)}`,
        baseline: `bare get of its chunk and SHA-256: median ${median(bare).toFixed(2)} ms`,
        ratio,
        goal: 'p95 < 5 ms and <= 2',
        holds: p95 < 5 && ratio <= 2,
      },
      {
        question: 'first page of 25 operations of an address',
        measured: `p95 ${percentile(pages, 0.95).toFixed(2)} ms, median ${median(pages).toFixed(2)}`,
        baseline: '20 ms',
        ratio: percentile(pages, 0.95) / 20,
        goal: '<= 1',
        holds: percentile(pages, 0.95) <= 20,
      },
      {
        question: 'bytes of the index on disk for each operation, quiet periods',
        measured: `${perOperation.toFixed(0)} bytes`,
        baseline: '120 bytes',
        ratio: perOperation / 120,
        goal: '<= 1',
        holds: perOperation <= 120,
      },
    ]
  })
}

async function indexArchived(what: string, blocks: readonly BenchBlock[]): Promise<BenchRow> {
  const cpu = new CpuPool({ threads: availableParallelism() })
  const added: number[] = []
  const bare: number[] = []
  await withFolder(async (folder) => {
    for (let round = 0; round < WARM_UP_ROUNDS + INGEST_ROUNDS; round++) {
      const spend = async (isIndexed: boolean) => {
        const report = await ingest(blocks, { cpu, dataDir: join(folder, `${round}-${isIndexed}`), isIndexed })
        return report.processorSeconds / report.periods
      }
      // Who comes first finds other caches: each does in its turn.
      const first = await spend(round % 2 === 0)
      const second = await spend(round % 2 !== 0)
      const [withIndex, without] = round % 2 === 0 ? [first, second] : [second, first]
      if (round < WARM_UP_ROUNDS) continue
      added.push(withIndex - without)
      bare.push(without)
    }
  })
  await cpu.close()
  const ratio = median(added) / median(bare)
  return {
    question: `what the index adds to archiving ${what}, processor time`,
    measured: `${(median(added) * 1000).toFixed(1)} ms a period`,
    baseline: `${(median(bare) * 1000).toFixed(0)} ms without index`,
    ratio,
    goal: '<= 0.15',
    holds: ratio <= 0.15,
  }
}

async function indexRecorded(): Promise<BenchRow> {
  const { identity, periods } = await readRecordedPeriods(RECORDINGS.push)
  return withFolder(async (folder) => {
    const { openStore } = await import('../../storage-worker/index.ts')
    const store = await openStore({ dataDir: join(folder, 'data'), identity })
    for (const period of periods) await store.chunks.writePeriod(period)
    const { index } = await openHistory(store.dataDir, identity)
    const sync = new HistorySync({ store: store.chunks, index })
    const indexing: number[] = []
    const verifying: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      await index.forgetPeriods(0, 1_000_000)
      indexing.push(await timeProcessor(() => sync.compare()))
      verifying.push(await timeProcessor(async () => verifyAll(periods)))
    }
    await index.close()
    await store.close()
    const ratio = median(indexing) / median(verifying)
    return {
      question: `indexing ${periods.length} periods of a real node, with endorsements and events, processor time`,
      measured: `${(median(indexing) / periods.length).toFixed(1)} ms a period`,
      baseline: `${(median(verifying) / periods.length).toFixed(1)} ms for their signatures`,
      ratio,
      goal: '<= 0.15',
      holds: ratio <= 0.15,
    }
  })
}

/** Of headers, endorsements and operations. */
function verifyAll(periods: Awaited<ReturnType<typeof readRecordedPeriods>>['periods']): void {
  for (const { chunks, seals } of periods) {
    const body = parseBody(concatBytes(...chunks))
    const signatures = parseSeals(seals, body)
    let position = 0
    for (const slot of body.slots) {
      if (slot.kind !== 'block') continue
      const own = signatures[position++] ?? fail()
      const { publicKey, id, header, operations } = slot.record
      const signed = computeHeaderSignedHash(publicKey, header.slot, id.subarray(1))
      ed25519Verify(publicKey.subarray(1), signed, own.subarray(0, 64))
      // Over another hash than their own: whether a signature verifies takes as long either way.
      for (const endorsement of header.endorsements) {
        ed25519Verify(endorsement.publicKey.subarray(1), id.subarray(1), endorsement.signature.subarray(1))
      }
      for (const [i, operation] of operations.entries()) {
        ed25519Verify(
          operation.publicKey.subarray(1),
          operation.id.subarray(1),
          own.subarray(64 * (i + 1), 64 * (i + 2)),
        )
      }
    }
  }
}

async function time(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return performance.now() - started
}

async function timeProcessor(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000
}

async function sumFiles(folder: string): Promise<number> {
  const sizes = await Promise.all((await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size))
  return sizes.reduce((sum, size) => sum + size, 0)
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length * share)] ?? Number.NaN
}

function fail(): never {
  throw new Error('something is missing')
}
