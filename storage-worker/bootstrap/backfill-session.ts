import { setMaxListeners } from 'node:events'
import type { BackgroundCpuWork, CpuWork } from '../../archiver/cpu-pool.ts'
import {
  type ArchivedPeriod,
  computeBodyBytes,
  computeGenesisBlock,
  formatBlockId,
  fromHex,
  isArchiveError,
  type Period,
  type StoreIdentity,
  THREAD_COUNT,
} from '../../core/index.ts'
import type { Fetched, PeerClient } from '../peers/peer-client.ts'
import { type ChainEnd, LinkChain } from './link-chain.ts'
import { LinkWindow, type OpenBlock, type WindowPeriod } from './link-window.ts'
import { makeGenesisPeriod } from './made-period.ts'
import { ManifestSource, type SourcedManifest } from './manifest-source.ts'
import type { PacedPeers } from './paced-peers.ts'
import { toLinks } from './period-links.ts'
import { type PeriodFailure, PeriodSource, type UnsealedPeriod, type VerifiedPeriod } from './period-source.ts'

/** Periods under way to this disk, and those that wait for proof. */
export interface SessionBounds {
  /** Periods that are fetched and verified at a time. */
  readonly periodsAhead: number
  /** Of their BODY: fetching stops above it. */
  readonly bytesAhead: number
  /** Of what waits for proof; above it proof is asked for. */
  readonly waitingBytes: number
  readonly waitingPeriods: number
  /** A session ends after so many: the next one may follow another peer. */
  readonly periods: number
}

/** 100 MB of memory at most, and 64 quiet periods of 90 kB to hide what the way to a peer takes. */
export const SESSION_BOUNDS: SessionBounds = {
  periodsAhead: 64,
  bytesAhead: 32_000_000,
  waitingBytes: 48_000_000,
  waitingPeriods: 4_096,
  periods: 1_024,
}

/** Below the last period that is wanted: its blocks are proven by those before it. Where they are not, twice as many are fetched. */
const LINK_PERIODS = 16

/**
 * `more`: there is more to fetch; `absent`: nobody gives what comes next; `open`: nobody shows where a block stands that
 * must exist; `wrong`: somebody lied.
 */
export type SessionEnd = 'done' | 'more' | 'open' | 'stopped' | PeriodFailure

interface Waiting extends WindowPeriod, Pick<VerifiedPeriod, 'archived'> {}

interface UnderWay {
  readonly period: Period
  readonly bodyBytes: number
  /** Who gave its manifest; undefined: it is computed. */
  readonly peer: string | undefined
  readonly result: Promise<VerifiedPeriod | PeriodFailure | 'unlinked'>
}

export interface SessionModules {
  readonly client: PeerClient
  readonly asked: PacedPeers
  readonly cpu: BackgroundCpuWork & Pick<CpuWork, 'verifyBlock'>
  /** Writes a period that is proven; the next one below comes when it is written. False: no more for now. */
  readonly write: (period: ArchivedPeriod) => Promise<boolean>
}

/**
 * Periods below the first archived one, downward, as one peer describes them; others give chunks of them, too.
 *
 * What does not fit what stands above it is the word of that peer against a proof: it pays, and the session ends. What
 * was proven until then is written.
 */
export class BackfillSession {
  private readonly identity: StoreIdentity
  private readonly lead: string
  private readonly to: Period
  /** Of what is fetched. */
  private fetchTo: Period
  private readonly genesisPeriods: ReadonlySet<Period>
  private readonly bounds: SessionBounds
  private readonly modules: SessionModules
  private manifests: ManifestSource
  private readonly periods: PeriodSource
  private readonly window: LinkWindow<Waiting>
  /** Of all whose BODY has come: it is ahead of the window, to which only what is verified comes. */
  private readonly unsealed: LinkChain
  /** Whether the last one that was begun, and all above it, fit what stands above them. */
  private isLinked: Promise<boolean> = Promise.resolve(true)
  private readonly underWay: UnderWay[] = []
  /** Who gave manifests of periods that are not proven yet. */
  private readonly sources = new Map<string, Period>()
  private readonly ending = new AbortController()
  private next: Period
  private bytesAhead = 0
  private isAtEnd = false
  private isDone = false
  private written = 0

