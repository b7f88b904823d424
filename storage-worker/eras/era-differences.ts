import { isBug } from '../../archiver/store-watch.ts'
import {
  type ChunkStore,
  type Clock,
  ERA_PERIODS,
  type EraAnchor,
  type ErrorCode,
  equalBytes,
  isArchiveError,
  Loop,
  type Period,
  toHex,
} from '../../core/index.ts'
import type { Logger } from '../../telemetry/index.ts'
import type { OwnEras, SignedEra } from '../peers/own-eras.ts'
import type { PeerClient } from '../peers/peer-client.ts'
import { compareEra, type DifferingPeriods, type SaidTotals } from './compare-era.ts'
import { type EraGatherer, OPEN_ERAS } from './era-gatherer.ts'

const LOOK_MS = 16_000
/** A peer that did not tell, or a copy that could not be mended. */
export const COMPARE_AGAIN_MS = 300_000
/** Peers that are asked in one look: 4 kB of roots each, as a rule. */
const MAX_ASKED = 4
/** Own copies that are read and hashed again for one difference: who has more is of another chain. */
const MAX_MENDED = 8
/** In place of an address: what a quorum anchored. */
export const REGISTRY_SAYS = 'registry'

/** An era of which somebody says something else than this archive. */
export interface EraDifference {
  readonly era: number
  /** Massa address of a node, or `registry`: a quorum anchored it. */
  readonly by: string
  /** The first period that differs, and how many do; absent while nobody shows which. */
  readonly period?: Period
  readonly periods?: number
  /** What is other in it. */
  readonly reason?: string
}

export interface EraDifferencesModules {
  readonly own: Pick<OwnEras, 'sign' | 'forget'>
  readonly gatherer: Pick<EraGatherer, 'listOpen'>
  /** Of an `AnchoredEras`. */
  readonly anchors: { find(era: number): Promise<EraAnchor | undefined> }
  readonly placement: { readonly inForce: { readonly era: number } | undefined; readonly isCurrent: boolean }
  readonly store: Pick<ChunkStore, 'identity' | 'readManifest'>
  readonly client: Pick<PeerClient, 'fetchRoots' | 'fetchManifest' | 'fetchManifests'>
  readonly ports: {
    /** Connected peers, with the Massa address that each is bound to. */
    readonly listPeers: () => readonly { readonly peer: string; readonly address: string }[]
    /** Reads a period again and fetches it anew where it is damaged. */
    readonly mend: (
      period: Period,
      signal: AbortSignal,
    ) => Promise<readonly { readonly code: ErrorCode; readonly repaired?: boolean }[]>
  }
  readonly clock: Clock
  readonly log: Logger
}

interface Claim extends SaidTotals {
  readonly by: string
}

interface Known {
  readonly claim: Claim
  difference: EraDifference
  againMs: number
  tries: number
}

/**
 * Finds out, where other nodes sign another root of an era than this one, or the registry has one, which period it is and
 * why: a damaged copy of it is fetched again; else one of the two is not the chain, which an operator has to know.
 */
export class EraDifferences {
  private readonly modules: EraDifferencesModules
  private readonly loop: Loop
  /** By era, who says it, and what. */
  private readonly known = new Map<string, Known>()
  /** When the damage of an era may be looked for again, by the monotonic clock. */
  private readonly mendAgain = new Map<number, number>()

  constructor(modules: EraDifferencesModules) {
    this.modules = modules
    const { clock, log } = modules
    this.loop = new Loop(
      { everyMs: LOOK_MS },
      { clock, look: () => this.look(), onFailure: (error) => log.warn({ err: error }, 'eras not compared') },
    )
  }

  /** Runs until `stop`. @throws what is no ArchiveError: a bug */
  start(): Promise<void> {
    return this.loop.start()
  }

  stop(): Promise<void> {
    return this.loop.stop()
  }

  /** Ascending by era. */
  list(): readonly EraDifference[] {
    return [...this.known.values()].map(({ difference }) => difference).sort((a, b) => a.era - b.era)
  }

  /** Looks at the last four eras; resolves when those who say something else have told which period it is, or not. */
  async look(): Promise<void> {
    const { placement } = this.modules
    const table = placement.inForce
    if (!table || !placement.isCurrent) return
    const claims = new Map<string, Claim>()
    for (let era = Math.max(0, table.era - OPEN_ERAS); era < table.era; era++) {
      for (const claim of await this.listClaims(era)) claims.set(`${era} ${claim.by} ${toHex(claim.root)}`, claim)
    }
    for (const [key, { difference }] of this.known) {
      if (claims.has(key)) continue
      this.known.delete(key)
      this.modules.log.info({ era: difference.era, address: difference.by }, 'era is the same again')
    }
    for (const [key, claim] of claims) {
      const known = this.known.get(key) ?? this.begin(key, claim)
      if (this.loop.signal.aborted) return
      if (known.difference.period === undefined && known.againMs <= this.modules.clock.monotonicMs()) {
        await this.examine(known)
      }
    }
  }

