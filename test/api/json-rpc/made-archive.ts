import {
  encodeExecution,
  encodePeriod,
  encodePeriodExecutions,
  type SlotExecution,
  verifyFilledBlock,
} from '../../../archiver/index.ts'
import {
  CHUNK_SIZE_BYTES,
  concatBytes,
  type Network,
  type Period,
  slotIndex,
  THREAD_COUNT,
} from '../../../core/index.ts'
import { HistoryIndex } from '../../../storage-worker/history/history-index.ts'
import { HistorySync } from '../../../storage-worker/history/history-sync.ts'
import { HistoryReader, LevelChunkStore } from '../../../storage-worker/index.ts'
import { openMemoryLevel } from '../../storage-worker/temp-store.ts'

/** What became of a slot: a FilledBlock message, or none for a miss, and its execution. */
export interface MadeSlot {
  readonly filledBlock?: Uint8Array | undefined
  readonly execution?: SlotExecution | undefined
}

export interface MadeArchive {
  readonly network: Network
  readonly periods: readonly Period[]
  readonly history: HistoryReader
}

/** An archive in memory, with periods as the archiver encodes them and their index. @param slots - by slot index */
export async function makeArchive(
  network: Network,
  periods: readonly Period[],
  slots: ReadonlyMap<number, MadeSlot>,
): Promise<MadeArchive> {
  const levels = { bodies: await openMemoryLevel('bodies'), index: await openMemoryLevel('index') }
  const store = new LevelChunkStore({ network, chunkSizeBytes: CHUNK_SIZE_BYTES }, levels)
  for (const period of periods) {
    const made = Array.from({ length: THREAD_COUNT }, (_, thread) => slots.get(slotIndex({ period, thread })))
    const executions = made.flatMap(({ execution } = {}, thread) =>
      execution ? [[thread, encodeExecution(execution)] as const] : [],
    )
    const decided = {
      network,
      period,
      slots: made.map(({ filledBlock } = {}) => {
        if (!filledBlock) return { kind: 'miss' as const }
        return { kind: 'block' as const, ...verifyFilledBlock(filledBlock, network.chainId) }
      }),
      // Not signed.
      executionResults: concatBytes(encodePeriodExecutions(new Map(executions)), Uint8Array.of(0)),
    }
    await store.writePeriod(encodePeriod(decided, CHUNK_SIZE_BYTES))
  }
  const index = new HistoryIndex(await openMemoryLevel('history'))
  await new HistorySync({ store, index }).compare()
  return { network, periods, history: new HistoryReader({ store, index }) }
}
