import type { SlotExecution } from '../../../archiver/index.ts'
import { slotIndex, THREAD_COUNT } from '../../../core/index.ts'
import { BLOCK_STATUS } from '../../../devnet/index.ts'
import type { DevnetChain } from '../../../devnet/node/index.ts'
import { type MadeArchive, type MadeSlot, makeArchive } from './made-archive.ts'

/** Archives the final periods of a devnet chain that it still has whole. */
export async function archiveChain(chain: DevnetChain): Promise<MadeArchive> {
  const blocks = chain.listBlocks(0, slotIndex(chain.finalSlot) + 1).filter((block) => isFinal(chain, block))
  const slots = new Map<number, MadeSlot>()
  for (const block of blocks) slots.set(block.slotIndex, { filledBlock: block.encodeFilled() })
  const newest = chain.finalSlot.thread === THREAD_COUNT - 1 ? chain.finalSlot.period : chain.finalSlot.period - 1
  // Of the oldest some blocks are gone, and genesis is made anew by everybody.
  const oldest = Math.max(1, Math.floor(Math.min(...slots.keys()) / THREAD_COUNT) + 1)
  const periods = Array.from({ length: newest - oldest + 1 }, (_, i) => oldest + i)
  for (let index = oldest * THREAD_COUNT; index < (newest + 1) * THREAD_COUNT; index++) {
    slots.set(index, { ...slots.get(index), execution: describeExecution(chain, index) })
  }
  const network = { chainId: chain.chainId, genesisTimestampMs: BigInt(chain.genesisTimestampMs) }
  return makeArchive(network, periods, slots)
}

function isFinal(chain: DevnetChain, block: { readonly id: string }): boolean {
  return chain.blockStatus(block as Parameters<DevnetChain['blockStatus']>[0]) === BLOCK_STATUS.final
}

function describeExecution(chain: DevnetChain, index: number): SlotExecution {
  const executed = [...chain.operations.values()].filter(({ inclusion }) => inclusion?.slotIndex === index)
  return {
    source: 'stream',
    complete: true,
    trailHash: '',
    outcomes: executed.map(({ id, inclusion }) => ({
      operationId: id,
      outcome: inclusion?.success ? 'success' : 'failed',
    })),
    events: chain.events
      .filter(({ event }) => slotIndex(event.slot) === index)
      .map(({ event }) => ({
        indexInSlot: event.indexInSlot,
        callStack: event.callStack,
        operationId: event.originOperationId ?? '',
        failed: event.isError,
        data: Buffer.from(event.data),
      })),
  }
}
