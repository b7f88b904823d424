import { move, transferableSymbol, valueSymbol } from 'piscina'
import { isArchiveError } from '../core/index.ts'
import type {
  VerifyBlockJob,
  VerifyBlockResult,
  VerifyBlocksJob,
  VerifyRecordsJob,
  VerifyRecordsResult,
} from './cpu-pool.ts'
import { type IdentifiedChunk, identifyChunk as identify } from './period-encoder.ts'
import { verifyFilledBlock } from './verify-block.ts'
import { verifyRecord } from './verify-record.ts'

export { findForgedSignature as findForged } from './signature-list.ts'

/*
 * What runs in worker threads: a block full of transfers takes a quarter of a second to verify, a full period 50 ms to
 * hash, and the event loop must keep answering meanwhile. Refusals travel as data: threads flatten error classes.
 */

/** Below this, cloning is cheaper than handing the memory over. */
const MOVE_FROM_BYTES = 65_536

export function verifyBlocks({ jobs }: VerifyBlocksJob): VerifyBlockResult[] {
  const results = jobs.map(verifyBlock)
  const bytes = results.flatMap(({ block }) => (block ? [block.record, block.seals] : []))
  return handOver(results, bytes)
}

function verifyBlock({ filledBlock, chainId, expectedId }: VerifyBlockJob): VerifyBlockResult {
  try {
    return { block: verifyFilledBlock(filledBlock, chainId, expectedId) }
  } catch (error) {
    if (!isArchiveError(error)) throw error
    return { refused: { code: error.code, message: error.message } }
  }
}

/** In one piece of memory: the job brings it, and it is not needed any more. */
export function verifyRecords({ network, places, bytes }: VerifyRecordsJob): VerifyRecordsResult {
  let at = 0
  const take = (lengthBytes: number): Uint8Array => {
    at += lengthBytes
    return bytes.subarray(at - lengthBytes, at)
  }
  try {
    const records = places.map(({ slot, recordBytes, sealsBytes }) =>
      verifyRecord({ slot, record: take(recordBytes), seals: take(sealsBytes) }, network),
    )
    return { records }
  } catch (error) {
    if (!isArchiveError(error)) throw error
    return { refused: { code: error.code, message: error.message } }
  }
}

export function identifyChunk(chunk: Uint8Array): IdentifiedChunk {
  return handOver(identify(chunk), [chunk])
}

function handOver<T extends object>(value: T, bytes: readonly Uint8Array[]): T {
  const large = bytes.filter(({ byteLength }) => byteLength >= MOVE_FROM_BYTES).map(({ buffer }) => buffer)
  if (large.length === 0) return value
  const moved = { [transferableSymbol]: large, [valueSymbol]: value }
  return move(moved as never) as unknown as T
}
