import { type Clock, isArchiveError, type Network, type Period, toHex } from '../../core/index.ts'
import type { SignedHavePage } from '../../protocol-handler/index.ts'
import type { Fetched } from '../peers/peer-client.ts'
import type { PlacementTable } from '../placement/placement-table.ts'
import { runInSlices } from '../placement/run-in-slices.ts'
import { PATROL_ROUND_MS } from '../replication/patrol.ts'
import { computePatienceMs } from '../replication/stand-ins.ts'
import type { ClusterNodeRow, ClusterReport } from './cluster-report.ts'
import { CopyTally, type CountedNode, type KnownClaims, type NodeState } from './copy-tally.ts'
import { type EraChunksStore, listEraChunks } from './era-chunks.ts'
import { listClusteredInSteps } from './list-clustered.ts'
import { readNodeClaimsInSteps } from './node-claims.ts'
import { planHealing } from './plan-healing.ts'

/** The newest periods are not looked at: a node has them up to a minute after another, and tells of them a little later. */
const SETTLING_PERIODS = 8
/** Have-maps are large: so many are on their way at a time. */
const FETCHES = 8
/** Of each list of a report; the rest is counted. */
const MAX_ROWS = 200
const MAX_HOLES = 20
/** Everything else has its turn after so long. */
const SLICE_MS = 5

/** What is known of the other nodes. */
export interface ClusterPeers extends KnownClaims {
  /** Without an address a peer did not say yet who it is. */
  listConnected(): readonly { readonly peer: string; readonly address: string | undefined }[]
  /** Whether a node is connected, or was heard of within the repair delay. */
  isLive(address: string): boolean
  /** For how long a node of the table has been away, as repair counts it; undefined when it is not. */
  awayForMs(address: string): number | undefined
  /** What a node said of itself last. */
  saidBy(address: string): SaidByNode | undefined
}

export interface SaidByNode {
  readonly retentionPeriods: bigint
  readonly storedChunks: bigint
  readonly firstPeriod: Period
  readonly endPeriod: Period
}

export interface ClusterCheckOptions {
  /** Massa address of this node. */
  readonly own: string
  readonly network: Network
  readonly repairDelaySeconds: number
  readonly onProgress?: (progress: {
    readonly phase: 'peers' | 'periods'
    readonly done: number
    readonly total: number
  }) => void
  readonly signal: AbortSignal
}

export interface ClusterCheckModules {
  /** In force. */
  readonly table: PlacementTable
  readonly isCurrent: boolean
  /** Hash slots that this node holds or stands in for. */
  readonly ownSlots: readonly number[]
  readonly store: EraChunksStore & {
    readRange(): Promise<{ readonly first: Period; readonly last: Period } | undefined>
  }
  readonly client: {
    fetchHaveMap(
      peer: string,
      address: string,
      network: Network,
      signal: AbortSignal,
    ): Promise<Fetched<readonly SignedHavePage[]>>
  }
  readonly peers: ClusterPeers
  readonly clock: Clock
}

type Unheard = ClusterReport['unheard'][number]

/**
 * Holds what all connected nodes say they hold against the table in force, for the chunks of the periods that are archived
 * here.
 *
 * @returns undefined when no period here is old enough to be looked for elsewhere
 * @throws what `signal` was aborted with
 */
