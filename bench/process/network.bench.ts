import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { findPackageRoot } from '../../config/index.ts'
import type { BenchRow } from '../bench-row.ts'
import { withFolder } from '../storage-worker/bench-archive.ts'

/*
 * Question: what does a whole network cost on one machine? Input: `devnet up` with 4 sidecars, as `npm start` runs it; then
 * in turbo for MASSA_STORAGE_BENCH_MINUTES (default 1), then at speed 1. Baselines: the goals; for the start, the same
 * network with one sidecar in the same run.
 */

const SIDECARS = 4
const MINUTES = Number(process.env.MASSA_STORAGE_BENCH_MINUTES ?? 1)
const MAX_START_SECONDS = 60
const MIN_PERIODS_PER_MINUTE = 60
const MAX_GB = 1.5
const MAX_IDLE_SHARE = 0.6
/** Ticks a second of /proc/PID/stat, on every Linux. */
const CLOCK_TICKS = 100
/** After a change of speed, until waiting work is done. */
const SETTLE_MS = 15_000

interface Started {
  readonly child: ChildProcess
  /** Seconds from the start of the process to each step. */
  readonly steps: ReadonlyMap<string, number>
  /** Last periods of the sidecars, newest report. */
  lasts(): number[]
}

export async function run(): Promise<BenchRow[]> {
  const alone = await withFolder((folder) => measureStart(folder, 1))
  const { steps, perMinute, turboMb, turboRssMb, idleShare } = await withFolder(measureNetwork)
  const shape = (seconds: ReadonlyMap<string, number>) =>
    ['node', 'wallets', 'registry', 'archived', 'registered'].map((step) => `${step} ${at(seconds, step)}`).join(', ')
  const archived = steps.get('archived') ?? Number.NaN
  const called = steps.get('called') ?? Number.NaN
  return [
    {
      question: `\`devnet up\` until ${SIDECARS} sidecars have archived a period`,
      measured: `${archived.toFixed(1)} s (${shape(steps)})`,
      baseline: `${MAX_START_SECONDS} s; ${at(alone, 'archived')} s with 1 sidecar`,
      ratio: archived / MAX_START_SECONDS,
      goal: '<= 1',
      holds: archived <= MAX_START_SECONDS,
    },
    {
      question: `\`devnet up\` with ${SIDECARS} sidecars until the first contract call is final`,
      measured: `${called.toFixed(1)} s`,
      baseline: `${MAX_START_SECONDS} s; ${at(alone, 'called')} s with 1 sidecar`,
      ratio: called / MAX_START_SECONDS,
      goal: '<= 1',
      holds: called <= MAX_START_SECONDS,
    },
    {
      question: `turbo with ${SIDECARS} sidecars, ${MINUTES} min`,
      measured: `${perMinute.toFixed(0)} periods a minute, archived by all`,
      baseline: `${MIN_PERIODS_PER_MINUTE} periods a minute`,
      ratio: perMinute / MIN_PERIODS_PER_MINUTE,
      goal: '>= 1',
      holds: perMinute >= MIN_PERIODS_PER_MINUTE,
    },
    {
      question: `resident memory of the whole network after ${MINUTES} min in turbo`,
      measured: `${(turboMb / 1000).toFixed(2)} GB (${(turboRssMb / 1000).toFixed(2)} with what processes share counted in each)`,
      baseline: `${MAX_GB} GB`,
      ratio: turboMb / 1000 / MAX_GB,
      goal: '<= 1',
      holds: turboMb / 1000 <= MAX_GB,
    },
    {
      question: `CPU of the whole network with ${SIDECARS} sidecars at speed 1`,
      measured: `${(idleShare * 100).toFixed(0)} % of a core`,
      baseline: `${MAX_IDLE_SHARE * 100} % of a core`,
      ratio: idleShare / MAX_IDLE_SHARE,
      goal: '<= 1',
      holds: idleShare <= MAX_IDLE_SHARE,
    },
  ]
}

