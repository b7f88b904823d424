import type { PlacementSnapshot, RegisteredNode } from '../holders.ts'
import { ERA_PERIODS, type Network, type Period } from '../units.ts'
import { type ArgsCodec, ArgsReader, bool, list, text, u8, u32, u64 } from './args.ts'
import { type RegistryState, readStateRecord } from './state-record.ts'
import type { NodeMetadata } from './views.ts'

/*
 * The registry's records as they stand in its datastore (docs/CONTRACT.md, Records), and what placement takes from
 * them. Integers are little endian.
 */

const RECORD_VERSION = 1
const ADDRESS_CHARACTERS = 53
/** Sizes of records, room for later fields included. */
const CONFIG_BYTES = 192
const NODE_BYTES = 384
/** Of 10^9 declared bytes placement counts so many: what is left bears skew and overhead. */
const PLACED_BYTES_PER_GB = 800_000_000n

/** Datastore keys of what placement is read from; nodes and their metadata stand under prefixes. */
export const PLACEMENT_KEYS = {
  state: 'state',
  config: 'config',
  nodePrefix: 'node_',
  metadataPrefix: 'meta_',
} as const

/** Final entries of a registry, all of one height. */
export interface PlacementRecords {
  readonly state: Uint8Array
  readonly config: Uint8Array
  /** Values under `node_{address}`, and `meta_{address}` of those that have it, by address. */
  readonly nodes: ReadonlyMap<string, { readonly record: Uint8Array; readonly metadata: Uint8Array | undefined }>
}

/**
 * What decides who holds what in the era of `period`, read from final records of that height.
 *
 * Any height of the era gives the same: each value that placement uses keeps the era of its last change and the value
 * before it.
 *
 * @throws ArchiveError CORE_BYTES_INVALID for records of another version, or written after the era
 */
export function readPlacementSnapshot(records: PlacementRecords, network: Network, period: Period): PlacementSnapshot {
  const era = Math.floor(period / ERA_PERIODS)
  const state = readStateRecord(records.state)
  const config = readConfig(records.config)
  const sample = state.sampledEra < BigInt(era) ? sampleNow(state, config) : takenSample(state)
  if (state.sampledEra > BigInt(era)) throw begin(records.state).error(`written in era ${state.sampledEra}, not ${era}`)
  const nodes = Array.from(records.nodes, ([address, { record, metadata }]): RegisteredNode => {
    const node = readNode(record, state.switchEra)
    if (node.address !== address) throw begin(record).error(`the record of ${address} is of ${node.address}`)
    const { p2pAddrs, operator } = metadata ? readMetadata(metadata, BigInt(era)) : { p2pAddrs: [], operator: '' }
    return {
      address,
      placementGb: valueIn(BigInt(era), node.placement),
      retentionPeriods: valueIn(BigInt(era), node.retention),
      operator,
      p2pAddrs,
    }
  })
  return { network, era, ...sample, nodes: nodes.filter(({ placementGb }) => placementGb > 0n) }
}

/** Changes whenever a node is entered or leaves: records read before and after it are not of one set of nodes. */
export function readRegistryVersion(state: Uint8Array): bigint {
  return readStateRecord(state).registryVersion
}

/** Copies that the settings of the registry ask for; an era has fewer when there are fewer nodes, or too little room. */
export function readReplicationFactor(config: Uint8Array): number {
  return readConfig(config).replicationFactor
}

/** Eras in which a node that was given a hash slot has to fetch it; what it lost it keeps for twice as long. */
export function readPlacementLagEras(config: Uint8Array): number {
  return readConfig(config).placementLagEras
}

interface EraValue {
  readonly value: bigint
  readonly changedEra: bigint
  readonly previous: bigint
}

function valueIn(era: bigint, { value, changedEra, previous }: EraValue): bigint {
  return changedEra < era ? value : previous
}

type Sample = Pick<PlacementSnapshot, 'eraBytes' | 'replicas' | 'requireAnchors'>

function takenSample({ eraBytes, eraReplicas, eraAnchors }: RegistryState): Sample {
  return { eraBytes, replicas: eraReplicas, requireAnchors: eraAnchors }
}

interface Config {
  readonly replicationFactor: number
  readonly requireAnchors: boolean
  readonly placementLagEras: number
}

function readConfig(record: Uint8Array): Config {
  const reader = begin(record, CONFIG_BYTES)
  skip(reader, 6 * 8 + 3 * 4 + 2 * 8)
  const replicationFactor = u32.read(reader)
  skip(reader, 4)
  const requireAnchors = bool.read(reader)
  skip(reader, 8 + 4 + 3 * 8)
  const placementLagEras = u32.read(reader)
  skip(reader, 2 * 8)
  endPadded(reader)
  return { replicationFactor, requireAnchors, placementLagEras }
}

