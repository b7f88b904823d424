import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ArchivedPeriod, StoreIdentity } from '../../core/index.ts'
import { openStore, type Store } from '../../storage-worker/index.ts'
import { makePeriod } from '../../test/storage-worker/synthetic-period.ts'

export const BENCH_IDENTITY: StoreIdentity = {
  network: { chainId: 77n, genesisTimestampMs: 1_795_246_964_000n },
  chunkSizeBytes: 1_048_576,
}

/** 32 blocks of 300 kB: the most that a period can hold. */
export const FULL_PERIOD = { identity: BENCH_IDENTITY, blocks: 32, operations: 30, operationBytes: 10_000 } as const
/** What quiet mainnet makes: 90 kB. */
export const QUIET_PERIOD = { identity: BENCH_IDENTITY, blocks: 27, operations: 10, operationBytes: 180 } as const

export type Shape = typeof FULL_PERIOD | typeof QUIET_PERIOD

export async function withFolder<T>(task: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'massa-storage-bench-'))
  try {
    return await task(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

export function openBenchStore(dataDir: string): Promise<Store> {
  return openStore({ dataDir, identity: BENCH_IDENTITY })
}

export function makePeriods(count: number, shape: Shape): ArchivedPeriod[] {
  return Array.from({ length: count }, (_, i) => makePeriod(i + 1, shape))
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