  /** What others say of an era that is not what this archive has; nothing where the era is not complete here. */
  private async listClaims(era: number): Promise<Claim[]> {
    const { anchors, gatherer } = this.modules
    const signed = await this.sign(era)
    if (!signed) return []
    const ours = signed.statement.eraRoot
    const anchored = await anchors.find(era)
    if (anchored) return equalBytes(anchored.root, ours) ? [] : [{ ...anchored, by: REGISTRY_SAYS }]
    const differing = gatherer.listOpen().find((open) => open.era === era)?.differing ?? []
    return [...differing].flatMap(([by, { eraRoot: root, totalBytes, totalChunks }]) =>
      equalBytes(root, ours) ? [] : [{ era, root, totalBytes, totalChunks, by }],
    )
  }

  /** Undefined when it is not complete here, or damaged: then what is damaged is fetched again. */
  private async sign(era: number): Promise<SignedEra | undefined> {
    const { own, clock } = this.modules
    if ((this.mendAgain.get(era) ?? Number.NEGATIVE_INFINITY) > clock.monotonicMs()) return undefined
    this.mendAgain.delete(era)
    try {
      return await own.sign(era)
    } catch (error) {
      if (!isArchiveError(error) || isBug(error)) throw error
      const end = await this.mend(era, await this.listUnreadable(era))
      if (end !== 'mended') this.mendAgain.set(era, clock.monotonicMs() + COMPARE_AGAIN_MS)
      return undefined
    }
  }

  private async listUnreadable(era: number): Promise<Period[]> {
    const periods: Period[] = []
    for (let period = era * ERA_PERIODS; period < (era + 1) * ERA_PERIODS; period++) {
      try {
        await this.modules.store.readManifest(period)
      } catch (error) {
        if (!isArchiveError(error)) throw error
        periods.push(period)
      }
    }
    return periods
  }

  private begin(key: string, claim: Claim): Known {
    const known: Known = {
      claim,
      difference: { era: claim.era, by: claim.by },
      againMs: Number.NEGATIVE_INFINITY,
      tries: 0,
    }
    this.known.set(key, known)
    return known
  }

  private async examine(known: Known): Promise<void> {
    const { claim } = known
    const { own, clock } = this.modules
    known.againMs = clock.monotonicMs() + COMPARE_AGAIN_MS
    const differing = await this.compare(known)
    if (this.loop.signal.aborted) return
    known.tries++
    if (!differing) {
      if (known.tries === 1) this.tell(known.difference)
      return
    }
    if ((await this.mend(claim.era, differing.periods.slice(0, MAX_MENDED))) !== 'sound') {
      // What it signed was of the damaged copy.
      own.forget(claim.era)
      return
    }
    const [period = claim.era * ERA_PERIODS] = differing.periods
    const { era, by } = claim
    known.difference = { era, by, period, periods: differing.periods.length, reason: differing.reason }
    this.tell(known.difference)
  }

  private async compare({ claim, tries }: Known): Promise<DifferingPeriods | undefined> {
    const peers = this.modules.ports.listPeers()
    const asked = claim.by === REGISTRY_SAYS ? peers : peers.filter(({ address }) => address === claim.by)
    const from = asked.length > MAX_ASKED ? (tries * MAX_ASKED) % asked.length : 0
    for (const { peer } of asked.slice(from, from + MAX_ASKED)) {
      try {
        const differing = await compareEra(claim, peer, this.modules)
        if (differing || this.loop.signal.aborted) return differing
      } catch (error) {
        if (!isArchiveError(error) || !error.code.startsWith('PROTOCOL_')) throw error
      }
    }
    return undefined
  }

  /** `damaged`: something still is. */
  private async mend(era: number, periods: readonly Period[]): Promise<'sound' | 'mended' | 'damaged'> {
    const { ports, log } = this.modules
    let [damaged, mended] = [0, 0]
    for (const period of periods) {
      if (this.loop.signal.aborted) break
      const damages = await ports.mend(period, this.loop.signal)
      const [damage] = damages
      if (!damage) continue
      const repaired = damages.filter((each) => each.repaired).length
      damaged += damages.length
      mended += repaired
      log.warn({ era, period, damaged: damages.length, repaired, code: damage.code }, 'period of an era is damaged')
    }
    if (damaged === 0) return 'sound'
    return mended === damaged ? 'mended' : 'damaged'
  }

  private tell({ era, by, period, periods, reason }: EraDifference): void {
    const { log } = this.modules
    const fields = { era, address: by, code: 'PROTOCOL_ROOTS_DIFFER' } as const
    const which = { ...fields, ...(period !== undefined && { period }), ...(periods !== undefined && { periods }) }
    const why = { ...which, ...(reason !== undefined && { reason }) }
    if (by === REGISTRY_SAYS) log.error(why, 'the registry has another root of this era')
    else log.warn(why, 'node signs another root of this era')
  }
}
