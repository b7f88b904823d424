import { checkNodeStatus } from '../../archiver/check-node-status.ts'
import {
  type DatastoreAnswers,
  type DatastoreQuery,
  KEYS_PER_QUERY,
  QUERIES_PER_CALL,
} from '../../archiver/datastore-queries.ts'
import type { NodeStatus } from '../../archiver/node-client.ts'
import {
  ArchiveError,
  type Clock,
  compareBytes,
  ERA_PERIODS,
  isArchiveError,
  type Network,
  type Period,
  PLACEMENT_KEYS,
  type PlacementRecords,
  type PlacementSnapshot,
  readPlacementLagEras,
  readPlacementSnapshot,
  readRegistryVersion,
  readReplicationFactor,
} from '../../core/index.ts'

/** What one reading takes at most. */
export const PLACEMENT_LIMITS = {
  /** Twice what a registry admits by its default (`maxNodes`); 160 calls for 10,000 nodes. */
  nodes: 20_000,
  /** Of one value. Metadata of full length, twice, measure 2,929 bytes (docs/CONTRACT.md, Records). */
  recordBytes: 4_096,
  /** Of all values: 20,000 node records with full metadata. */
  totalBytes: 68_000_000,
  /** An era lasts 34 minutes: what takes longer than five would be read by nobody in time. */
  timeMs: 300_000,
  /** Readings that a change of the set of nodes, or the end of an era, may spoil. */
  attempts: 5,
} as const
export type PlacementLimits = { readonly [K in keyof typeof PLACEMENT_LIMITS]: number }

/** A massa-node, as far as a registry is read from it. */
export interface PlacementNode {
  readonly url: string
  getStatus(): Promise<NodeStatus>
  queryDatastore(address: string, queries: readonly DatastoreQuery[]): Promise<DatastoreAnswers>
}

/** What the registry says about one era. */
export interface PlacementReading {
  readonly snapshot: PlacementSnapshot
  /** Copies that its settings ask for; the era's own number is `snapshot.replicas`. */
  readonly replicationFactor: number
  /** Eras that a node has to fetch what it was given, by its settings; the longest there may be where they are not known. */
  readonly lagEras?: number
  /** Of the final slot that it was read at. */
  readonly period: Period
}

export interface ReadPlacementOptions {
  /** Address of the registry. */
  readonly registry: string
  readonly network: Network
  /** Refuses when the chain is in another era. */
  readonly era?: number | undefined
  readonly limits?: PlacementLimits
  readonly signal?: AbortSignal | undefined
}

/**
 * Reads from final datastore entries what decides who holds what in the era that the final state is in.
 *
 * Up to 63 nodes all records are of one height. More take several calls, all within the era and with the same set of
 * nodes: what a record says about an era is the same at every height of it, so the order of reading changes nothing.
 *
 * @throws ArchiveError PLACEMENT_*, ARCHIVER_NODE_UNREACHABLE, ARCHIVER_NODE_REFUSED, ARCHIVER_MESSAGE_TOO_LARGE,
 *   ARCHIVER_NETWORK_MISMATCH
 */
export async function readPlacement(
  options: ReadPlacementOptions,
  modules: { readonly node: PlacementNode; readonly clock: Pick<Clock, 'nowMs' | 'monotonicMs'> },
): Promise<PlacementReading> {
  const { node, clock } = modules
  const { network, limits = PLACEMENT_LIMITS } = options
  const startedMs = clock.monotonicMs()
  const status = await node.getStatus()
  checkNodeStatus(status, { node: 0, network, nowMs: clock.nowMs() })
  const checkTime = (): void => {
    options.signal?.throwIfAborted()
    const tookMs = clock.monotonicMs() - startedMs
    if (tookMs <= limits.timeMs) return
    throw new ArchiveError('PLACEMENT_TIMEOUT', `the records of the registry took more than ${limits.timeMs} ms`, {
      url: node.url,
    })
  }
  for (let attempt = 0; attempt < limits.attempts; attempt++) {
    const reading = await new Reading(options.registry, node, limits, checkTime).take(options)
    if (reading) return reading
  }
  throw new ArchiveError('PLACEMENT_UNSETTLED', `the registry changed during each of ${limits.attempts} readings`, {
    url: node.url,
  })
}

const utf8 = new TextEncoder()
const STATE: DatastoreQuery = { kind: 'value', key: utf8.encode(PLACEMENT_KEYS.state) }
const CONFIG: DatastoreQuery = { kind: 'value', key: utf8.encode(PLACEMENT_KEYS.config) }
const NODE_PREFIX = utf8.encode(PLACEMENT_KEYS.nodePrefix)
/** Behind state and config: record and metadata of each node. */
const NODES_PER_CALL = (QUERIES_PER_CALL - 2) / 2

/** What every answer begins with. */
interface Head {
  readonly period: Period
  readonly state: Uint8Array
  readonly config: Uint8Array
  readonly rest: DatastoreAnswers['answers']
}

/** One try. */
class Reading {
  private readonly registry: string
  private readonly node: PlacementNode
  private readonly limits: PlacementLimits
  private readonly checkTime: () => void
  private bytes = 0

