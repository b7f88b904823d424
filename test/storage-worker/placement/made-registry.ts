import type { DatastoreAnswers, DatastoreQuery, NodeStatus } from '../../../archiver/index.ts'
import { compareBytes, ERA_PERIODS, type Network, THREAD_COUNT } from '../../../core/index.ts'
import type { PlacementNode } from '../../../storage-worker/index.ts'
import { ArgsWriter } from '../../reference/args-writer.ts'
import { NODE_OFFSETS, STATE_OFFSETS } from '../../sc/registry-records.ts'

export const NETWORK: Network = { chainId: 77n, genesisTimestampMs: 0n }
export const REGISTRY = 'AS12umT6fgVWXVSjXXVEdkfd14Gkc8ienLH2m3NHA4VgbQAgpdd7p'
const NONE = (1n << 64n) - 1n
/** Offsets in the record `config` (docs/CONTRACT.md, Records). */
const CONFIG_REPLICATION_OFFSET = 77
const CONFIG_LAG_OFFSET = 122

export interface MadeNode {
  readonly placementGb?: bigint
  readonly retentionPeriods?: bigint
  readonly operator?: string
  readonly p2pAddrs?: readonly string[]
}

/** Records of a registry as a node of the chain gives them, without a chain. */
export class MadeRegistry implements PlacementNode {
  readonly url = 'made'
  /** Of the final slot. */
  period: number
  network = NETWORK
  /** All queries of each call, in order. */
  readonly calls: (readonly DatastoreQuery[])[] = []
  /** Before a call is answered; it may change anything, throw, or answer itself. */
  beforeCall: (call: number) => Promise<DatastoreAnswers | undefined> | DatastoreAnswers | undefined = () => undefined
  /** By key, as latin1. */
  private readonly entries = new Map<string, Uint8Array>()
  private sortedKeys: Uint8Array[] | undefined

  constructor(options: { readonly era?: number; readonly replicas?: number } = {}) {
    const { era = 3, replicas = 3 } = options
    this.period = era * ERA_PERIODS + 20
    this.sample(era, replicas)
    const config = new DataView(new ArrayBuffer(192))
    config.setUint8(0, 1)
    config.setUint32(CONFIG_REPLICATION_OFFSET, 3, true)
    config.setUint32(CONFIG_LAG_OFFSET, 42, true)
    this.put('config', new Uint8Array(config.buffer))
  }

  /** As the first call of an era does. */
  sample(era: number, replicas: number): void {
    const state = new DataView(new ArrayBuffer(320))
    state.setUint8(0, 1)
    state.setBigUint64(offset(STATE_OFFSETS, 'sampledEra'), BigInt(era), true)
    state.setUint32(offset(STATE_OFFSETS, 'eraReplicas'), replicas, true)
    state.setBigUint64(offset(STATE_OFFSETS, 'switchEra'), NONE, true)
    this.put('state', new Uint8Array(state.buffer))
  }

  /** It was so long before. */
  add(
    address: string,
    { placementGb = 10n, retentionPeriods = 0n, operator = '', p2pAddrs = [] }: MadeNode = {},
  ): void {
    const record = new DataView(new ArrayBuffer(384))
    record.setUint8(0, 1)
    record.setUint8(1, address.length)
    new Uint8Array(record.buffer).set(Buffer.from(address), 2)
    for (const [name, value] of [
      ['placementGb', placementGb],
      ['previousPlacementGb', placementGb],
      ['retentionPeriods', retentionPeriods],
      ['previousRetentionPeriods', retentionPeriods],
    ] as const) {
      record.setBigUint64(offset(NODE_OFFSETS, name), value, true)
    }
    this.put(`node_${address}`, new Uint8Array(record.buffer))
    const current = new ArgsWriter().strings(p2pAddrs).string('').string('').string(operator).finish()
    const previous = new ArgsWriter().strings([]).string('').string('').string('').finish()
    if (operator !== '' || p2pAddrs.length > 0) {
      const metadata = new ArgsWriter().u64(0n).bytes(current).bytes(previous).finish()
      this.put(`meta_${address}`, Buffer.concat([Buffer.of(1), metadata]))
    }
    this.touch()
  }

  remove(address: string): void {
    this.entries.delete(`node_${address}`)
    this.sortedKeys = undefined
    this.touch()
  }

  put(key: string, value: Uint8Array): void {
    this.entries.set(key, value)
    this.sortedKeys = undefined
  }

  get(key: string): Uint8Array {
    return this.entries.get(key) ?? new Uint8Array(0)
  }

  clear(): void {
    this.entries.clear()
    this.sortedKeys = undefined
  }

  getStatus(): Promise<NodeStatus> {
    const { network } = this
    const lastFinalSlot = { period: this.period, thread: 0 }
    return Promise.resolve({ network, threadCount: THREAD_COUNT, version: 'made', currentTimeMs: 0, lastFinalSlot })
  }

  async queryDatastore(address: string, queries: readonly DatastoreQuery[]): Promise<DatastoreAnswers> {
    this.calls.push(queries)
    const forced = await this.beforeCall(this.calls.length)
    if (forced) return forced
    const answers = queries.map((query) => {
      if (address !== REGISTRY || this.entries.size === 0) return undefined
      if (query.kind === 'keys') return this.page(query)
      const value = this.entries.get(Buffer.from(query.key).toString('latin1'))
      return value && [value]
    })
    return { slot: { period: this.period, thread: 0 }, answers }
  }

  private page({ prefix, after, limit }: Extract<DatastoreQuery, { kind: 'keys' }>): Uint8Array[] {
    this.sortedKeys ??= [...this.entries.keys()].map((key) => Buffer.from(key, 'latin1')).sort(compareBytes)
    const behind = this.sortedKeys.filter(
      (key) => prefix.every((byte, i) => key[i] === byte) && (!after || compareBytes(key, after) > 0),
    )
    return behind.slice(0, limit)
  }

  /** The set of nodes changed. */
  private touch(): void {
    const state = this.get('state').slice()
    const view = new DataView(state.buffer)
    const at = offset(STATE_OFFSETS, 'registryVersion')
    view.setBigUint64(at, view.getBigUint64(at, true) + 1n, true)
    this.put('state', state)
  }
}

function offset(offsets: ReadonlyMap<string, number>, name: string): number {
  const at = offsets.get(name)
  if (at === undefined) throw new Error(`there is no field ${name}`)
  return at
}