export async function checkCluster(
  options: ClusterCheckOptions,
  modules: ClusterCheckModules,
): Promise<ClusterReport | undefined> {
  const { own, signal, onProgress } = options
  const { table, store, clock, peers, ownSlots } = modules
  const range = await store.readRange()
  if (!range) return undefined
  const last = range.last - SETTLING_PERIODS
  if (last < range.first) return undefined
  const { nodes, peerOf, unheard } = await askNodes(options, modules)
  const stateOf = new Map(nodes.map(({ address, state }) => [address, state]))
  const tally = new CopyTally({ table, nodes, ownSlots: new Set(ownSlots), head: range.last }, peers)
  const seen = new SeenPeriods(range.first)
  // What a node lacks between them begins and ends nowhere else.
  const cuts = nodes.flatMap(({ claims }) =>
    claims
      ? [claims.firstPeriod, ...claims.missingPeriods.flatMap((range) => [range.fromPeriod, range.endPeriod])]
      : [],
  )
  for await (const chunks of listEraChunks({ store, clock }, { from: range.first, to: last, cuts }, signal)) {
    tally.take(chunks)
    seen.take(chunks.periods, chunks.last)
    onProgress?.({ phase: 'periods', done: chunks.last - range.first + 1, total: last - range.first + 1 })
  }
  // Who shows next to nothing is connected, and stands in for nobody.
  const isHere = (address: string): boolean => address === own || peers.isLive(address)
  const isAway = (address: string): boolean => !isHere(address) || stateOf.get(address) === 'away'
  const repairDelayMs = options.repairDelaySeconds * 1_000
  // Who is here and not believed has some time to show what it has: since when is not known.
  const graceMs = (address: string): number => (stateOf.get(address) === 'away' ? 0 : computePatienceMs(repairDelayMs))
  const lostForMs = (address: string): number => peers.awayForMs(address) ?? -graceMs(address)
  const plan = await planHealing(tally.thinByGone, { table, isAway, lostForMs, repairDelayMs, clock }, signal)
  const doubted = tally.doubted.toSorted((a, b) => b.chunks - a.chunks)
  const registered = new Map(table.snapshot.nodes.map((node) => [node.address, node.retentionPeriods]))
  const rows = nodes.map(({ address, state, claims }): ClusterNodeRow => {
    const said = peers.saidBy(address)
    const retention = said?.retentionPeriods ?? registered.get(address)
    return {
      address,
      state,
      peer: peerOf.get(address) ?? null,
      isRegistered: registered.has(address),
      retentionPeriods: retention === undefined ? null : Number(retention),
      headPeriod: address === own ? range.last : (claims?.headPeriod ?? null),
      ...tally.chunksOf(address),
      extra: countExtra(tally, { address, isOwn: address === own, storedChunks: said?.storedChunks }),
    }
  })
  rows.sort((a, b) => b.lacking - a.lacking || b.assigned - a.assigned || (a.address < b.address ? -1 : 1))
  const clustered = listClusteredInSteps(table, tally.chunksBySlot)
  const inPlace = new Set<NodeState>(['own', 'answered'])
  const byChunks = (a: { chunks: number }, b: { chunks: number }): number => b.chunks - a.chunks
  return {
    own,
    era: table.era,
    placementRoot: toHex(table.root),
    isCurrent: modules.isCurrent,
    replicas: table.replicas,
    registered: registered.size,
    keepsForEver: table.keepsForEver,
    periods: {
      first: range.first,
      last,
      ...seen.report(),
      settling: SETTLING_PERIODS,
      olderElsewhere: range.first - findOldest(rows, peers, range.first),
    },
    chunks: tally.counts,
    lackingBy: tally.lackingBy,
    nodes: rows.slice(0, MAX_ROWS),
    nodesLeftOut: Math.max(0, rows.length - MAX_ROWS),
    states: countStates(nodes.filter(({ address }) => registered.has(address))),
    unheard: unheard.slice(0, MAX_ROWS),
    unheardLeftOut: Math.max(0, unheard.length - MAX_ROWS),
    thinnest: tally.thinnest,
    doubted: doubted.slice(0, MAX_ROWS),
    clustered: (await runInSlices(clustered, { signal, sliceMs: SLICE_MS })).slice(0, MAX_ROWS),
    healing: {
      repairDelaySeconds: options.repairDelaySeconds,
      pulling: rows
        .filter(({ state, toFetch }) => inPlace.has(state) && toFetch > 0)
        .map(({ address, toFetch }) => ({ address, chunks: toFetch }))
        .slice(0, MAX_ROWS),
      pullsWithinSeconds: PATROL_ROUND_MS / 1_000,
      standIns: Array.from(plan.standIns, ([address, chunks]) => ({ address, chunks }))
        .sort(byChunks)
        .slice(0, MAX_ROWS),
      standInsWithinSeconds: plan.waitMs / 1_000,
      hopeless: plan.hopeless,
    },
    keepers: findKeepers(table, peers),
  }
}

/** What was archived while a node was asked, and periods that this archive does not have, count as extra as well. */
function countExtra(
  tally: CopyTally,
  node: { readonly address: string; readonly isOwn: boolean; readonly storedChunks: bigint | undefined },
): number {
  const { assigned, lacking, extra } = tally.chunksOf(node.address)
  if (node.isOwn) return tally.counts.extraHere
  return Math.max(extra, Number(node.storedChunks ?? 0n) - (assigned - lacking))
}

