import type { ChildProcess } from 'node:child_process'
import { cp, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { makePeriod } from '../../test/storage-worker/synthetic-period.ts'
import type { BenchRow } from '../bench-row.ts'
import {
  FULL_PERIOD,
  median,
  openBenchStore,
  QUIET_PERIOD,
  type Shape,
  withFolder,
} from '../storage-worker/bench-archive.ts'
import { ask, endChildren, hear, startChild } from './children.ts'
import type { Lost, NodeReady, Order } from './repair-child.ts'

/*
 * Question: how fast do the four that are left of five nodes restore what the fifth held, beside what the same bytes
 * cost? Input: MASSA_STORAGE_BENCH_REPAIR_CHUNKS (default 2,000) chunks of 1 MiB in periods of nine and some, and ten
 * times as many of 90 kB, each with SEALS in a period of its own; each node a process with a store on disk; two others
 * have a copy of each chunk, and each of the four takes over a quarter. Measured: Patrol, ChunkPuller, PeerClient,
 * PeerNode and the chunk service with the limits of a registered node, and LevelChunkStore, until nothing is missing.
 *
 * Baseline: the same four processes, bare libp2p with as many streams and requests; a get from bare classic-level, the
 * leaf tree of what comes, and a synced put of it, for each chunk with its SEALS at once.
 */

const CHUNKS = Math.max(8, Math.round(Number(process.env.MASSA_STORAGE_BENCH_REPAIR_CHUNKS ?? 2_000)))
const SMALL_CHUNKS = 10 * CHUNKS
const SURVIVORS = 4
const ROUNDS = 3
const GOAL = 0.8

export async function run(): Promise<BenchRow[]> {
  const fullChunks = 9.3
  return [
    await measure('1 MiB', FULL_PERIOD, Math.ceil(CHUNKS / fullChunks)),
    await measure('90 kB', QUIET_PERIOD, SMALL_CHUNKS),
  ]
}

async function measure(size: string, shape: Shape, periods: number): Promise<BenchRow> {
  return await withFolder(async (folder) => {
    await prepare(folder, shape, periods)
    const children = Array.from({ length: SURVIVORS }, (_, i) => {
      return startChild('repair-child', [join(folder, String(i)), String(i), String(SURVIVORS)])
    })
    try {
      const nodes = await Promise.all(children.map((child) => hear<NodeReady>(child)))
      await tellAll(children, { do: 'connect', nodes })
      const ours: number[] = []
      const bare: number[] = []
      let chunks = 0
      for (let round = 0; round < ROUNDS; round++) {
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
      }
      const ratio = median(ours.map((seconds, round) => (bare[round] ?? 0) / seconds))
      const rate = (seconds: number) => `${(chunks / SURVIVORS / seconds).toFixed(1)} chunks/s/node`
      return {
        question: `repair of ${chunks} chunks of ${size} after a death, 5 nodes`,
        measured: rate(median(ours)),
        baseline: `${rate(median(bare))} pull + leaf tree + put`,
        ratio,
        goal: `>= ${GOAL}`,
        holds: ratio >= GOAL,
      }
    } finally {
      await endChildren(children)
    }
  })
}

/** The same archive in the folder of each. */
async function prepare(folder: string, shape: Shape, periods: number): Promise<void> {
  const first = join(folder, '0', 'data')
  await mkdir(first, { recursive: true })
  const store = await openBenchStore(first)
  for (let period = 1; period <= periods; period++)
    await store.chunks.writePeriod(makePeriod(period, { ...shape, isSigned: true }))
  await store.close()
  for (let i = 1; i < SURVIVORS; i++) await cp(join(folder, '0'), join(folder, String(i)), { recursive: true })
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