function at(steps: ReadonlyMap<string, number>, step: string): string {
  return (steps.get(step) ?? Number.NaN).toFixed(1)
}

async function measureStart(folder: string, sidecars: number): Promise<ReadonlyMap<string, number>> {
  const { child, steps } = await start(folder, sidecars)
  await end(child)
  return steps
}

async function measureNetwork(folder: string) {
  const { child, steps, lasts } = await start(folder, SIDECARS)
  try {
    await control(folder, { speed: 'turbo' })
    await sleep(SETTLE_MS)
    const before = Math.min(...lasts())
    const startedMs = performance.now()
    await sleep(MINUTES * 60_000)
    const perMinute = ((Math.min(...lasts()) - before) * 60_000) / (performance.now() - startedMs)
    const family = listFamily(child)
    const turboMb = sum(family.map((pid) => readMemoryMb(pid, 'Pss')))
    const turboRssMb = sum(family.map((pid) => readMemoryMb(pid, 'Rss')))
    await control(folder, { speed: 1 })
    await sleep(SETTLE_MS)
    const idleStartMs = performance.now()
    const idleTicks = sum(listFamily(child).map(readCpuTicks))
    await sleep(30_000)
    const busyMs = ((sum(listFamily(child).map(readCpuTicks)) - idleTicks) * 1000) / CLOCK_TICKS
    return { steps, perMinute, turboMb, turboRssMb, idleShare: busyMs / (performance.now() - idleStartMs) }
  } finally {
    await end(child)
  }
}

/** Resolves when the network is ready. */
async function start(folder: string, sidecars: number): Promise<Started> {
  const args = ['devnet', 'up', '-n', `${sidecars}`, '--auto-ports', '--data-dir', join(folder, 'net'), '--json']
  const startedMs = performance.now()
  const child = spawn(process.execPath, [BIN, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const steps = new Map<string, number>()
  let lasts: number[] = []
  await new Promise<void>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`devnet up ended with ${code}`)))
    if (!child.stdout) return reject(new Error('no output'))
    createInterface({ input: child.stdout }).on('line', (line) => {
      const event = JSON.parse(line)
      if (event.event === 'step') steps.set(event.step, (performance.now() - startedMs) / 1000)
      if (event.event === 'ready') resolve()
      if (event.event === 'report') {
        lasts = event.sidecars.map(({ archived }: { archived: { last: number } | null }) => archived?.last ?? -1)
      }
    })
  })
  return { child, steps, lasts: () => lasts }
}

const BIN = join(findPackageRoot(), 'bin', 'massa-storage.js')

async function control(folder: string, values: object): Promise<void> {
  const args = ['devnet', 'control', 'speed', JSON.stringify(values), '--data-dir', join(folder, 'net')]
  const [code] = await once(spawn(process.execPath, [BIN, ...args], { stdio: 'ignore' }), 'exit')
  if (code !== 0) throw new Error(`devnet control ended with ${code}`)
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
}

/** The process and all that it started. */
function listFamily({ pid = 0 }: ChildProcess): number[] {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    if (/^\d+$/.test(name)) parents.set(Number(name), Number(readStat(Number(name))[1]))
  }
  const family = [pid]
  for (let i = 0; i < family.length; i++) {
    for (const [child, parent] of parents) if (parent === family[i]) family.push(child)
  }
  return family
}

/** Fields behind the name: state, parent, ... */
function readStat(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
  } catch {
    // Ended meanwhile.
    return []
  }
}

function readCpuTicks(pid: number): number {
  const fields = readStat(pid)
  return Number(fields[11] ?? 0) + Number(fields[12] ?? 0)
}

/** Resident memory; `Pss`: pages of the program and of files, which processes share, count once in the sum of all. */
function readMemoryMb(pid: number, kind: 'Pss' | 'Rss'): number {
  try {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
    return (Number(new RegExp(`^${kind}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) * 1024) / 1e6
  } catch {
    return 0
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
