import type { HistoryChunk } from './history.ts'

/** Whether a chunk is among the share of all that its id decides. */
export function isAmong(share: number, { chunkId }: HistoryChunk): boolean {
  return ((chunkId[0] ?? 0) << 8) + (chunkId[1] ?? 0) < share * 65_536
}
