import type { ChildProcess } from 'node:child_process'
import { cp, mkdir } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { makePeriod } from '../../test/storage-worker/synthetic-period.ts'
import { BareVerification } from '../archiver/bare-verification.ts'
import type { BenchRow } from '../bench-row.ts'
import { ask, endChildren, hear, startChild } from '../children.ts'
import {
  FULL_PERIOD,
  median,
  openBenchStore,
  QUIET_PERIOD,
  type Shape,
  withFolder,
} from '../storage-worker/bench-archive.ts'
import type { Lost, NodeReady, Order } from './repair-child.ts'
import { listSealSignatures } from './seal-signatures.ts'

/*
 * Question: how fast do the four that are left of five nodes restore what the fifth held, beside what the same bytes
 * cost? Input: MASSA_STORAGE_BENCH_REPAIR_CHUNKS (default 2,000) chunks of 1 MiB in periods of nine and some, and ten
 * times as many of 90 kB, each with SEALS in a period of its own; each node a process with a store on disk; two others
 * have a copy of each chunk, and each of the four takes over a quarter. Measured: Patrol, ChunkPuller, PeerClient,
 * PeerNode and the chunk service with the limits of a registered node, and LevelChunkStore, until nothing is missing.
 *
 * Baselines: the same four processes, bare libp2p with as many streams and requests; a get from bare classic-level, the
 * leaf tree of what comes, and a synced put of it, for each chunk with its SEALS at once; and this with bare Ed25519 of
 * all signatures behind it, on all threads, as long as a sample of them says. Repair verifies every signature of the
 * SEALS that it takes over: large chunks have few for their bytes, so the goal is beside the first there; those of small
 * ones take ten times as long as all else, so it is beside the second. Small ones are repaired once: 5,000 per node.
 */

const CHUNKS = Math.max(8, Math.round(Number(process.env.MASSA_STORAGE_BENCH_REPAIR_CHUNKS ?? 2_000)))
const SMALL_CHUNKS = 10 * CHUNKS
const SURVIVORS = 4
const GOAL = 0.8
/** Signatures that are verified to know what all of them take. */
const SAMPLE = 50_000

export async function run(): Promise<BenchRow[]> {
  const fullChunks = 9.3
  return [
    ...(await measure(
      { size: '1 MiB', shape: FULL_PERIOD, periods: Math.ceil(CHUNKS / fullChunks), rounds: 3 },
      'put',
    )),
    ...(await measure({ size: '90 kB', shape: QUIET_PERIOD, periods: SMALL_CHUNKS, rounds: 1 }, 'verified')),
  ]
}

interface Archive {
  /** Of its chunks. */
  readonly size: string
  readonly shape: Shape
  readonly periods: number
  readonly rounds: number
}

/** @param goalOf - the baseline that the goal speaks of */
async function measure(archive: Archive, goalOf: 'put' | 'verified'): Promise<BenchRow[]> {
  return await withFolder(async (folder) => {
    const { signatures, sample } = await prepare(folder, archive)
    const threads = availableParallelism()
    const verification = new BareVerification(sample, threads)
    const children = Array.from({ length: SURVIVORS }, (_, i) => {
      return startChild(new URL('./repair-child.ts', import.meta.url), [
        join(folder, String(i)),
        String(i),
        String(SURVIVORS),
      ])
    })
    try {
      const nodes = await Promise.all(children.map((child) => hear<NodeReady>(child)))
      await tellAll(children, { do: 'connect', nodes })
      const ours: number[] = []
      const bare: number[] = []
      const verified: number[] = []
      let chunks = 0
      for (let round = 0; round < archive.rounds; round++) {
        const lost = await tellAll<Lost>(children, { do: 'drop' })
        chunks = lost.reduce((sum, each) => sum + each.chunks, 0)
        const chunkBytes = Math.round(lost.reduce((sum, each) => sum + each.bytes, 0) / chunks)
        if (round === 0) await tellAll(children, { do: 'prepareBare', chunkBytes })
        const pullBare = () =>
          timed(() => Promise.all(children.map((child, i) => ask(child, bareOrder(lost[i], chunkBytes)))))
        // The one that comes first changes: a machine has better and worse minutes.
        if (round % 2 === 0) bare.push(await pullBare())
        ours.push(await timed(() => tellAll(children, { do: 'repair' })))
        if (round % 2 === 1) bare.push(await pullBare())
        verified.push((bare[round] ?? 0) + ((await verification.run()) * signatures) / sample.length)
      }
      const rate = (seconds: number) => `${(chunks / SURVIVORS / seconds).toFixed(1)} chunks/s/node`
      const row = (baseline: readonly number[], name: string, hasGoal: boolean): BenchRow => {
        const ratio = median(ours.map((seconds, round) => (baseline[round] ?? 0) / seconds))
        return {
          question: `repair of ${chunks} chunks of ${archive.size} after a death, 5 nodes, ${signatures} signatures`,
          measured: rate(median(ours)),
          baseline: `${rate(median(baseline))} ${name}`,
          ratio,
          goal: hasGoal ? `>= ${GOAL}` : '-',
          holds: !hasGoal || ratio >= GOAL,
        }
      }
      const name = 'pull + leaf tree + put'
      const verifiedName = `${name}, then Ed25519 on ${threads} threads`
      return [row(bare, name, goalOf === 'put'), row(verified, verifiedName, goalOf === 'verified')]
    } finally {
      await verification.close()
      await endChildren(children)
    }
  })
}

interface Prepared {
  readonly signatures: number
  /** Of the first periods. */
  readonly sample: readonly Uint8Array[]
}

/** The same archive in the folder of each. */
async function prepare(folder: string, { shape, periods }: Archive): Promise<Prepared> {
  const first = join(folder, '0', 'data')
  await mkdir(first, { recursive: true })
  const store = await openBenchStore(first)
  const sample: Uint8Array[] = []
  let signatures = 0
  for (let period = 1; period <= periods; period++) {
    const made = makePeriod(period, { ...shape, isSigned: true })
    await store.chunks.writePeriod(made)
    // A header's and those of its operations.
    signatures += shape.blocks * (1 + shape.operations)
    if (sample.length < SAMPLE) sample.push(...listSealSignatures(made))
  }
  await store.close()
  for (let i = 1; i < SURVIVORS; i++) await cp(join(folder, '0'), join(folder, String(i)), { recursive: true })
  return { signatures, sample }
}

function bareOrder(lost: Lost | undefined, chunkBytes: number): Order {
  return { do: 'bare', chunks: lost?.chunks ?? 0, chunkBytes }
}

async function tellAll<T>(children: readonly ChildProcess[], order: Order): Promise<T[]> {
  return await Promise.all(children.map((child) => ask<T>(child, order)))
}

/** Seconds. */
async function timed(task: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now()
  await task()
  return (performance.now() - startedMs) / 1_000
}
