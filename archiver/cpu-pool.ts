import { setImmediate as nextTurn } from 'node:timers/promises'
import { Piscina } from 'piscina'
import {
  type ArchivedPeriod,
  ArchiveError,
  concatBytes,
  type ErrorCode,
  type Network,
  type Slot,
} from '../core/index.ts'
import { Lane } from './lane.ts'
import { cutPeriod, type DecidedPeriod, type IdentifiedChunk, joinPeriod } from './period-encoder.ts'
import { SIGNATURE_ENTRY_BYTES } from './signature-list.ts'
import type { VerifiedBlock } from './verify-block.ts'
import type { SealedRecord, VerifiedRecord } from './verify-record.ts'

export interface VerifyBlockJob {
  readonly filledBlock: Uint8Array
  readonly chainId: bigint
  readonly expectedId?: string
}

export type VerifyBlockResult =
  | { readonly block: VerifiedBlock; readonly refused?: never }
  | { readonly refused: { readonly code: ErrorCode; readonly message: string }; readonly block?: never }

/** Several small blocks travel together: waking a thread and being woken costs as much as verifying two signatures. */
export interface VerifyBlocksJob {
  readonly jobs: readonly VerifyBlockJob[]
}

export interface EncodePeriodJob {
  readonly decided: DecidedPeriod
  readonly chunkSizeBytes: number
}

/** Blocks of BODY, with their seals: `bytes` are record and seals of each, one behind the other. */
export interface VerifyRecordsJob {
  readonly network: Network
  readonly places: readonly { readonly slot: Slot; readonly recordBytes: number; readonly sealsBytes: number }[]
  readonly bytes: Uint8Array
}

export type VerifyRecordsResult =
  | { readonly records: readonly VerifiedRecord[]; readonly refused?: never }
  | { readonly refused: { readonly code: ErrorCode; readonly message: string }; readonly records?: never }

/** What nobody waits for: it never takes all threads from the work of archiving. */
export interface BackgroundCpuWork {
  /** In their order. @throws what `verifyRecord` throws */
  verifyRecords(records: readonly SealedRecord[], network: Network): Promise<readonly VerifiedRecord[]>
}

/** The CPU-bound work of archiving, wherever it runs. */
export interface CpuWork {
  /** @throws what `verifyFilledBlock` throws */
  verifyBlock(job: VerifyBlockJob): Promise<VerifiedBlock>
  encodePeriod(job: EncodePeriodJob): Promise<ArchivedPeriod>
}

/** Larger ones go alone: there are enough signatures in them. */
const GROUPED_BLOCK_BYTES = 32_768
/** 20 ms of work at most, which is how long others may wait for it. */
const MAX_GROUP_BLOCKS = 8
/** 200 signatures, or a block that has more. */
const MAX_GROUP_SIGNATURES = 200
const MAX_GROUP_SEAL_BYTES = MAX_GROUP_SIGNATURES * 64
/** What stands around a chunk in the answer that brought it. */
const MAX_BESIDE_CHUNK_BYTES = 1_024
/** Per thread: one in work, and one that it finds when it is done. */
const GROUPS_PER_THREAD = 2

interface WaitingBlock {
  readonly job: VerifyBlockJob
  readonly resolve: (block: VerifiedBlock) => void
  readonly reject: (error: unknown) => void
}

/** Worker threads for signatures and hashes; idle threads end by themselves. */
export class CpuPool implements CpuWork, BackgroundCpuWork {
  private readonly pool: Piscina
  private readonly threads: number
  private readonly waiting: WaitingBlock[] = []
  private groupsInWork = 0
  private readonly background: Lane

  constructor(options: { readonly threads: number }) {
    // The worker is the sibling of this file, as source under tsx and as JavaScript when built.
    const worker = import.meta.url.endsWith('.ts') ? './cpu-worker.ts' : './cpu-worker.js'
    this.threads = options.threads
    this.background = new Lane(Math.max(1, options.threads - 1))
    this.pool = new Piscina({
      filename: new URL(worker, import.meta.url).href,
      minThreads: 1,
      maxThreads: options.threads,
      idleTimeout: 30_000,
      // V8 would let each thread grow to gigabytes before it collects: blocks are under 1 MB.
      resourceLimits: { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 4 },
    })
    // `close` waits for it: V8 of Node 22 ends the process when a thread is ended while its modules load.
    this.pool.run({ jobs: [] }, { name: 'verifyBlocks' }).catch(() => undefined)
  }

