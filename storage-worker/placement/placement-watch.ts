import { guardLoop } from '../../archiver/guard-loop.ts'
import { isBug } from '../../archiver/store-watch.ts'
import {
  type ArchiveError,
  type Clock,
  ERA_PERIODS,
  type ErrorCode,
  isArchiveError,
  Loop,
  type Network,
  PERIOD_MS,
  type Period,
  toHex,
} from '../../core/index.ts'
import type { Logger } from '../../telemetry/index.ts'
import { askInTurn } from './ask-in-turn.ts'
import type { PlacementArchive } from './placement-archive.ts'
import { computePlacementTable, PLACEMENT_IN_FORCE_PERIODS, type PlacementTable } from './placement-table.ts'
import { type PlacementNode, type PlacementReading, readPlacement } from './read-placement.ts'

/** A look costs nothing while there is nothing to read. */
const LOOK_INTERVAL_MS = 2_000
/** One period: an era has 128 of them. */
const RETRY_MS = PERIOD_MS
/** Final slots that stand still for so long tell nothing of the era that it is by now. */
const MAX_STILL_MS = PLACEMENT_IN_FORCE_PERIODS * PERIOD_MS

export interface PlacementWatchOptions {
  /** Address of the registry; empty: none. */
  readonly registry: string
  readonly network: Network
  /** `replication_factor` of the configuration: it counts without a registry only. */
  readonly localReplicas: number
}

export interface PlacementWatchModules {
  /** Asked in this order, until one can tell. */
  readonly nodes: readonly PlacementNode[]
  /** Of the newest final slot that is known. */
  readonly finalPeriod: () => Period | undefined
  /** Keeps what was read of each era. */
  readonly archive: Pick<PlacementArchive, 'put'>
  readonly clock: Clock
  readonly log: Logger
  readonly onFatal: (error: ArchiveError) => void
}

/** What there is to say about the placement that is in force. */
export interface PlacementStatus {
  readonly registry: string
  /** Of the table in force; absent before the first one is. */
  readonly inForce?: {
    readonly era: number
    readonly root: string
    readonly nodes: number
    readonly replicas: number
    /** Copies that the settings of the registry ask for. */
    readonly wantedReplicas: number
    /** The least number of holders that a hash slot has. */
    readonly fewestHolders: number
    readonly keepsForEver: boolean
  }
  /** From which period on the table of the next era is in force, when it was read already. */
  readonly nextFromPeriod?: Period
  /** False: the table in force may be another one by now; nothing is dropped, and no repair started by it. */
  readonly isCurrent: boolean
  /** Why the table of this era cannot be read. */
  readonly failing?: { readonly code: ErrorCode; readonly message: string }
}

/**
 * Keeps the table that is in force: reads that of each era once the final state is in it, and changes over in its 8th
 * period. What cannot be read is tried again every period; the last table stays in force until then.
 *
 * Without a registry there is no table: who holds what is not to be made up.
 */
export class PlacementWatch {
  private readonly options: PlacementWatchOptions
  private readonly modules: PlacementWatchModules
  private readonly loop: Loop
  /** The last two, of ascending eras. */
  private tables: readonly PlacementTable[] = []
  private toldEra: number | undefined
  private failure: ArchiveError | undefined
  private retryAtMs = Number.NEGATIVE_INFINITY
  private seenPeriod: Period | undefined
  private movedAtMs: number
  private running: Promise<void> = Promise.resolve()

  constructor(options: PlacementWatchOptions, modules: PlacementWatchModules) {
    this.options = options
    this.modules = modules
    this.movedAtMs = modules.clock.monotonicMs()
    this.loop = new Loop({ everyMs: LOOK_INTERVAL_MS }, { clock: modules.clock, look: () => this.look() })
  }

  start(): void {
    if (this.options.registry === '') {
      this.modules.log.info({}, 'no registry: nothing is assigned to anyone')
      return
    }
    this.running = guardLoop('placement', this.loop.start(), this.modules.onFatal)
  }

  async stop(): Promise<void> {
    await this.loop.stop()
    await this.running
  }

  /** Undefined without a registry, and before the first table is in force. */
  get inForce(): PlacementTable | undefined {
    const { seenPeriod } = this
    if (seenPeriod === undefined) return undefined
    return this.tables.findLast(({ era }) => beginOf(era) <= seenPeriod)
  }

  /** The table of the coming era, once it was read: in the first 8 periods of that era, as a rule. */
  get next(): PlacementTable | undefined {
    const newest = this.tables.at(-1)
    return newest === this.inForce ? undefined : newest
  }

