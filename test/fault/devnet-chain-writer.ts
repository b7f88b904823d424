import { writeSync } from 'node:fs'
import { slotIndex, THREAD_COUNT, toHex } from '../../core/index.ts'
import { type ChainBlock, openStoredChain } from '../../devnet/node/index.ts'
import { pass } from '../devnet/node/chain/made-chain.ts'
import { KILLED_CHAIN, operationAfter } from './devnet-chain-acts.ts'

/*
 * Runs a devnet chain as fast as it goes, for ever.
 *
 * Argument: its directory. Says `B <slot index> <id> <operation ids>` for every block that is shown, `F <slot index>
 * <trail hash>` for every slot that is final, `O <id>` for an operation whose sender would be told that it is accepted.
 */

const chain = await openStoredChain(process.argv[2] ?? '', KILLED_CHAIN)
// The one before may have been killed when its last block was written, before it could say so.
const newest = Math.max(THREAD_COUNT, slotIndex(chain.lastSlot))
for (const block of chain.listBlocks(newest, newest + 1)) sayBlock(block)
chain.onBlockReceived(sayBlock)
chain.onSlotFinal(({ slotIndex: index, executionTrailHash }) => say(`F ${index} ${toHex(executionTrailHash)}`))
for (;;) {
  await pass(chain, 1)
  const operation = operationAfter(chain)
  if (!operation) continue
  const id = chain.accept(operation)
  // Sometimes the next slot begins before it is written.
  if (chain.lastSlot.thread % 2 === 0) void tell(id)
  else await tell(id)
}

async function tell(id: string): Promise<void> {
  await chain.written()
  say(`O ${id}`)
}

function sayBlock({ slotIndex: index, id, operationIds }: ChainBlock): void {
  say(`B ${index} ${id} ${operationIds.join(',')}`)
}

function say(line: string): void {
  writeSync(1, `${line}\n`)
}
