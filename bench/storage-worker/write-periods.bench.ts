import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type ArchivedPeriod, encodeManifest } from '../../core/index.ts'
import { EXECUTION_RESULTS, encodeBodyKey, MANIFEST, SEALS } from '../../storage-worker/keyspace.ts'
import { BODIES_OPTIONS, createClassicLevel } from '../../storage-worker/level-options.ts'
import { sealValue } from '../../storage-worker/sealed-value.ts'
import type { BenchRow } from '../bench-row.ts'
import {
  FULL_PERIOD,
  makePeriods,
  median,
  openBenchStore,
  QUIET_PERIOD,
  type Shape,
  withFolder,
} from './bench-archive.ts'

/*
 * Question: what does the store cost over bare LevelDB? Input: synthetic periods, in synced batches, a few in hand at a
 * time as whoever catches up has them. Baseline: classic-level with the same options, keys and (ready hashed) values, a
 * synced batch for each period, with as many in hand (LevelDB joins those that wait) and one at a time, whichever is
 * faster. A ratio under 0.9, or more than 2.2 bytes written per byte stored, would move bodies into files of our own.
 *
 * One at a time, for comparison: hashing the values of a quiet period and putting hash and value together takes 0.1 ms,
 * which the baseline has done before, beside some 0.55 ms of a synced batch.
 */

const ROUNDS = 5
const IN_HAND = 4

export async function run(): Promise<BenchRow[]> {
  return [
    ...(await compare('full periods (9.6 MB)', FULL_PERIOD, 24)),
    ...(await compare('quiet periods (90 kB)', QUIET_PERIOD, 200)),
  ]
}

async function compare(name: string, shape: Shape, count: number): Promise<BenchRow[]> {
  const periods = makePeriods(count, shape)
  const bytes = periods.reduce((sum, period) => sum + period.summary.bodyBytes + period.seals.length, 0)
  const ours: Measured[] = []
  const oursAlone: Measured[] = []
  const bare: Measured[] = []
  const bareAlone: Measured[] = []
  // Interleaved: the disk and the machine change with time.
  for (let round = 0; round < ROUNDS; round++) {
    ours.push(await withFolder((folder) => measureOurs(folder, periods, IN_HAND)))
    bare.push(await withFolder((folder) => measureBare(folder, periods, IN_HAND)))
    bareAlone.push(await withFolder((folder) => measureBare(folder, periods, 1)))
    oursAlone.push(await withFolder((folder) => measureOurs(folder, periods, 1)))
  }
  const rateOf = (all: readonly Measured[]) => bytes / 1e6 / median(all.map(({ seconds }) => seconds))
  const rate = rateOf(ours)
  const baseline = Math.max(rateOf(bare), rateOf(bareAlone))
  const amplification = median(ours.map((each) => each.written / bytes))
  const alone = rateOf(oursAlone) / rateOf(bareAlone)
  return [
    {
      question: `writing ${name}, synced, ${IN_HAND} in hand`,
      measured: `${rate.toFixed(0)} MB/s`,
      baseline: `${baseline.toFixed(0)} MB/s bare classic-level`,
      ratio: rate / baseline,
      goal: '>= 0.9',
      holds: rate / baseline >= 0.9,
    },
    {
      question: `writing ${name}, synced, one at a time`,
      measured: `${rateOf(oursAlone).toFixed(0)} MB/s`,
      baseline: `${rateOf(bareAlone).toFixed(0)} MB/s bare classic-level`,
      ratio: alone,
      goal: '>= 0.9',
      holds: alone >= 0.9,
    },
    {
      question: `bytes written per byte stored, ${name}`,
      measured: amplification.toFixed(2),
      baseline: '1',
      ratio: amplification,
      goal: '<= 2.2',
      holds: amplification <= 2.2,
    },
  ]
}

interface Measured {
  readonly seconds: number
  /** Bytes that reached the disk. */
  readonly written: number
}

async function measureOurs(folder: string, periods: readonly ArchivedPeriod[], inHand: number): Promise<Measured> {
  const store = await openBenchStore(join(folder, 'data'))
  const before = await readWrittenBytes()
  const seconds = await keepInHand(periods, inHand, (period) => store.chunks.writePeriod(period))
  await store.close()
  return { seconds, written: (await readWrittenBytes()) - before }
}

async function measureBare(folder: string, periods: readonly ArchivedPeriod[], inHand: number): Promise<Measured> {
  const level = createClassicLevel(join(folder, 'bare'), BODIES_OPTIONS)
  await level.open()
  const batches = periods.map((period) => {
    const put = (n: number, value: Uint8Array) =>
      ({ type: 'put', key: encodeBodyKey(period.manifest.period, n), value: sealValue(value) }) as const
    return [
      ...period.chunks.map((chunk, i) => put(i, chunk)),
      put(EXECUTION_RESULTS, period.executionResults),
      put(SEALS, period.seals),
      put(MANIFEST, encodeManifest(period.manifest)),
    ]
  })
  const before = await readWrittenBytes()
  const seconds = await keepInHand(batches, inHand, (batch) => level.batch(batch, { sync: true } as object))
  await level.close()
  return { seconds, written: (await readWrittenBytes()) - before }
}

/** Seconds for all items, of which so many are under way at any time. */
async function keepInHand<T>(
  items: readonly T[],
  inHand: number,
  write: (item: T) => Promise<unknown>,
): Promise<number> {
  const started = performance.now()
  const rest = items.values()
  const work = async (): Promise<void> => {
    for (const item of rest) await write(item)
  }
  await Promise.all(Array.from({ length: inHand }, work))
  return (performance.now() - started) / 1000
}

/** Of this process, sent to the disk. */
async function readWrittenBytes(): Promise<number> {
  const io = await readFile('/proc/self/io', 'utf8')
  return Number(/^write_bytes: (\d+)/m.exec(io)?.[1])
}
