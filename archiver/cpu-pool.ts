import { Piscina } from 'piscina'
import { type ArchivedPeriod, ArchiveError, type ErrorCode } from '../core/index.ts'
import type { DecidedPeriod } from './period-encoder.ts'
import type { VerifiedBlock } from './verify-block.ts'

export interface VerifyBlockJob {
  readonly filledBlock: Uint8Array
  readonly chainId: bigint
  readonly expectedId?: string
}

export type VerifyBlockResult =
  | { readonly block: VerifiedBlock; readonly refused?: never }
  | { readonly refused: { readonly code: ErrorCode; readonly message: string }; readonly block?: never }

export interface EncodePeriodJob {
  readonly decided: DecidedPeriod
  readonly chunkSizeBytes: number
}

/** The CPU-bound work of archiving, wherever it runs. */
export interface CpuWork {
  /** @throws what `verifyFilledBlock` throws */
  verifyBlock(job: VerifyBlockJob): Promise<VerifiedBlock>
  encodePeriod(job: EncodePeriodJob): Promise<ArchivedPeriod>
}

/** Worker threads for signatures and hashes; idle threads end by themselves. */
export class CpuPool implements CpuWork {
  private readonly pool: Piscina

  constructor(options: { readonly threads: number }) {
    // The worker is the sibling of this file, as source under tsx and as JavaScript when built.
    const worker = import.meta.url.endsWith('.ts') ? './cpu-worker.ts' : './cpu-worker.js'
    this.pool = new Piscina({
      filename: new URL(worker, import.meta.url).href,
      minThreads: 1,
      maxThreads: options.threads,
      idleTimeout: 30_000,
      // V8 would let each thread grow to gigabytes before it collects: blocks are under 1 MB.
      resourceLimits: { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 16 },
    })
  }

  async verifyBlock(job: VerifyBlockJob): Promise<VerifiedBlock> {
    const result: VerifyBlockResult = await this.pool.run(job, { name: 'verifyBlock' })
    if (result.refused) throw new ArchiveError(result.refused.code, result.refused.message)
    return result.block
  }

  encodePeriod(job: EncodePeriodJob): Promise<ArchivedPeriod> {
    return this.pool.run(job, { name: 'encodePeriod' })
  }

  async close(): Promise<void> {
    await this.pool.close()
  }
}