  constructor(registry: string, node: PlacementNode, limits: PlacementLimits, checkTime: () => void) {
    this.registry = registry
    this.node = node
    this.limits = limits
    this.checkTime = checkTime
  }

  /** Undefined when the registry or the era changed meanwhile. */
  async take({ network, era: wanted }: ReadPlacementOptions): Promise<PlacementReading | undefined> {
    const first = await this.ask([keysBehind(undefined)])
    const era = eraOf(first)
    if (wanted !== undefined && wanted !== era) {
      const text = `the placement of era ${wanted} cannot be read: the final state is in era ${era}, period ${first.period}`
      throw new ArchiveError('PLACEMENT_ERA_OTHER', text, { era })
    }
    const version = this.parse(() => readRegistryVersion(first.state))
    let last = first
    const isSame = (head: Head): boolean => {
      last = head
      return eraOf(head) === era && this.parse(() => readRegistryVersion(head.state)) === version
    }
    const keys: Uint8Array[] = []
    for (let page = first.rest[0] ?? []; ; ) {
      this.addKeys(keys, page)
      if (page.length < KEYS_PER_QUERY) break
      const head = await this.ask([keysBehind(keys.at(-1))])
      if (!isSame(head)) return undefined
      page = head.rest[0] ?? []
    }
    const nodes = new Map<string, { record: Uint8Array; metadata: Uint8Array | undefined }>()
    for (let at = 0; at < keys.length; at += NODES_PER_CALL) {
      const addresses = keys.slice(at, at + NODES_PER_CALL).map(readAddressOf)
      const head = await this.ask(addresses.flatMap(recordsOf))
      if (!isSame(head)) return undefined
      for (const [i, address] of addresses.entries()) {
        const record = this.takeValue(head.rest[2 * i])
        // It left between two calls.
        if (record === undefined) return undefined
        nodes.set(address, { record, metadata: this.takeValue(head.rest[2 * i + 1]) })
      }
    }
    const { state, config, period } = last
    const records: PlacementRecords = { state, config, nodes }
    return this.parse(() => ({
      snapshot: readPlacementSnapshot(records, network, period),
      replicationFactor: readReplicationFactor(config),
      lagEras: readPlacementLagEras(config),
      period,
    }))
  }

  private async ask(queries: readonly DatastoreQuery[]): Promise<Head> {
    this.checkTime()
    const { slot, answers } = await this.node.queryDatastore(this.registry, [STATE, CONFIG, ...queries])
    const [state, config] = [this.takeValue(answers[0]), this.takeValue(answers[1])]
    if (!state || !config) {
      const text = `there is no storage-registry at ${this.registry} in the final state`
      throw new ArchiveError('PLACEMENT_REGISTRY_MISSING', text, { address: this.registry, url: this.node.url })
    }
    return { period: slot.period, state, config, rest: answers.slice(2) }
  }

  private addKeys(keys: Uint8Array[], page: readonly Uint8Array[]): void {
    if (keys.length + page.length > this.limits.nodes || page.length > KEYS_PER_QUERY) {
      throw this.tooLarge(`more than ${this.limits.nodes} nodes`)
    }
    for (const key of page) {
      const before = keys.at(-1)
      const isOrdered = before === undefined || compareBytes(before, key) < 0
      const isNode = NODE_PREFIX.every((byte, i) => key[i] === byte)
      if (!isOrdered || !isNode) {
        throw new ArchiveError('PLACEMENT_ANSWER_INVALID', 'keys of the registry are out of order or not asked for', {
          url: this.node.url,
        })
      }
      keys.push(key)
    }
  }

  /** A value, counted. */
  private takeValue(answer: readonly Uint8Array[] | undefined): Uint8Array | undefined {
    const value = answer?.[0]
    if (value === undefined) return undefined
    this.bytes += value.length
    if (value.length > this.limits.recordBytes) throw this.tooLarge(`a record of ${value.length} bytes`)
    if (this.bytes > this.limits.totalBytes) throw this.tooLarge(`more than ${this.limits.totalBytes} bytes`)
    return value
  }

  private tooLarge(what: string): ArchiveError {
    return new ArchiveError('PLACEMENT_TOO_LARGE', `the registry ${this.registry} has ${what}`, { url: this.node.url })
  }

  private parse<T>(parse: () => T): T {
    try {
      return parse()
    } catch (cause) {
      if (!isArchiveError(cause)) throw cause
      const text = `a record of the registry ${this.registry} cannot be read: ${cause.message}`
      throw new ArchiveError('PLACEMENT_RECORD_UNREADABLE', text, { address: this.registry }, cause)
    }
  }
}

function eraOf({ period }: Head): number {
  return Math.floor(period / ERA_PERIODS)
}

function keysBehind(after: Uint8Array | undefined): DatastoreQuery {
  return { kind: 'keys', prefix: NODE_PREFIX, after, limit: KEYS_PER_QUERY }
}

function readAddressOf(key: Uint8Array): string {
  return new TextDecoder().decode(key.subarray(NODE_PREFIX.length))
}

function recordsOf(address: string): DatastoreQuery[] {
  const { nodePrefix, metadataPrefix } = PLACEMENT_KEYS
  return [nodePrefix, metadataPrefix].map((prefix) => ({ kind: 'value', key: utf8.encode(prefix + address) }))
}
