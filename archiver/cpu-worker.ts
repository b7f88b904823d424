import { move, transferableSymbol, valueSymbol } from 'piscina'
import { type ArchivedPeriod, isArchiveError } from '../core/index.ts'
import type { EncodePeriodJob, VerifyBlockJob, VerifyBlockResult, VerifyBlocksJob } from './cpu-pool.ts'
import { encodePeriod as encode } from './period-encoder.ts'
import { verifyFilledBlock } from './verify-block.ts'

/*
 * What runs in worker threads: a block full of transfers takes a quarter of a second to verify, a full period 50 ms to
 * hash, and the event loop must keep answering meanwhile. Refusals travel as data: threads flatten error classes.
 */

/** Below this, cloning is cheaper than handing the memory over. */
const MOVE_FROM_BYTES = 65_536

export function verifyBlocks({ jobs }: VerifyBlocksJob): VerifyBlockResult[] {
  const results = jobs.map(verifyBlock)
  // Large blocks come alone.
  return results.length === 1 ? handOver(results, results[0]?.block?.record) : results
}

function verifyBlock({ filledBlock, chainId, expectedId }: VerifyBlockJob): VerifyBlockResult {
  try {
    return { block: verifyFilledBlock(filledBlock, chainId, expectedId) }
  } catch (error) {
    if (!isArchiveError(error)) throw error
    return { refused: { code: error.code, message: error.message } }
  }
}

export function encodePeriod({ decided, chunkSizeBytes }: EncodePeriodJob): ArchivedPeriod {
  const period = encode(decided, chunkSizeBytes)
  // All chunks are views of one buffer: handing it over hands over them all.
  return handOver(period, period.chunks[0])
}

function handOver<T extends object>(value: T, bytes: Uint8Array | undefined): T {
  if (bytes === undefined || bytes.byteLength < MOVE_FROM_BYTES) return value
  const moved = { [transferableSymbol]: [bytes.buffer], [valueSymbol]: value }
  return move(moved as never) as unknown as T
}