/** What the first writing call of the era will freeze: nothing has changed in it before that. */
function sampleNow(state: RegistryState, config: Config): Sample {
  const replicas = computeReplicas({ ...state, replicationFactor: config.replicationFactor })
  return { eraBytes: state.anchoredBytes, replicas: Number(replicas), requireAnchors: config.requireAnchors }
}

/** What decides how many copies of each chunk there are. */
export interface ReplicaRoom {
  readonly replicationFactor: number
  /** Nodes that count. */
  readonly activeNodes: bigint
  /** GB that they offer together. */
  readonly placementTotal: bigint
  readonly anchoredBytes: bigint
}

/** Copies of each chunk that the nodes have room for: at most `replicationFactor`, at least 1. */
export function computeReplicas({
  replicationFactor,
  activeNodes,
  placementTotal,
  anchoredBytes,
}: ReplicaRoom): bigint {
  let replicas = least(BigInt(replicationFactor), activeNodes)
  if (anchoredBytes > 0n) {
    const neededGb = (anchoredBytes + PLACED_BYTES_PER_GB - 1n) / PLACED_BYTES_PER_GB
    replicas = least(replicas, placementTotal / neededGb)
  }
  return replicas > 1n ? replicas : 1n
}

function readNode(record: Uint8Array, switchEra: bigint | undefined) {
  const reader = begin(record, NODE_BYTES)
  const address = readPaddedAddress(reader)
  skip(reader, 6 * 8 + 1 + 10 * 8)
  const placement = readEraValue(reader)
  const retention = readEraValue(reader)
  skip(reader, 3 * 4 + 8 + 4 + 8 + 1 + 8 + 1 + ADDRESS_CHARACTERS + 2 * 8)
  const isAnchored = u8.read(reader) !== 0
  skip(reader, 8)
  endPadded(reader)
  return {
    address,
    retention,
    placement: switchEra === undefined || isAnchored ? placement : end(placement, switchEra),
  }
}

/** The switch to anchors ended placements made without them; it could not write that into every record. */
function end(placement: EraValue, switchEra: bigint): EraValue {
  if (placement.value === 0n) return placement
  const previous = placement.changedEra < switchEra ? placement.value : placement.previous
  const changedEra = placement.changedEra < switchEra ? switchEra : placement.changedEra
  return { value: 0n, changedEra, previous }
}

function readEraValue(reader: ArgsReader): EraValue {
  return { value: u64.read(reader), changedEra: u64.read(reader), previous: u64.read(reader) }
}

const METADATA: { readonly [K in keyof NodeMetadata]: ArgsCodec<NodeMetadata[K]> } = {
  p2pAddrs: list(text),
  endpoint: text,
  location: text,
  operator: text,
}

function readMetadata(record: Uint8Array, era: bigint): Pick<NodeMetadata, 'p2pAddrs' | 'operator'> {
  const reader = begin(record)
  const fromEra = u64.read(reader)
  const current = reader.sized()
  const previous = reader.sized()
  reader.end()
  const fields = new ArgsReader(fromEra <= era ? current : previous)
  const p2pAddrs = METADATA.p2pAddrs.read(fields)
  METADATA.endpoint.read(fields)
  METADATA.location.read(fields)
  const operator = METADATA.operator.read(fields)
  fields.end()
  return { p2pAddrs, operator }
}

function begin(record: Uint8Array, sizeBytes = record.length): ArgsReader {
  const reader = new ArgsReader(record)
  if (record.length !== sizeBytes) throw reader.error(`a record of ${record.length} bytes, not ${sizeBytes}`)
  const version = u8.read(reader)
  if (version !== RECORD_VERSION) throw reader.error(`a record of version ${version}`)
  return reader
}

/** Records of a fixed size keep room for later fields: zero today. */
function endPadded(reader: ArgsReader): void {
  while (!reader.isAtEnd) if (u8.read(reader) !== 0) throw reader.error('something stands behind the last field')
}

function skip(reader: ArgsReader, bytes: number): void {
  reader.raw(bytes)
}

function readPaddedAddress(reader: ArgsReader): string {
  const length = u8.read(reader)
  const padded = reader.raw(ADDRESS_CHARACTERS)
  if (length > ADDRESS_CHARACTERS) throw reader.error(`an address of ${length} characters`)
  return new TextDecoder().decode(padded.subarray(0, length))
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}
