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
import { GapPeers } from './gap-peers.ts'
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
/** An answer comes within a second as a rule: of what one has not given after so long another is asked, too. */
const SLOW_MS = 2_000
/** At a time. An answer is of 16 blocks of 2 MiB at most, all of them in memory. */
const MAX_ASKED = 4
/** Of them those that gave nothing lately: they never keep all places from who does. */
const MAX_UNPROVEN = 3

/** A block that is missing: it is the parent, in its thread, of the block of this thread at `childPeriod`. */
export interface MissingBlock {
  readonly thread: number
  readonly childPeriod: Period
  readonly missing: BlockIdText
}

/** A connected peer. */
export interface GapPeer {
  readonly peer: string
  /** That it says it has. */
  readonly firstPeriod: Period
  readonly isRegistered: boolean
}

/** A request that is under way. */
interface Asked {
  readonly ids: ReadonlySet<BlockIdText>
  readonly isProven: boolean
  readonly slowAtMs: number
  isSlow: boolean
  readonly ended: Promise<void>
}

export interface GapFillerPorts {
  /** Gaps that stand at the moment. */
  readonly listGaps: () => readonly MissingBlock[]
  readonly listPeers: () => readonly GapPeer[]
  /** Verifies a block, and takes it if it is still missing; `left`: it is not, or there is no room for it now. */
  readonly takeBlock: (id: BlockIdText, filledBlock: Uint8Array) => Promise<'taken' | 'left' | 'wrong'>
  /** A peer gave a block that does not verify. */
  readonly onWrong: (peer: string) => void
}

interface Candidate {
  readonly peer: string
  readonly firstPeriod: Period
  /** The lowest is asked first. */
  readonly rank: number
  readonly isProven: boolean
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
  private readonly peers: GapPeers
  /** By peer: one request of each. */
  private readonly underWay = new Map<string, Asked>()
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
    this.peers = new GapPeers(modules.clock)
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
    const before = this.filled
    for (let round = 0; round < MAX_ROUNDS && !this.loop.signal.aborted; round++) {
      this.markSlow()
      for (const [{ peer, isProven }, wanted] of this.share()) this.begin(peer, isProven, wanted)
      if (this.underWay.size === 0) break
      await this.changed()
    }
    await Promise.all(this.listEnds())
    return this.filled - before
  }

  private begin(peer: string, isProven: boolean, wanted: readonly MissingBlock[]): void {
    const ids = new Set(wanted.map(({ missing }) => missing))
    const slowAtMs = this.clock.monotonicMs() + SLOW_MS
    const ended = this.ask(peer, wanted).finally(() => this.underWay.delete(peer))
    this.underWay.set(peer, { ids, isProven, slowAtMs, isSlow: false, ended })
  }

  /** Until a request ends, or one may have become slow. */
  private async changed(): Promise<void> {
    const woken = new AbortController()
    try {
      await Promise.race([...this.listEnds(), this.clock.sleep(SLOW_MS, woken.signal)])
    } finally {
      woken.abort()
    }
  }

  private listEnds(): Promise<void>[] {
    return Array.from(this.underWay.values(), ({ ended }) => ended)
  }

  private markSlow(): void {
    for (const [peer, asked] of this.underWay) {
      if (asked.isSlow || asked.slowAtMs > this.clock.monotonicMs()) continue
      asked.isSlow = true
      this.peers.isSlow(peer)
    }
  }

  /** Who is asked for what: each block of one that is not slow, spread over those that are equally likely to have it. */
  private share(): Map<Candidate, MissingBlock[]> {
    const shares = new Map<Candidate, MissingBlock[]>()
    const wanted = this.listWanted()
    const candidates = wanted.length > 0 ? this.listCandidates() : []
    const load = (candidate: Candidate): number => shares.get(candidate)?.length ?? 0
    for (const gap of wanted) {
      const [candidate] = candidates
        .filter((one) => one.firstPeriod < gap.childPeriod && this.isWorthAsking(one.peer, gap.missing))
        .filter((one) => (shares.has(one) ? load(one) < MAX_BLOCKS_PER_REQUEST : this.hasPlace(one, shares.keys())))
        .sort((a, b) => a.rank - b.rank || load(a) - load(b))
      if (candidate) shares.set(candidate, [...(shares.get(candidate) ?? []), gap])
    }
    return shares
  }

  /** Those that may be asked for something now. */
  private listCandidates(): Candidate[] {
    return this.ports
      .listPeers()
      .filter(({ peer }) => !this.underWay.has(peer) && !this.peers.isResting(peer))
      .map(({ peer, firstPeriod, isRegistered }) => {
        const rank = this.peers.rank(peer, isRegistered)
        return { peer, firstPeriod, rank, isProven: rank === 0 }
      })
  }

  private hasPlace({ isProven }: Candidate, chosen: Iterable<Candidate>): boolean {
    const asked = [...this.underWay.values(), ...chosen]
    if (asked.length >= MAX_ASKED) return false
    return isProven || asked.filter((one) => !one.isProven).length < MAX_UNPROVEN
  }

  /** Not what is about to come. Where archived periods stand between, one block is missing to several gaps. */
  private listWanted(): MissingBlock[] {
    const wanted = new Map<BlockIdText, MissingBlock>()
    const asked = [...this.underWay.values()].filter(({ isSlow }) => !isSlow)
    for (const gap of this.ports.listGaps()) {
      if (!asked.some(({ ids }) => ids.has(gap.missing))) wanted.set(gap.missing, gap)
    }
    return [...wanted.values()]
  }

  private async ask(peer: string, gaps: readonly MissingBlock[]): Promise<void> {
    try {
      const wanted = gaps.map(({ thread, childPeriod, missing }) => {
        return { thread, beforePeriod: childPeriod, id: parseBlockId(missing) }
      })
      const blocks = await this.client.fetchBlocks(peer, wanted, this.network)
      const results = new Set<string>()
      for (const [i, { missing }] of gaps.entries()) {
        const block = blocks[i]
        const result = block ? await this.ports.takeBlock(missing, block) : 'lacks'
        results.add(result)
        if (result === 'taken') this.filled++
        else this.remember(peer, missing, result === 'wrong' ? MAX_AGAIN_MS : FIRST_AGAIN_MS)
        if (result === 'wrong') this.ports.onWrong(peer)
      }
      if (results.has('wrong')) this.peers.failed(peer)
      else if (results.has('taken')) this.peers.gave(peer, this.underWay.get(peer)?.isSlow === false)
      else if (results.has('lacks')) this.peers.lacked(peer)
    } catch (error) {
      if (!isArchiveError(error)) throw error
      this.peers.failed(peer)
      this.onFailure(error)
    }
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