  /**
   * @param options.to the last period that is wanted
   * @param options.genesisPeriods periods that are computed: 0, and those at which a chain was restarted
   */
  constructor(
    options: {
      readonly identity: StoreIdentity
      readonly lead: string
      readonly end: ChainEnd
      readonly to: Period
      readonly genesisPeriods: ReadonlySet<Period>
      readonly bounds?: SessionBounds
    },
    modules: SessionModules,
  ) {
    const { identity, lead, end, to } = options
    this.identity = identity
    this.lead = lead
    this.to = to
    this.fetchTo = Math.max(0, to - LINK_PERIODS)
    this.genesisPeriods = options.genesisPeriods
    this.bounds = options.bounds ?? SESSION_BOUNDS
    this.modules = modules
    this.next = end.first - 1
    // Every question under way listens to it.
    setMaxListeners(0, this.ending.signal)
    this.manifests = this.openManifests()
    this.periods = new PeriodSource(identity, modules)
    this.window = new LinkWindow(end)
    this.unsealed = new LinkChain(end)
  }

  get writtenPeriods(): number {
    return this.written
  }

  /** @throws what `write` throws */
  async run(stopping: AbortSignal): Promise<SessionEnd> {
    const onStop = (): void => this.ending.abort()
    stopping.addEventListener('abort', onStop, { once: true })
    if (stopping.aborted) onStop()
    try {
      return await this.goDown()
    } finally {
      stopping.removeEventListener('abort', onStop)
      // What is under way is not needed any more, but must not outlive the session.
      this.ending.abort()
      await Promise.allSettled(this.underWay.map(({ result }) => result))
    }
  }

  private async goDown(): Promise<SessionEnd> {
    const { signal } = this.ending
    while (!signal.aborted) {
      await this.startMore()
      const first = this.underWay.shift()
      if (!first) {
        const end = await this.finish()
        if (end === 'absent' && this.goDeeper()) continue
        return end
      }
      const result = await first.result
      this.bytesAhead -= first.bodyBytes
      if (signal.aborted) break
      if (first.peer !== undefined) this.sources.set(first.peer, first.period)
      if (result === 'unlinked') return this.contradict()
      if (typeof result === 'string') return this.give(result, first.peer)
      const { archived, links } = result
      const sizeBytes = archived.summary.bodyBytes + archived.seals.length
      if (!this.window.add({ period: first.period, sizeBytes, archived }, links)) return this.contradict()
      await this.writeProven()
      if (this.isDone) return 'done'
      if (this.written >= this.bounds.periods) return 'more'
      const end = this.isWindowFull() ? await this.prove() : 'proven'
      if (end !== 'proven') return end
    }
    return 'stopped'
  }

  /**
   * For proof: a thread may be silent for longer, and where peers hold parts none of them can show its block.
   *
   * @returns false when nothing stands below, or nobody gives it
   */
  private goDeeper(): boolean {
    if (this.isAtEnd || this.fetchTo === 0) return false
    this.fetchTo = Math.max(0, this.to - 2 * (this.to - this.fetchTo))
    this.manifests = this.openManifests()
    return true
  }

  private openManifests(): ManifestSource {
    const { identity, lead, next, fetchTo, modules } = this
    return new ManifestSource({ identity, lead, from: next, to: fetchTo }, modules)
  }

  /** Fetches ahead, as far as the bounds allow. */
  private async startMore(): Promise<void> {
    const { periodsAhead, bytesAhead } = this.bounds
    const { signal } = this.ending
    while (!this.isAtEnd && this.underWay.length < periodsAhead && this.bytesAhead < bytesAhead) {
      const period = this.next
      if (period < this.fetchTo) return
      if (this.genesisPeriods.has(period)) {
        this.start({ period, bodyBytes: 0, peer: undefined, result: this.compute(period) })
        // What stands before it is not linked to it.
        this.isAtEnd = true
        return
      }
      const sourced = await this.manifests.take(signal)
      if (!sourced) {
        this.isAtEnd = true
        return
      }
      const bodyBytes = computeBodyBytes(sourced.manifest)
      this.start({ period, bodyBytes, peer: sourced.peer, result: this.fetch(period, sourced) })
    }
  }

