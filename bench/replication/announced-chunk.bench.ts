import type { BenchRow } from '../bench-row.ts'
import { ask, endChildren, hear, startChild } from '../children.ts'
import { withFolder } from '../storage-worker/bench-archive.ts'
import type { AnnounceOrder, AnnounceReady } from './announce-child.ts'

/*
 * Question: a chunk that only one of 5 nodes has: how long after its announcement do all others have it on disk? Input:
 * MASSA_STORAGE_BENCH_ANNOUNCED (default 60) periods of one chunk of 90 kB, visible on every node, held by one of them in
 * turn; all five are holders. Each node is a process with a store, over libp2p: Announcer, AnnouncementBoard, HolderClaims,
 * HaveMap, Patrol, ChunkPuller. Measured from the moment before the announcement is published until the last of the
 * four holds chunk and SEALS. No baseline: the goal is one.
 */

const PERIODS = Number(process.env.MASSA_STORAGE_BENCH_ANNOUNCED ?? 60)
const NODES = 5
const GOAL_MS = 2_000

export async function run(): Promise<BenchRow[]> {
  return await withFolder(async (folder) => {
    const children = Array.from({ length: NODES }, (_, i) =>
      startChild(new URL('./announce-child.ts', import.meta.url), [folder, String(i)]),
    )
    try {
      const nodes = await Promise.all(children.map((child) => hear<AnnounceReady>(child)))
      const tellAll = <T>(orderOf: (i: number) => AnnounceOrder): Promise<T[]> =>
        Promise.all(children.map((child, i) => ask<T>(child, orderOf(i))))
      await tellAll(() => ({ do: 'connect', nodes }))
      const delaysMs: number[] = []
      // The first is for all to know each other's have-maps.
      for (let period = 1; period <= PERIODS + 1; period++) {
        const author = period % NODES
        await tellAll((i) => ({ do: 'write', period, isHeld: i === author }))
        const times = await tellAll<number>((i) => ({ do: i === author ? 'announce' : 'await', period }))
        const announcedMs = times[author] ?? Number.NaN
        if (period > 1) delaysMs.push(Math.max(...times) - announcedMs)
      }
      delaysMs.sort((a, b) => a - b)
      const p95Ms = delaysMs[Math.ceil(delaysMs.length * 0.95) - 1] ?? Number.NaN
      const medianMs = delaysMs[Math.floor(delaysMs.length / 2)] ?? Number.NaN
      return [
        {
          question: `a chunk that one of ${NODES} nodes has, until all hold it, ${PERIODS} times`,
          measured: `p95 ${p95Ms.toFixed(0)} ms, median ${medianMs.toFixed(0)} ms after its announcement`,
          baseline: `${GOAL_MS} ms`,
          ratio: p95Ms / GOAL_MS,
          goal: `p95 < ${GOAL_MS / 1_000} s`,
          holds: p95Ms < GOAL_MS,
        },
      ]
    } finally {
      await endChildren(children)
    }
  })
}
