import {
  type BlockIdText,
  type Clock,
  isArchiveError,
  Loop,
  type Network,
  type Period,
  parseBlockId,
} from '../../core/index.ts'
import { MAX_BLOCKS_PER_REQUEST } from '../../protocol-handler/index.ts'
import type { PeerClient } from './peer-client.ts'

const LOOK_MS = 5_000
/** Of one look: a hole of a day has 5,400 blocks in each thread, and each is known only when the one behind it has come. */
const MAX_ROUNDS = 10_000
/**
 * A peer that lacks a block is asked for it again after so long, then after twice as long each time: it may have filled
 * its own gap since. Whoever starts together has the same gaps for a moment.
 */
const FIRST_AGAIN_MS = 15_000
const MAX_AGAIN_MS = 600_000
const MAX_REMEMBERED = 100_000

/** A block that is missing: it is the parent, in its thread, of the block of this thread at `childPeriod`. */
export interface MissingBlock {
  readonly thread: number
  readonly childPeriod: Period
  readonly missing: BlockIdText
}

export interface GapFillerPorts {
  /** Gaps that stand at the moment. */
  readonly listGaps: () => readonly MissingBlock[]
  /** Connected peers, each with the first period that it says it has. */
  readonly listPeers: () => readonly { readonly peer: string; readonly firstPeriod: Period }[]
  /** Verifies a block, and takes it if it is still missing; `left`: it is not, or there is no room for it now. */
  readonly takeBlock: (id: BlockIdText, filledBlock: Uint8Array) => Promise<'taken' | 'left' | 'wrong'>
  /** A peer gave a block that does not verify. */
  readonly onWrong: (peer: string) => void
}

/**
 * Fetches from peers what no massa-node has any more: block by block from the child to its parent, so that each is known
 * by its id before it comes.
 */
export class GapFiller {
  private readonly network: Network
  private readonly client: PeerClient
  private readonly ports: GapFillerPorts
  private readonly clock: Clock
  private readonly onFailure: (error: unknown) => void
  private readonly loop: Loop
  /** By `peer id`: when it is asked again for a block that it did not bring. */
  private readonly lacks = new Map<string, { readonly waitMs: number; readonly dueMs: number }>()
  private filled = 0

  constructor(
    options: { readonly network: Network },
    modules: {
      readonly client: PeerClient
      readonly ports: GapFillerPorts
      readonly clock: Clock
      /** Peers that cannot be reached, or answer wrongly. */
      readonly onFailure: (error: unknown) => void
    },
  ) {
    this.network = options.network
    this.client = modules.client
    this.ports = modules.ports
    this.clock = modules.clock
    this.onFailure = modules.onFailure
    // Nodes are asked first: what is only late comes from them.
    this.loop = new Loop({ everyMs: LOOK_MS, looksLast: true }, { clock: this.clock, look: () => this.fill() })
  }

  /** Blocks that peers gave since the start. */
  get filledBlocks(): number {
    return this.filled
  }

  /** Runs until `stop`. @throws what is no ArchiveError: a bug */
  start(): Promise<void> {
    return this.loop.start()
  }

  stop(): Promise<void> {
    return this.loop.stop()
  }

  /** Asks for what is missing until nobody is left who might give it. @returns blocks that were taken */
  async fill(): Promise<number> {
    let taken = 0
    for (let round = 0; round < MAX_ROUNDS && !this.loop.signal.aborted; round++) {
      const shares = this.share()
      if (shares.size === 0) break
      for (const [peer, wanted] of shares) taken += await this.ask(peer, wanted)
    }
    this.filled += taken
    return taken
  }

  /** Who is asked for what: each block once, spread over those that may have it. */
  private share(): Map<string, MissingBlock[]> {
    const shares = new Map<string, MissingBlock[]>()
    const wanted = this.listWanted()
    const peers = wanted.length > 0 ? this.ports.listPeers() : []
    const load = (peer: string): number => shares.get(peer)?.length ?? 0
    for (const gap of wanted) {
      const [peer] = peers
        .filter(({ peer, firstPeriod }) => firstPeriod < gap.childPeriod && this.isWorthAsking(peer, gap.missing))
        .map(({ peer }) => peer)
        .sort((a, b) => load(a) - load(b))
      if (peer !== undefined && load(peer) < MAX_BLOCKS_PER_REQUEST)
        shares.set(peer, [...(shares.get(peer) ?? []), gap])
    }
    return shares
  }

  /** Where archived periods stand between, one block is missing to several gaps. */
  private listWanted(): MissingBlock[] {
    const wanted = new Map<BlockIdText, MissingBlock>()
    for (const gap of this.ports.listGaps()) wanted.set(gap.missing, gap)
    return [...wanted.values()]
  }

  private async ask(peer: string, gaps: readonly MissingBlock[]): Promise<number> {
    let taken = 0
    try {
      const wanted = gaps.map(({ thread, childPeriod, missing }) => {
        return { thread, beforePeriod: childPeriod, id: parseBlockId(missing) }
      })
      const blocks = await this.client.fetchBlocks(peer, wanted, this.network)
      for (const [i, { missing }] of gaps.entries()) {
        const block = blocks[i]
        const result = block ? await this.ports.takeBlock(missing, block) : 'left'
        if (result === 'taken') taken++
        else this.remember(peer, missing, result === 'wrong' ? MAX_AGAIN_MS : FIRST_AGAIN_MS)
        if (result === 'wrong') this.ports.onWrong(peer)
      }
    } catch (error) {
      if (!isArchiveError(error)) throw error
      for (const { missing } of gaps) this.remember(peer, missing, FIRST_AGAIN_MS)
      this.onFailure(error)
    }
    return taken
  }

  private isWorthAsking(peer: string, id: BlockIdText): boolean {
    const lack = this.lacks.get(`${peer} ${id}`)
    return lack === undefined || this.clock.monotonicMs() >= lack.dueMs
  }

  private remember(peer: string, id: BlockIdText, leastMs: number): void {
    if (this.lacks.size >= MAX_REMEMBERED) this.lacks.clear()
    const key = `${peer} ${id}`
    const waitMs = Math.min(Math.max(leastMs, 2 * (this.lacks.get(key)?.waitMs ?? 0)), MAX_AGAIN_MS)
    this.lacks.set(key, { waitMs, dueMs: this.clock.monotonicMs() + waitMs })
  }
}
