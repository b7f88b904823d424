import {
  type Clock,
  computeBodyBytes,
  computeEraRoot,
  ERA_PERIODS,
  type EraAnchor,
  PERIOD_MS,
  type Period,
  type RegisteredNode,
} from '../../core/index.ts'
import { computePlacementTable, type PlacementTable } from '../../storage-worker/index.ts'
import { PLACEMENT_IN_FORCE_PERIODS } from '../../storage-worker/placement/placement-table.ts'
import { SIM_IDENTITY, type SimChain } from './sim-chain.ts'
import type { SimIdentity } from './sim-identity.ts'

/** What every node offers by its configuration: one that has less counts as away. */
const PLACEMENT_GB = 10n
/** Periods behind its end in which an era is anchored. */
const ANCHORED_PERIODS = 12
/** As PlacementWatch has it: a chain that stands still tells nothing. */
const MAX_STILL_MS = PLACEMENT_IN_FORCE_PERIODS * PERIOD_MS

interface RegistryShape {
  readonly replicas: number
  /** Who is registered when each era begins, from era 0 on. */
  readonly members: readonly (readonly SimIdentity[])[]
  /** Whether eras are anchored, and have to be. */
  readonly isAnchored: boolean
}

/**
 * The registry: who is in it at the start of each era, and which eras are anchored. Tables are computed by the room that
 * does so, once for all nodes, before virtual time begins: each node would find the same.
 */
export class SimRegistry {
  readonly replicas: number
  readonly isAnchored: boolean
  private readonly chain: SimChain
  private readonly tables: readonly PlacementTable[]
  private readonly anchors = new Map<number, EraAnchor>()

  private constructor(
    { replicas, isAnchored }: RegistryShape,
    modules: { readonly chain: SimChain; readonly tables: readonly PlacementTable[] },
  ) {
    this.replicas = replicas
    this.isAnchored = isAnchored
    this.chain = modules.chain
    this.tables = modules.tables
  }

  static async open(shape: RegistryShape, chain: SimChain): Promise<SimRegistry> {
    const tables: PlacementTable[] = []
    for (const era of shape.members.keys()) tables.push(await computeTable(era, shape))
    return new SimRegistry(shape, { chain, tables })
  }

  tableOf(era: number): PlacementTable | undefined {
    return this.tables[era]
  }

  /** The table in force once this period is final. */
  tableAt(finalPeriod: Period): PlacementTable | undefined {
    return this.tableOf(Math.max(0, Math.floor((finalPeriod - PLACEMENT_IN_FORCE_PERIODS) / ERA_PERIODS)))
  }

  /** Of an era, as its record stands once this period is final. */
  anchorOf(era: number, finalPeriod: Period): EraAnchor | undefined {
    if (!this.isAnchored || finalPeriod < (era + 1) * ERA_PERIODS + ANCHORED_PERIODS) return undefined
    const known = this.anchors.get(era) ?? this.makeAnchor(era)
    this.anchors.set(era, known)
    return known
  }

  private makeAnchor(era: number): EraAnchor {
    const first = era * ERA_PERIODS
    const periods = Array.from({ length: ERA_PERIODS }, (_, i) => this.chain.period(first + i))
    const totals = {
      network: SIM_IDENTITY.network,
      era,
      totalBytes: BigInt(periods.reduce((sum, { manifest }) => sum + computeBodyBytes(manifest), 0)),
      totalChunks: BigInt(periods.reduce((sum, { chunks }) => sum + chunks.length, 0)),
    }
    const roots = periods.map(({ summary }) => summary.root)
    return {
      ...totals,
      root: computeEraRoot(totals, roots),
      placementRoot: this.tableOf(era + 1)?.root ?? new Uint8Array(32),
      anchoredPeriod: BigInt(first + ERA_PERIODS + ANCHORED_PERIODS),
    }
  }
}

/** What PlacementWatch tells a node, by the newest final period that its massa-node knows. */
export class SimPlacement {
  private readonly registry: SimRegistry
  private readonly finalPeriod: () => Period
  private readonly clock: Clock
  private seenPeriod: Period = -1
  private movedAtMs = Number.NEGATIVE_INFINITY

  constructor(modules: {
    readonly registry: SimRegistry
    readonly finalPeriod: () => Period
    readonly clock: Clock
  }) {
    this.registry = modules.registry
    this.finalPeriod = modules.finalPeriod
    this.clock = modules.clock
  }

  get inForce(): PlacementTable | undefined {
    return this.registry.tableAt(this.finalPeriod())
  }

  /** That of the coming era, as soon as its begin is final. */
  get next(): PlacementTable | undefined {
    const period = this.finalPeriod()
    if (period % ERA_PERIODS >= PLACEMENT_IN_FORCE_PERIODS) return undefined
    return this.registry.tableOf(Math.floor(period / ERA_PERIODS))
  }

  get isCurrent(): boolean {
    const period = this.finalPeriod()
    const nowMs = this.clock.monotonicMs()
    if (period > this.seenPeriod) {
      this.seenPeriod = period
      this.movedAtMs = nowMs
    }
    return this.inForce !== undefined && nowMs - this.movedAtMs <= MAX_STILL_MS
  }

  status(): undefined {
    return undefined
  }
}

/** What AnchoredEras tells a node. */
export class SimAnchors {
  private readonly registry: SimRegistry
  private readonly finalPeriod: () => Period

  constructor(modules: { readonly registry: SimRegistry; readonly finalPeriod: () => Period }) {
    this.registry = modules.registry
    this.finalPeriod = modules.finalPeriod
  }

  isAnchored(era: number): boolean {
    return this.registry.anchorOf(era, this.finalPeriod()) !== undefined
  }

  async find(era: number): Promise<EraAnchor | undefined> {
    return this.registry.anchorOf(era, this.finalPeriod())
  }
}

/** Of the same members and replicas only the era differs: the last one computed is used again for other seeds. */
const computed = new Map<string, Promise<PlacementTable>>()

function computeTable(era: number, { replicas, members, isAnchored }: RegistryShape): Promise<PlacementTable> {
  const identities = members[era] ?? []
  const key = `${era} ${replicas} ${isAnchored} ${identities.map(({ name }) => name).join()}`
  const known = computed.get(key)
  if (known) return known
  const nodes = identities.map(
    ({ massaAddress, address }): RegisteredNode => ({
      address: massaAddress,
      placementGb: PLACEMENT_GB,
      operator: '',
      p2pAddrs: [address],
      retentionPeriods: 0n,
    }),
  )
  const { network } = SIM_IDENTITY
  const snapshot = { network, era, replicas, eraBytes: 0n, requireAnchors: isAnchored, nodes }
  const table = computePlacementTable({ snapshot, replicationFactor: replicas, period: era * ERA_PERIODS })
  computed.set(key, table)
  return table
}