  verifyBlock(job: VerifyBlockJob): Promise<VerifiedBlock> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ job, resolve, reject })
      this.dispatch()
    })
  }

  /** The same as the function of this name, chunk by chunk: nothing of 10 MB is made, nor copied in one go. */
  async encodePeriod({ decided, chunkSizeBytes }: EncodePeriodJob): Promise<ArchivedPeriod> {
    const identified: Promise<IdentifiedChunk>[] = []
    for (const chunk of cutPeriod(decided, chunkSizeBytes)) {
      const promise: Promise<IdentifiedChunk> = this.pool.run(chunk, {
        name: 'identifyChunk',
        transferList: [chunk.buffer as ArrayBuffer],
      })
      // Heard below, when all are on their way.
      promise.catch(() => undefined)
      identified.push(promise)
      await nextTurn()
    }
    return joinPeriod(decided, await Promise.all(identified))
  }

  async verifyRecords(records: readonly SealedRecord[], network: Network): Promise<readonly VerifiedRecord[]> {
    const groups = groupRecords(records).map((group) =>
      this.background.run(() => this.verifyRecordGroup(group, network)),
    )
    return (await settleAll(groups)).flat()
  }

  /** Background work, the same as `findForgedSignature`. */
  async findForged(list: Uint8Array): Promise<number> {
    const groupBytes = MAX_GROUP_SIGNATURES * SIGNATURE_ENTRY_BYTES
    const groups = Array.from({ length: Math.ceil(list.length / groupBytes) }, (_, i) =>
      list.slice(i * groupBytes, (i + 1) * groupBytes),
    )
    const found = await settleAll(
      groups.map((group) => {
        const transferList = [group.buffer as ArrayBuffer]
        return this.background.run((): Promise<number> => this.pool.run(group, { name: 'findForged', transferList }))
      }),
    )
    const group = found.findIndex((place) => place !== -1)
    return group === -1 ? -1 : group * MAX_GROUP_SIGNATURES + (found[group] ?? 0)
  }

  /** Background work. The memory of `chunk` is handed over, unless much else may be in it, and comes back with the id. */
  identifyChunk(chunk: Uint8Array): Promise<IdentifiedChunk> {
    const own = chunk.buffer.byteLength - chunk.length <= MAX_BESIDE_CHUNK_BYTES ? chunk : chunk.slice()
    const transferList = [own.buffer as ArrayBuffer]
    return this.background.run(() => this.pool.run(own, { name: 'identifyChunk', transferList }))
  }

  async close(): Promise<void> {
    await this.pool.close()
  }

  private async verifyRecordGroup(
    group: readonly SealedRecord[],
    network: Network,
  ): Promise<readonly VerifiedRecord[]> {
    const bytes = concatBytes(...group.flatMap(({ record, seals }) => [record, seals]))
    const places = group.map(({ slot, record, seals }) => {
      return { slot, recordBytes: record.length, sealsBytes: seals.length }
    })
    const job: VerifyRecordsJob = { network, places, bytes }
    const result: VerifyRecordsResult = await this.pool.run(job, {
      name: 'verifyRecords',
      transferList: [bytes.buffer as ArrayBuffer],
    })
    if (result.refused) throw new ArchiveError(result.refused.code, result.refused.message)
    return result.records
  }

  /** Handed over as a copy: a message is a part of what the network brought, and is kept for the case of a refusal. */
  private verifyAlone(job: VerifyBlockJob): Promise<VerifyBlockResult[]> {
    const filledBlock = new Uint8Array(job.filledBlock)
    return this.pool.run(
      { jobs: [{ ...job, filledBlock }] },
      { name: 'verifyBlocks', transferList: [filledBlock.buffer] },
    )
  }

  /** Nothing waits for company: groups form of what comes while all threads are at work. */
  private dispatch(): void {
    while (this.waiting.length > 0 && this.groupsInWork < this.threads * GROUPS_PER_THREAD) {
      const group = this.takeGroup()
      this.groupsInWork++
      void this.verifyGroup(group).finally(() => {
        this.groupsInWork--
        this.dispatch()
      })
    }
  }

  private takeGroup(): WaitingBlock[] {
    // Shared between the threads that have nothing to do; when all are at work, the next that is done takes them together.
    const idle = Math.max(1, this.threads - this.groupsInWork)
    const most = Math.min(MAX_GROUP_BLOCKS, Math.ceil(this.waiting.length / idle))
    const large = this.waiting.findIndex(({ job }) => job.filledBlock.length > GROUPED_BLOCK_BYTES)
    return this.waiting.splice(0, large === -1 ? most : Math.max(1, Math.min(most, large)))
  }

  private async verifyGroup(group: readonly WaitingBlock[]): Promise<void> {
    let results: VerifyBlockResult[]
    try {
      const [only] = group
      results =
        group.length === 1 && only && only.job.filledBlock.length > GROUPED_BLOCK_BYTES
          ? await this.verifyAlone(only.job)
          : await this.pool.run({ jobs: group.map(({ job }) => job) }, { name: 'verifyBlocks' })
    } catch (error) {
      // A thread that died says not of which block: each alone does.
      if (group.length > 1) for (const block of group) await this.verifyGroup([block])
      else for (const { reject } of group) reject(error)
      return
    }
    for (const [i, { resolve, reject }] of group.entries()) {
      const result = results[i]
      if (result?.block) resolve(result.block)
      else if (result?.refused) reject(new ArchiveError(result.refused.code, result.refused.message))
      else reject(new Error('a worker thread left a block out'))
    }
  }
}

/** So many signatures at a time that whoever comes behind waits 20 ms, unless one block has more. */
function groupRecords(records: readonly SealedRecord[]): SealedRecord[][] {
  const groups: SealedRecord[][] = []
  let sealBytes = Number.POSITIVE_INFINITY
  for (const record of records) {
    if (sealBytes + record.seals.length > MAX_GROUP_SEAL_BYTES) {
      groups.push([])
      sealBytes = 0
    }
    groups.at(-1)?.push(record)
    sealBytes += record.seals.length
  }
  return groups
}

/** All have ended, whatever becomes of them. @throws the first failure */
async function settleAll<T>(tasks: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(tasks)
  return Promise.all(tasks)
}