/** Everybody who is registered or connected, with what those say that answer. */
async function askNodes(options: ClusterCheckOptions, modules: ClusterCheckModules) {
  const { own, network, signal, onProgress } = options
  const { table, client, peers, clock } = modules
  const unheard: Unheard[] = []
  const peerOf = new Map<string, string>()
  for (const { peer, address } of peers.listConnected()) {
    if (address === undefined) unheard.push({ peer, address: null, why: 'it did not say yet which node it is' })
    else peerOf.set(address, peer)
  }
  const answers = new Map<string, CountedNode>([[own, { address: own, state: 'own' }]])
  const waiting = [...peerOf].filter(([address]) => address !== own)
  const total = waiting.length
  const ask = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      signal.throwIfAborted()
      const [address, peer] = next
      const firstPeriod = peers.saidBy(address)?.firstPeriod
      const { claims, why } = await fetchClaims(client, { peer, address, network, firstPeriod, signal })
      if (why !== undefined) unheard.push({ peer, address, why })
      answers.set(address, { address, state: claims ? 'answered' : 'silent', claims })
      onProgress?.({ phase: 'peers', done: answers.size - 1, total })
      await clock.sleep(0)
    }
  }
  await Promise.all(Array.from({ length: FETCHES }, ask))
  for (const { address } of table.snapshot.nodes) {
    if (answers.has(address)) continue
    answers.set(address, { address, state: peers.isLive(address) ? 'unconnected' : 'away' })
  }
  return { nodes: [...answers.values()], peerOf, unheard }
}

async function fetchClaims(
  client: ClusterCheckModules['client'],
  {
    peer,
    address,
    network,
    firstPeriod,
    signal,
  }: {
    readonly peer: string
    readonly address: string
    readonly network: Network
    readonly firstPeriod: Period | undefined
    readonly signal: AbortSignal
  },
): Promise<Pick<CountedNode, 'claims'> & { readonly why?: string }> {
  try {
    const answer = await client.fetchHaveMap(peer, address, network, signal)
    if (answer.status === 'busy') return { why: 'it is busy' }
    if (answer.status === 'refused') return { why: 'it refuses' }
    const pages = answer.status === 'ok' ? answer.value : []
    const claims = await runInSlices(readNodeClaimsInSteps(pages, firstPeriod), { sliceMs: SLICE_MS })
    return claims ? { claims } : { why: 'its have-map is too long' }
  } catch (error) {
    signal.throwIfAborted()
    if (!isArchiveError(error) || error.kind === 'bug') throw error
    return { why: error.code }
  }
}

/** Which periods of a run there are, told in ascending order. */
class SeenPeriods {
  private readonly holes: { readonly from: Period; readonly to: Period }[] = []
  private next: Period
  private checked = 0
  private missing = 0

  constructor(first: Period) {
    this.next = first
  }

  /** @param last - up to which they were looked for */
  take(periods: readonly Period[], last: Period): void {
    for (const period of periods) {
      this.note(period)
      this.checked++
      this.next = period + 1
    }
    this.note(last + 1)
    this.next = last + 1
  }

  report(): { checked: number; missing: number; holes: { readonly from: Period; readonly to: Period }[] } {
    const { checked, missing, holes } = this
    return { checked, missing, holes }
  }

  private note(until: Period): void {
    const { next, holes } = this
    if (until <= next) return
    this.missing += until - next
    const before = holes.at(-1)
    if (before?.to === next - 1) holes[holes.length - 1] = { from: before.from, to: until - 1 }
    else if (holes.length < MAX_HOLES) holes.push({ from: next, to: until - 1 })
  }
}

function countStates(nodes: readonly CountedNode[]): Record<NodeState, number> {
  const states = { own: 0, answered: 0, silent: 0, unconnected: 0, away: 0 }
  for (const { state } of nodes) states[state]++
  return states
}

/** First period that anybody who is heard says it has. */
function findOldest(rows: readonly ClusterNodeRow[], peers: ClusterPeers, first: Period): Period {
  return rows.reduce((oldest, { address, state }) => {
    const said = state === 'answered' ? peers.saidBy(address) : undefined
    return said && said.endPeriod > said.firstPeriod ? Math.min(oldest, said.firstPeriod) : oldest
  }, first)
}

function findKeepers(table: PlacementTable, peers: ClusterPeers): ClusterReport['keepers'] {
  const promised = table.snapshot.nodes.filter(({ retentionPeriods }) => retentionPeriods === 0n)
  const contradicted = promised.filter(({ address }) => (peers.saidBy(address)?.retentionPeriods ?? 0n) !== 0n)
  return {
    wanted: table.replicationFactor,
    count: promised.length - contradicted.length,
    contradicted: contradicted.map(({ address }) => address).slice(0, MAX_ROWS),
  }
}
