import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { encodeBlocks } from '../archiver/bench-blocks.ts'
import type { BenchRow } from '../bench-row.ts'
import { median, withFolder } from '../storage-worker/bench-archive.ts'
import { makeEndlessBlocks } from './endless-blocks.ts'

/*
 * Question: does memory stay where it is, however long a sidecar works as hard as it can? Input: a chain without end, one
 * full period in eight, for MASSA_STORAGE_BENCH_MINUTES (default 1; 10 is what the goal speaks of), made in this process
 * and archived in another, whose RssAnon is read every second. Baselines: the goal, the same process before its first
 * block (some 30 MB of it are the loader that runs the benchmark from its sources), and the first third. What grows over 10 minutes would end a
 * sidecar within days.
 */

const MINUTES = Number(process.env.MASSA_STORAGE_BENCH_MINUTES ?? 1)
const SAMPLE_MS = 1_000
/** Heaps and write buffers fill up first. */
const WARM_UP_SHARE = 0.25
const MAX_MB = 300
const MAX_GROWTH = 1.05

export async function run(): Promise<BenchRow[]> {
  const { idle, samples, periods } = await withFolder(measure)
  const warm = samples.slice(Math.floor(samples.length * WARM_UP_SHARE))
  const third = Math.floor(warm.length / 3)
  const first = median(warm.slice(0, third))
  const last = median(warm.slice(-third))
  const peak = Math.max(...samples)
  const time = `${MINUTES} min at full speed, ${periods} periods`
  return [
    {
      question: `anonymous memory while ingesting for ${time}`,
      measured: `${peak.toFixed(0)} MB at most, ${median(warm).toFixed(0)} MB mostly`,
      baseline: `${MAX_MB} MB; ${idle.toFixed(0)} MB before the first block`,
      ratio: peak / MAX_MB,
      goal: '<= 1',
      holds: peak <= MAX_MB,
    },
    {
      question: `growth of anonymous memory while ingesting for ${time}`,
      measured: `${last.toFixed(0)} MB in the last third`,
      baseline: `${first.toFixed(0)} MB in the first third after warming up`,
      ratio: last / first,
      goal: `<= ${MAX_GROWTH}`,
      holds: last / first <= MAX_GROWTH,
    },
  ]
}

async function measure(folder: string): Promise<{ idle: number; samples: number[]; periods: number }> {
  const child = fork(fileURLToPath(new URL('./ingest-child.ts', import.meta.url)), [join(folder, 'data')], {
    stdio: ['pipe', 'inherit', 'inherit', 'ipc'],
  })
  const ended = once(child, 'exit')
  // Ready: it is told before the first block.
  await Promise.race([once(child, 'message'), ended])
  const idle = (await readMemory(child)) ?? Number.NaN
  let periods = 0
  child.on('message', () => periods++)
  const samples: number[] = []
  const sampling = new AbortController()
  const sampler = takeSamples(child, samples, sampling.signal)
  const endMs = performance.now() + MINUTES * 60_000
  for await (const block of makeEndlessBlocks()) {
    // A period that was begun is ended: it would never be decided.
    if (block.slot.thread === 0 && performance.now() >= endMs) break
    if (child.stdin && !child.stdin.write(encodeBlocks([block])))
      await Promise.race([once(child.stdin, 'drain'), ended])
    if (child.exitCode !== null) break
  }
  sampling.abort()
  await sampler
  child.stdin?.end()
  const [code] = await ended
  if (code !== 0) throw new Error(`the ingesting process ended with ${code}`)
  return { idle, samples, periods }
}

async function takeSamples(child: ChildProcess, into: number[], signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const sample = await readMemory(child)
    if (sample !== undefined) into.push(sample)
    await sleep(SAMPLE_MS, undefined, { signal }).catch(() => undefined)
  }
}

/** RssAnon in MB. */
async function readMemory({ pid }: ChildProcess): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  const kib = /^RssAnon:\s+(\d+)/m.exec(status)?.[1]
  return kib === undefined ? undefined : (Number(kib) * 1024) / 1e6
}
