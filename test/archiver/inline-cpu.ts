import { createHash } from 'node:crypto'
import type { BackgroundCpuWork, VerifyBlockJob } from '../../archiver/cpu-pool.ts'
import { type CpuWork, encodePeriod } from '../../archiver/index.ts'
import { type VerifiedBlock, verifyFilledBlock } from '../../archiver/verify-block.ts'
import { verifyRecord } from '../../archiver/verify-record.ts'

/** Larger ones are few, and made for one test each. */
const MAX_REMEMBERED_BLOCK_BYTES = 65_536

const verified = new Map<string, VerifiedBlock>()

/**
 * The work of the threads, in this one. A block that verified once in this process verifies again without its signatures:
 * most tests follow the same chain.
 */
export const inlineCpu: CpuWork & BackgroundCpuWork = {
  verifyBlock: async (job) => {
    if (job.filledBlock.length > MAX_REMEMBERED_BLOCK_BYTES) return verifyAnew(job)
    const key = `${job.chainId} ${job.expectedId} ${createHash('sha256').update(job.filledBlock).digest('hex')}`
    const known = verified.get(key) ?? verifyAnew(job)
    verified.set(key, known)
    // As from a thread: whoever changes the bytes changes his own.
    return { ...known, record: known.record.slice(), seals: known.seals.slice() }
  },
  encodePeriod: async ({ decided, chunkSizeBytes }) => encodePeriod(decided, chunkSizeBytes),
  verifyRecords: async (records, network) => records.map((record) => verifyRecord(record, network)),
}

function verifyAnew({ filledBlock, chainId, expectedId }: VerifyBlockJob): VerifiedBlock {
  return verifyFilledBlock(filledBlock, chainId, expectedId)
}
