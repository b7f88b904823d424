import { ERA_PERIODS, type Period, type RegisteredNode } from '../../core/index.ts'
import { computePlacementTable, type PlacementTable } from '../../storage-worker/index.ts'
import { PLACEMENT_IN_FORCE_PERIODS } from '../../storage-worker/placement/placement-table.ts'
import { SIM_IDENTITY } from './sim-chain.ts'
import type { SimIdentity } from './sim-identity.ts'

const PLACEMENT_GB = 100n

/**
 * The registry: who is in it at the start of each era. Tables are computed by the room that does so, once for all nodes,
 * before virtual time begins: each node would find the same.
 */
export class SimRegistry {
  readonly replicas: number
  private readonly tables: readonly PlacementTable[]

  private constructor(replicas: number, tables: readonly PlacementTable[]) {
    this.replicas = replicas
    this.tables = tables
  }

  /** @param members who is registered when each era begins, from era 0 on */
  static async open(replicas: number, members: readonly (readonly SimIdentity[])[]): Promise<SimRegistry> {
    const tables: PlacementTable[] = []
    for (const [era, identities] of members.entries()) {
      tables.push(await computeTable(era, replicas, identities))
    }
    return new SimRegistry(replicas, tables)
  }

  tableOf(era: number): PlacementTable | undefined {
    return this.tables[era]
  }
}

/** What PlacementWatch tells a node, by the newest final period that its massa-node knows. */
export class SimPlacement {
  private readonly registry: SimRegistry
  private readonly finalPeriod: () => Period | undefined

  constructor(registry: SimRegistry, finalPeriod: () => Period | undefined) {
    this.registry = registry
    this.finalPeriod = finalPeriod
  }

  get inForce(): PlacementTable | undefined {
    const period = this.finalPeriod()
    if (period === undefined) return undefined
    const era = Math.floor((period - PLACEMENT_IN_FORCE_PERIODS) / ERA_PERIODS)
    return this.registry.tableOf(Math.max(0, era))
  }

  /** That of the coming era, as soon as its begin is final. */
  get next(): PlacementTable | undefined {
    const period = this.finalPeriod()
    if (period === undefined || period % ERA_PERIODS >= PLACEMENT_IN_FORCE_PERIODS) return undefined
    return this.registry.tableOf(Math.floor(period / ERA_PERIODS))
  }

  get isCurrent(): boolean {
    return this.inForce !== undefined
  }

  status(): undefined {
    return undefined
  }
}

/** Of the same members and replicas only the era differs: the last one computed is used again for other seeds. */
const computed = new Map<string, Promise<PlacementTable>>()

function computeTable(era: number, replicas: number, identities: readonly SimIdentity[]): Promise<PlacementTable> {
  const key = `${era} ${replicas} ${identities.map(({ name }) => name).join()}`
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
  const snapshot = { network: SIM_IDENTITY.network, era, replicas, eraBytes: 0n, requireAnchors: false, nodes }
  const table = computePlacementTable({ snapshot, replicationFactor: replicas, period: era * ERA_PERIODS })
  computed.set(key, table)
  return table
}
