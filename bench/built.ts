/*
 * What ships: the rooms as they are built. Sources run through a loader, which worker threads do not have.
 */

const load = (path: string) => import(new URL(`../dist/${path}`, import.meta.url).href)

export const { Archiver, CpuPool } = (await load('archiver/index.js')) as typeof import('../archiver/index.ts')
export const { MessagesInHand } = (await load(
  'archiver/messages-in-hand.js',
)) as typeof import('../archiver/messages-in-hand.ts')
export const { openHistory, openStore } = (await load(
  'storage-worker/index.js',
)) as typeof import('../storage-worker/index.ts')
export const { HistorySync } = (await load(
  'storage-worker/history/history-sync.js',
)) as typeof import('../storage-worker/history/history-sync.ts')
export const { createLogger } = (await load('telemetry/index.js')) as typeof import('../telemetry/index.ts')
export const { systemClock } = (await load('daemon/system-clock.js')) as typeof import('../daemon/system-clock.ts')
