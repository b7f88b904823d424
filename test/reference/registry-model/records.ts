import { ArgsWriter } from '../args-writer.ts'
import { encodeRecord, LAYOUTS } from './layout.ts'
import {
  type Challenge,
  type Metadata,
  NEVER,
  type Node,
  type Outcome,
  type Profile,
  type RegistryState,
  type VotePage,
} from './state.ts'

/*
 * The whole datastore, as bytes, out of the state (design: Storage keys and layouts).
 */

const OUTCOMES: readonly Outcome[] = ['open', 'passed', 'failed', 'expired', 'void']
const METADATA_VERSION = 1

/** Records are replaced, never changed: each needs encoding only once. */
const encoded = new WeakMap<object, Uint8Array>()
/** Likewise, for every index that a node has had. */
const encodedNodes = new WeakMap<Node, { readonly index: number; readonly bytes: Uint8Array }>()

/** Keys as latin-1 texts. */
export function encodeDatastore(state: RegistryState): Map<string, Uint8Array> {
  const store = new Map<string, Uint8Array>()
  store.set('admin', Buffer.from(state.admin))
  if (state.pendingAdmin !== undefined) store.set('padmin', Buffer.from(state.pendingAdmin))
  store.set(
    'config',
    encodeRecord(LAYOUTS.config, { ...state.config, requireAnchors: state.config.requireAnchors === 1n }),
  )
  if (state.pendingConfig) store.set('pconfig', encodeRecord(LAYOUTS.pending, state.pendingConfig))
  if (state.pendingCode) store.set('pcode', encodeRecord(LAYOUTS.pending, state.pendingCode))
  store.set('total_nodes', new ArgsWriter().u64(state.records.length).finish())
  store.set('state', encodeRecord(LAYOUTS.state, listState(state)))
  for (const [i, node] of state.records.entries()) {
    store.set(`node_${node.address}`, encodeNode(node, i))
    store.set(formatIndexKey(BigInt(i)), encodeRecord(LAYOUTS.index, { address: node.address }))
  }
  for (const [address, metadata] of state.metadata) store.set(`meta_${address}`, once(metadata, encodeMetadata))
  for (const [address, addedPeriod] of state.challengers) {
    store.set(`chlr_${address}`, encodeRecord(LAYOUTS.challenger, { addedPeriod }))
  }
  for (const [id, challenge] of state.challenges) {
    store.set(
      `chal_${id}`,
      once(challenge, (one) => encodeRecord(LAYOUTS.challenge, listChallenge(one))),
    )
  }
  for (const [period, stats] of state.periods) {
    store.set(
      `period_${period}`,
      once(stats, (one) => encodeRecord(LAYOUTS.period, one)),
    )
  }
  for (const [era, anchored] of state.eras) {
    store.set(
      `era_${era}`,
      once(anchored, (one) => encodeRecord(LAYOUTS.era, one)),
    )
  }
  for (const [name, vote] of state.votes)
    store.set(
      `vote_${name}`,
      once(vote, (one) => encodeRecord(LAYOUTS.vote, one)),
    )
  for (const [name, page] of state.votePages) store.set(`vote_${name}`, once(page, encodeVotePage))
  return store
}

/** Fields of a node by their names, as stored and as views return them. */
export function listNode(node: Node, index: number) {
  const { vote, placement, retention } = node
  return {
    ...node,
    vote: vote.value,
    voteEra: vote.era,
    previousVote: vote.previous,
    placementGb: placement.value,
    placementEra: placement.era,
    previousPlacementGb: placement.previous,
    retentionPeriods: retention.value,
    retentionEra: retention.era,
    previousRetentionPeriods: retention.previous,
    index: BigInt(index),
  }
}

export function listChallenge(challenge: Challenge) {
  return {
    ...challenge,
    resolved: challenge.outcome !== 'open',
    passed: challenge.outcome === 'passed',
    outcome: BigInt(OUTCOMES.indexOf(challenge.outcome)),
  }
}

export function writeProfile(args: ArgsWriter, profile: Profile): ArgsWriter {
  return args.strings(profile.p2pAddrs).string(profile.endpoint).string(profile.location).string(profile.operator)
}

/** `nidx_` and the index, big endian, so that keys are in order of indexes. */
export function formatIndexKey(index: bigint): string {
  return `nidx_${Buffer.from(index.toString(16).padStart(16, '0'), 'hex').toString('latin1')}`
}

function listState(state: RegistryState) {
  const { totalVotes } = state
  return {
    index: state.index,
    idxRem: state.indexRemainder,
    accruedPeriod: state.accruedPeriod,
    weight: state.weight,
    votes: totalVotes.value,
    voteEra: totalVotes.era,
    previousVotes: totalVotes.previous,
    activeNodes: state.activeNodes,
    placementTotal: state.placementTotal,
    pool: state.pool,
    owed: state.owed,
    stakes: state.stakes,
    anchoredBytes: state.anchoredBytes,
    anchoredChunks: state.anchoredChunks,
    latestEra: state.latestEra,
    firstEra: state.firstEra,
    genesisTimestamp: state.genesisTimestamp,
    lastDistributedPeriod: state.lastDistributedPeriod,
    accruedSince: state.accruedSince,
    returnedSince: state.returnedSince,
    shortSince: state.shortSince,
    challengerCount: BigInt(state.challengers.size),
    registryVersion: state.registryVersion,
    paused: state.paused,
    sampledEra: state.sampledEra,
    eraBytes: state.eraBytes,
    eraReplicas: state.eraReplicas,
    eraLag: state.eraLag,
    eraAnchors: state.eraAnchors === 1n,
    switchIndex: state.switched?.index ?? NEVER,
    switchEra: state.switched?.era ?? NEVER,
  }
}

function encodeNode(node: Node, index: number): Uint8Array {
  const known = encodedNodes.get(node)
  if (known?.index === index) return known.bytes
  const bytes = encodeRecord(LAYOUTS.node, listNode(node, index))
  encodedNodes.set(node, { index, bytes })
  return bytes
}

/** Places from the lowest bit of the first byte on. */
function encodeVotePage({ snapshotEra, counted }: VotePage): Uint8Array {
  const bits = new Uint8Array(32)
  for (const place of counted) bits[place >> 3] = (bits[place >> 3] ?? 0) + 2 ** (place % 8)
  return encodeRecord(LAYOUTS.votePage, { snapshotEra, bits })
}

function encodeMetadata({ fromEra, current, previous }: Metadata): Uint8Array {
  return new ArgsWriter()
    .u8(METADATA_VERSION)
    .u64(fromEra)
    .bytes(writeProfile(new ArgsWriter(), current).finish())
    .bytes(writeProfile(new ArgsWriter(), previous).finish())
    .finish()
}

function once<T extends object>(record: T, encode: (record: T) => Uint8Array): Uint8Array {
  const known = encoded.get(record)
  if (known) return known
  const bytes = encode(record)
  encoded.set(record, bytes)
  return bytes
}
