import {
  computeGenesisBlock,
  parseOperationId,
  RawFilledBlockCodec,
  slotIndex,
  slotOfIndex,
  THREAD_COUNT,
} from '../../core/index.ts'
import { encodeFilledBlock, type MadeOperation, makeKey, signBlock } from '../../devnet/index.ts'
import { type BenchBlock, makeBenchBlocks } from '../archiver/bench-blocks.ts'
import { FULL_CHAIN } from '../archiver/ingest.ts'

/** A full period, then quiet ones. */
const CYCLE_PERIODS = 8
const QUIET_OPERATIONS = 10

/**
 * A chain without end, made faster than it can be verified: the operations of one full period come again and again,
 * and only headers are signed anew.
 */
export async function* makeEndlessBlocks(): AsyncGenerator<BenchBlock> {
  const made = await makeBenchBlocks({ ...FULL_CHAIN, periods: 2 })
  const operations = made.slice(0, THREAD_COUNT).map(({ message, slot }) => readOperations(message, slot.thread))
  const producer = makeKey('endless')
  const parents = Array.from({ length: THREAD_COUNT }, (_, thread) => computeGenesisBlock({ period: 0, thread }).id)
  for (let index = slotIndex({ period: 1, thread: 0 }); ; index++) {
    const slot = slotOfIndex(index)
    const all = operations[slot.thread] ?? []
    const content = slot.period % CYCLE_PERIODS === 1 ? all : all.slice(0, QUIET_OPERATIONS)
    const block = signBlock(producer, { slot, parents: [...parents] }, content)
    parents[slot.thread] = block.idBytes
    yield { slot, id: block.id, message: encodeFilledBlock(block) }
  }
}

function readOperations(filledBlock: Uint8Array, thread: number): MadeOperation[] {
  return (RawFilledBlockCodec.decode(filledBlock).operations ?? []).map(({ operationId = '', operation }) => ({
    id: parseOperationId(operationId),
    idText: operationId,
    message: operation ?? new Uint8Array(),
    thread,
  }))
}
