import { isBug } from '../../archiver/store-watch.ts'
import {
  ArchiveError,
  type Clock,
  type EraAnchor,
  isArchiveError,
  Loop,
  type Network,
  PERIOD_MS,
} from '../../core/index.ts'
import type { Logger } from '../../telemetry/index.ts'
import { askInTurn } from '../placement/ask-in-turn.ts'
import type { PlacementNode } from '../placement/read-placement.ts'
import { MAX_ERAS_PER_READING, readAnchors } from './read-anchors.ts'

const LOOK_MS = 2_000
/** Failed readings, and nodes that cannot tell: one period, as for placement. */
const RETRY_MS = PERIOD_MS
/** An era that is not anchored is asked for again after 16 periods: nobody waits for it more urgently than that. */
const ABSENT_MS = 16 * PERIOD_MS
/** Four years of eras, 20 MB; past it those that were read first are read again when they are asked for. */
const MAX_ANCHORED = 65_536
/** Eras that are not anchored, and eras that wait to be read: far more than prune or bootstrap work on at a time. */
const MAX_ABSENT = 4_096
const MAX_WANTED = 1_024

export interface AnchoredErasModules {
  /** Asked in this order, until one can tell. */
  readonly nodes: readonly PlacementNode[]
  readonly clock: Clock
  readonly log: Logger
}

/**
 * Which eras are anchored, and by what root: read from the registry on demand, and remembered, since an anchored era never
 * changes. What is not known yet counts as not anchored.
 */
export class AnchoredEras {
  private readonly options: { readonly registry: string; readonly network: Network }
  private readonly modules: AnchoredErasModules
  private readonly loop: Loop
  private readonly known = new Map<number, EraAnchor>()
  /** When it was seen to be not anchored, by the monotonic clock. */
  private readonly absent = new Map<number, number>()
  private readonly wanted = new Set<number>()
  private retryAtMs = Number.NEGATIVE_INFINITY
  private failure: ArchiveError | undefined
  private isUnreadableTold = false
  private reading: Promise<void> | undefined

  /** @param options.registry - its address; empty: none, and no era is anchored */
  constructor(options: { readonly registry: string; readonly network: Network }, modules: AnchoredErasModules) {
    this.options = options
    this.modules = modules
    this.loop = new Loop({ everyMs: LOOK_MS }, { clock: modules.clock, look: () => this.look() })
  }

  /** Reads what was asked for, until `stop`. @throws a bug */
  start(): Promise<void> {
    return this.loop.start()
  }

  stop(): Promise<void> {
    return this.loop.stop()
  }

  /** Why it cannot be told which eras are anchored, if so. */
  get failing(): ArchiveError | undefined {
    return this.failure
  }

  /** True when it is known to be anchored; an era that is not known yet is looked up for the next time. */
  isAnchored(era: number): boolean {
    return this.rootOf(era) !== undefined
  }

  /** 32 bytes. As `isAnchored`: undefined when it is not known, too. */
  rootOf(era: number): Uint8Array | undefined {
    const known = this.known.get(era)
    if (!known) this.want(era)
    return known?.root
  }

  /** Looks it up when it is not known. @returns undefined when it is not anchored, or nobody can tell at the moment */
  async find(era: number): Promise<EraAnchor | undefined> {
    if (!this.known.has(era)) this.want(era)
    // A reading that is under way already may not be of this era.
    while (this.wanted.has(era) && this.mayRead()) await this.look()
    return this.known.get(era)
  }

  /** As `find` of each, and asks again for those that were seen to be not anchored: somebody looks who wants to know now. */
  async findNow(eras: readonly number[]): Promise<readonly (EraAnchor | undefined)[]> {
    await this.findAll(eras)
    return eras.map((era) => this.known.get(era))
  }

  /**
   * Those of some eras that are anchored by now; what was not when it was read last is read again, 127 in one call.
   *
   * @returns undefined when nobody can tell at the moment
   */
  async findAll(eras: readonly number[]): Promise<readonly EraAnchor[] | undefined> {
    for (let at = 0; at < eras.length; at += MAX_ERAS_PER_READING) {
      const some = eras.slice(at, at + MAX_ERAS_PER_READING).filter((era) => !this.known.has(era))
      for (const era of some) {
        this.absent.delete(era)
        this.want(era)
      }
      while (some.some((era) => this.wanted.has(era)) && this.mayRead()) await this.look()
      if (!some.every((era) => this.known.has(era) || this.absent.has(era))) return undefined
    }
    return eras.flatMap((era) => this.known.get(era) ?? [])
  }

  /** What `start` does again and again: one reading, when there is something to read. */
  look(): Promise<void> {
    this.reading ??= this.readWanted().finally(() => {
      this.reading = undefined
    })
    return this.reading
  }

  private mayRead(): boolean {
    return !this.loop.signal.aborted && this.modules.clock.monotonicMs() >= this.retryAtMs
  }

  private want(era: number): void {
    if (this.options.registry === '' || this.wanted.size >= MAX_WANTED) return
    const absentAtMs = this.absent.get(era)
    if (absentAtMs !== undefined && this.modules.clock.monotonicMs() - absentAtMs < ABSENT_MS) return
    this.wanted.add(era)
  }

  private async readWanted(): Promise<void> {
    const { clock, log } = this.modules
    const eras = [...this.wanted].slice(0, MAX_ERAS_PER_READING)
    if (eras.length === 0 || !this.mayRead()) return
    try {
      await this.read(eras)
      if (this.failure) log.info({}, 'anchored eras can be read again')
      this.failure = undefined
    } catch (error) {
      if (this.loop.signal.aborted) return
      if (!isArchiveError(error) || isBug(error)) throw error
      this.retryAtMs = clock.monotonicMs() + RETRY_MS
      const isNew = this.failure?.code !== error.code
      this.failure = error
      if (isNew) log.warn({ err: error, code: error.code }, 'anchored eras cannot be read')
    }
  }

  private async read(eras: readonly number[]): Promise<void> {
    const { nodes, clock } = this.modules
    const ask = (node: PlacementNode) => readAnchors({ ...this.options, eras }, { node, clock })
    const readings = await askInTurn(nodes, ask, this.loop.signal)
    for (const [i, era] of eras.entries()) this.note(era, readings[i])
  }

  private note(era: number, reading: EraAnchor | 'unreadable' | undefined): void {
    this.wanted.delete(era)
    this.absent.delete(era)
    if (reading !== undefined && reading !== 'unreadable') {
      if (this.known.size >= MAX_ANCHORED) dropOldest(this.known)
      this.known.set(era, reading)
      return
    }
    if (this.absent.size >= MAX_ABSENT) dropOldest(this.absent)
    this.absent.set(era, this.modules.clock.monotonicMs())
    if (reading === undefined || this.isUnreadableTold) return
    this.isUnreadableTold = true
    const { registry } = this.options
    const text = `the record of era ${era} of the registry ${registry} is of a version that this release does not know`
    const error = new ArchiveError('PLACEMENT_RECORD_UNREADABLE', text, { address: registry })
    this.modules.log.warn({ era, err: error, code: error.code }, 'an anchored era counts as not anchored')
  }
}

function dropOldest<V>(map: Map<number, V>): void {
  for (const key of map.keys()) {
    map.delete(key)
    return
  }
}
