import { executionFromOutput, type SlotExecution } from '../../../archiver/execution-results.ts'
import {
  EXECUTION_STATUS_FINAL,
  NewFilledBlocksResponseCodec,
  NewSlotExecutionOutputsResponseCodec,
  type Period,
  RawFilledBlockCodec,
  SignedBlockHeaderCodec,
  slotFromProtobuf,
  slotIndex,
} from '../../../core/index.ts'
import { readRecordingFile, readRecordingMessages } from '../../../devnet/replay/recording.ts'
import { RECORDINGS } from '../../devnet/fixture.ts'
import { type MadeArchive, type MadeSlot, makeArchive } from './made-archive.ts'

/** Of the node that the recording and test/fixtures/sandbox-jsonrpc are of. */
export const RECORDED_NETWORK = { chainId: 77n, genesisTimestampMs: 1_795_246_964_000n }

/** Periods of the recorded sandbox node, archived from its streams. */
export async function archiveRecorded(periods: readonly Period[]): Promise<MadeArchive> {
  const wanted = new Set(periods)
  const blocks = new Map<string, Uint8Array>()
  const finals = new Map<number, { readonly blockId: string | undefined; readonly execution: SlotExecution }>()
  for await (const message of readRecordingMessages(await readRecordingFile(RECORDINGS.replayed))) {
    if (message.kind !== 'stream') continue
    if (message.stream === 'NewFilledBlocksServer') {
      const filledBlock = NewFilledBlocksResponseCodec.decode(message.message).filledBlock ?? new Uint8Array(0)
      const header = SignedBlockHeaderCodec.decode(RawFilledBlockCodec.decode(filledBlock).header ?? new Uint8Array(0))
      if (wanted.has(slotFromProtobuf(header.content?.slot).period)) blocks.set(header.secureHash ?? '', filledBlock)
    } else {
      const { output } = NewSlotExecutionOutputsResponseCodec.decode(message.message)
      if (output?.status !== EXECUTION_STATUS_FINAL || !output.executionOutput) continue
      const slot = slotFromProtobuf(output.executionOutput.slot)
      if (!wanted.has(slot.period)) continue
      const { blockId } = output.executionOutput
      finals.set(slotIndex(slot), { blockId: blockId?.value, execution: executionFromOutput(output.executionOutput) })
    }
  }
  const slots = new Map<number, MadeSlot>()
  for (const [index, { blockId, execution }] of finals) {
    slots.set(index, { filledBlock: blockId === undefined ? undefined : blocks.get(blockId), execution })
  }
  return makeArchive(RECORDED_NETWORK, periods, slots)
}
