import { encodePeriod } from '../../archiver/period-encoder.ts'
import { verifyFilledBlock } from '../../archiver/verify-block.ts'
import {
  type ArchivedPeriod,
  type BlockIdText,
  computeGenesisBlock,
  encodeBlockRecord,
  formatBlockId,
  type Period,
  parseBlockId,
  type SpooledBlock,
  type StoreIdentity,
  signGenesisBlock,
  THREAD_COUNT,
  toHex,
} from '../../core/index.ts'
import { encodeFilledBlock, type MadeChain, makeChain } from '../../devnet/index.ts'

/** Small chunks: several for each period although a period has few blocks. */
export const SIM_IDENTITY: StoreIdentity = {
  network: { chainId: 77n, genesisTimestampMs: 1_800_000_000_000n },
  chunkSizeBytes: 2_048,
}

/** Of 32 slots some six have a block. */
const MISS_RATE = 0.8

/**
 * What really happened: one chain for all simulations of a process, since making it takes longer than most of them.
 * Periods are encoded as they are asked for.
 */
export class SimChain {
  readonly lastPeriod: Period
  private readonly made: MadeChain
  private readonly blocks = new Map<Period, readonly SpooledBlock[]>()
  private readonly byId = new Map<string, SpooledBlock>()
  private readonly periods = new Map<Period, ArchivedPeriod>()
  /** By thread, ascending. */
  private readonly threads: readonly Period[][]

  constructor(periods: number) {
    const { network } = SIM_IDENTITY
    this.lastPeriod = periods
    this.made = makeChain({
      seed: 'simulation',
      ...network,
      periods,
      missRate: MISS_RATE,
      operationsPerBlock: 1,
      operationMix: 'transfers',
      endorsements: 0,
    })
    this.threads = Array.from({ length: THREAD_COUNT }, (): Period[] => [])
    for (const { slot } of this.made.blocks.values()) this.threads[slot.thread]?.push(slot.period)
  }

  /** In thread order. */
  blocksOf(period: Period): readonly SpooledBlock[] {
    const known = this.blocks.get(period)
    if (known) return known
    const blocks = period === 0 ? makeGenesis() : this.listMade(period)
    this.blocks.set(period, blocks)
    for (const block of blocks) this.byId.set(toHex(parseBlockId(block.id)), block)
    return blocks
  }

  private listMade(period: Period): SpooledBlock[] {
    return Array.from({ length: THREAD_COUNT }, (_, thread) => this.made.blockAt(period, thread)).flatMap((block) =>
      block ? [verifyFilledBlock(encodeFilledBlock(block), this.made.chainId, block.id)] : [],
    )
  }

  period(period: Period): ArchivedPeriod {
    const known = this.periods.get(period)
    if (known) return known
    const encoded = encodeFrom(period, this.blocksOf(period))
    this.periods.set(period, encoded)
    return encoded
  }

  /** @param id 33 bytes @returns a block that some node was asked for, or archived */
  blockById(id: Uint8Array): SpooledBlock | undefined {
    return this.byId.get(toHex(id))
  }

  idAt(period: Period, thread: number): BlockIdText | undefined {
    return this.made.blockAt(period, thread)?.id
  }

  /** The next period behind this one in which the thread has a block. */
  nextInThread(thread: number, period: Period): Period | undefined {
    return this.threads[thread]?.find((each) => each > period)
  }
}

/** The blocks that every chain begins with. */
function makeGenesis(): SpooledBlock[] {
  return Array.from({ length: THREAD_COUNT }, (_, thread) => {
    const slot = { period: 0, thread }
    const block = computeGenesisBlock(slot)
    const { publicKey, content: headerContent } = block
    return {
      id: formatBlockId(block.id),
      slot,
      parents: [],
      operationCount: 0,
      record: encodeBlockRecord({ publicKey, headerContent, operationIds: [], operations: [] }),
      seals: signGenesisBlock(block, slot).subarray(1),
    }
  })
}

/** A period of these blocks, as every archiver encodes it. */
export function encodeFrom(period: Period, blocks: readonly SpooledBlock[]): ArchivedPeriod {
  const byThread = new Map(blocks.map((block) => [block.slot.thread, block]))
  const slots = Array.from({ length: THREAD_COUNT }, (_, thread) => {
    const block = byThread.get(thread)
    return block ? ({ kind: 'block', ...block } as const) : ({ kind: 'miss' } as const)
  })
  const { network, chunkSizeBytes } = SIM_IDENTITY
  return encodePeriod({ network, period, slots, executionResults: new Uint8Array(0) }, chunkSizeBytes)
}

let shared: SimChain | undefined

/** The chain of this process, with at least so many periods. */
export function openSimChain(periods: number): SimChain {
  if (!shared || shared.lastPeriod < periods) shared = new SimChain(periods)
  return shared
}