  /** Whether the table in force is the one that has to be: else nothing is dropped, and no repair started. */
  get isCurrent(): boolean {
    const { seenPeriod, inForce } = this
    if (seenPeriod === undefined || inForce === undefined) return false
    if (this.modules.clock.monotonicMs() - this.movedAtMs > MAX_STILL_MS) return false
    return seenPeriod < beginOf(inForce.era + 1)
  }

  /** Undefined without a registry. */
  status(): PlacementStatus | undefined {
    const { registry } = this.options
    if (registry === '') return undefined
    const { inForce, next, failure, isCurrent } = this
    return {
      registry,
      ...(inForce && { inForce: describe(inForce) }),
      ...(next && { nextFromPeriod: beginOf(next.era) }),
      isCurrent,
      ...(failure && { failing: { code: failure.code, message: failure.message } }),
    }
  }

  /** What `start` does again and again. */
  async look(): Promise<void> {
    const { clock, finalPeriod } = this.modules
    const period = finalPeriod()
    if (period === undefined) return
    if (this.seenPeriod === undefined || period > this.seenPeriod) {
      this.seenPeriod = period
      this.movedAtMs = clock.monotonicMs()
    }
    const era = Math.floor(this.seenPeriod / ERA_PERIODS)
    const newest = this.tables.at(-1)
    if ((newest === undefined || newest.era < era) && clock.monotonicMs() >= this.retryAtMs) await this.take(era)
    this.tell()
  }

  private async take(era: number): Promise<void> {
    const { log, clock } = this.modules
    const { signal } = this.loop
    try {
      const reading = await this.read(era)
      await this.keep(reading)
      const table = await computePlacementTable(reading, signal)
      if (this.failure) log.info({ era }, 'placement can be read again')
      if (this.tables.length === 0) this.compareReplicas(table)
      this.failure = undefined
      this.tables = [...this.tables, table].slice(-2)
    } catch (error) {
      if (signal.aborted) return
      if (!isArchiveError(error) || isBug(error)) throw error
      this.retryAtMs = clock.monotonicMs() + RETRY_MS
      const isNew = this.failure?.code !== error.code
      this.failure = error
      if (isNew)
        log.warn({ era, err: error, code: error.code }, 'placement cannot be read, the last one stays in force')
    }
  }

  /** The table counts whether it is kept or not. */
  private async keep(reading: PlacementReading): Promise<void> {
    try {
      await this.modules.archive.put(this.options.registry, reading)
    } catch (error) {
      if (!isArchiveError(error)) throw error
      const { era } = reading.snapshot
      this.modules.log.warn({ era, err: error, code: error.code }, 'placement of the era is not kept')
    }
  }

  private read(era: number): Promise<PlacementReading> {
    const { registry, network } = this.options
    const { nodes, clock } = this.modules
    const { signal } = this.loop
    return askInTurn(nodes, (node) => readPlacement({ registry, network, era, signal }, { node, clock }), signal)
  }

  private compareReplicas({ replicationFactor }: PlacementTable): void {
    const { localReplicas } = this.options
    if (replicationFactor === localReplicas) return
    this.modules.log.warn(
      { replicas: replicationFactor, other: localReplicas },
      'the registry decides how many copies there are, not replication_factor of the configuration',
    )
  }

  /** Once for each table that comes into force. */
  private tell(): void {
    const { inForce } = this
    if (inForce === undefined || inForce.era === this.toldEra) return
    this.toldEra = inForce.era
    const { log } = this.modules
    const { era, root, nodes, replicas, wantedReplicas, fewestHolders, keepsForEver } = describe(inForce)
    log.info({ era, nodes, replicas, root }, 'placement in force')
    if (fewestHolders < wantedReplicas) {
      log.warn(
        { era, nodes, replicas: fewestHolders, wantedReplicas },
        'fewer nodes, or less room, than the copies that the registry asks for',
      )
    }
    if (!keepsForEver) log.warn({ era, nodes }, 'no node of the registry keeps for ever')
  }
}

/** First period in which the table of an era is in force. */
function beginOf(era: number): Period {
  return era * ERA_PERIODS + PLACEMENT_IN_FORCE_PERIODS
}

function describe(table: PlacementTable): NonNullable<PlacementStatus['inForce']> {
  return {
    era: table.era,
    root: toHex(table.root),
    nodes: table.snapshot.nodes.length,
    replicas: table.replicas,
    wantedReplicas: table.replicationFactor,
    fewestHolders: table.fewestHolders,
    keepsForEver: table.keepsForEver,
  }
}