  /** Blocks of anybody's own cost a look at their headers: SEALS are fetched and verified of what fits alone. */
  private async fetch(period: Period, sourced: SourcedManifest): Promise<VerifiedPeriod | PeriodFailure | 'unlinked'> {
    const { signal } = this.ending
    const fetching = this.periods.fetchBody(sourced, signal)
    const isLinked = this.link(period, this.isLinked, fetching)
    // It is awaited behind BODY; until then a failure is not unhandled.
    isLinked.catch(() => undefined)
    this.isLinked = isLinked
    const body = await fetching
    if (typeof body === 'string') return body
    return (await isLinked) ? body.seal(signal) : 'unlinked'
  }

  private async link(
    period: Period,
    isLinkedAbove: Promise<boolean>,
    fetching: Promise<UnsealedPeriod | PeriodFailure>,
  ): Promise<boolean> {
    const [isLinked, body] = await Promise.all([isLinkedAbove, fetching])
    return isLinked && typeof body !== 'string' && this.unsealed.add(period, body.links)
  }

  private start(one: UnderWay): void {
    // It is awaited in its turn; until then a failure is not unhandled.
    one.result.catch(() => undefined)
    this.underWay.push(one)
    this.bytesAhead += one.bodyBytes
    this.next--
  }

  private async compute(period: Period): Promise<VerifiedPeriod> {
    const links = Array.from({ length: THREAD_COUNT }, (_, thread) => {
      return toLinks(computeGenesisBlock({ period, thread }).id, new Uint8Array())
    })
    return { archived: makeGenesisPeriod(this.identity, period), links }
  }

  private async writeProven(): Promise<void> {
    for (let one = this.window.takeProven(); one && !this.isDone; one = this.window.takeProven()) {
      if (!(await this.modules.write(one.archived))) this.ending.abort()
      this.written++
      this.isDone = one.period <= this.to || this.genesisPeriods.has(one.period)
      for (const [peer, last] of this.sources) if (last >= one.period) this.sources.delete(peer)
      if (this.ending.signal.aborted) return
    }
  }

  /** Nothing more comes from above: what waits is proven by single blocks, if at all. */
  private async finish(): Promise<SessionEnd> {
    while (!this.isDone && this.window.waitingPeriods > 0 && !this.ending.signal.aborted) {
      const before = this.written
      const end = await this.prove()
      if (end === 'wrong') return end
      if (this.written === before) break
    }
    return this.isDone ? 'done' : 'absent'
  }

  private give(failure: PeriodFailure, peer: string | undefined): PeriodFailure {
    if (failure === 'wrong' && peer !== undefined) this.modules.asked.distrust(peer)
    return failure
  }

  /** Of several that described what waits one may have lied: nobody is blamed, and the next session follows another. */
  private contradict(): 'wrong' {
    const [only, other] = [...this.sources.keys()]
    if (only !== undefined && other === undefined) this.modules.asked.distrust(only)
    return 'wrong'
  }

  private isWindowFull(): boolean {
    const { waitingBytes, waitingPeriods } = this.bounds
    return this.window.sizeBytes > waitingBytes || this.window.waitingPeriods > waitingPeriods
  }

  /** Asks for the blocks themselves that keep the topmost period waiting: each says where it stands. */
  private async prove(): Promise<'proven' | 'open' | 'wrong'> {
    for (const open of this.window.listOpen()) {
      const period = await this.findBlock(open)
      if (period === undefined) return 'open'
      if (!this.window.show(open.thread, period)) return this.contradict()
    }
    await this.writeProven()
    return 'proven'
  }

  private async findBlock({ thread, id, beforePeriod }: OpenBlock): Promise<Period | undefined> {
    const { client, asked, cpu } = this.modules
    const { network } = this.identity
    const expectedId = formatBlockId(fromHex(id))
    let period: Period | undefined
    await asked.ask(
      {
        name: `block ${id}`,
        period: beforePeriod - 1,
        send: async (peer): Promise<Fetched<Uint8Array>> => {
          const [value] = await client.fetchBlocks(peer, [{ thread, beforePeriod, id: fromHex(id) }], network)
          return value ? { status: 'ok', value } : { status: 'notHeld' }
        },
        sizeOf: (block) => block.length,
        judge: async (filledBlock) => {
          try {
            const { slot } = await cpu.verifyBlock({ filledBlock, chainId: network.chainId, expectedId })
            period = slot.period
            return 'right'
          } catch (error) {
            if (isArchiveError(error)) return 'wrong'
            throw error
          }
        },
      },
      this.ending.signal,
    )
    return period
  }
}
