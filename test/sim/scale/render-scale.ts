import { CHUNK_SIZE_BYTES, HASH_SLOTS, type HolderTable, PERIOD_MS } from '../../../core/index.ts'
import { encodeIndexKey } from '../../../storage-worker/keyspace.ts'
import { AUDITS_PER_DAY } from '../../../storage-worker/replication/auditor.ts'
import { HAVE_INTERVAL_MS } from '../../../storage-worker/replication/holder-claims.ts'
import { MAX_VISITS, VISIT_INTERVAL_MS, VISIT_MS } from '../../../storage-worker/replication/map-visits.ts'
import { FRAMING_BYTES, LISTEN_ADDRESSES } from './gossip-scale.ts'
import { JOIN_OF_31ST, listMoves, type Move } from './list-moves.ts'
import { listWeights, PLACEMENT_GB, REPLICAS, tabulate } from './made-nodes.ts'
import { fixed2, percent, type Row, significant, size, table, whole } from './page-table.ts'
import {
  computeDeathLoad,
  computeExpectedLoss,
  computeFatalShare,
  computeLoadSpread,
  countNeighbours,
  countViewBytes,
} from './placement-scale.ts'
import {
  announce,
  CHUNK_KINDS,
  CHUNKS,
  CHUNKS_PER_SLOT,
  FREE_SHARE,
  FULL_PERIOD_BYTES,
  type Gossip,
  hoursFor,
  LINKS_MBIT,
  MIXED_NAME,
  makeWorld,
  mixedGb,
  QUIET_PERIOD_BYTES,
  type ScaleWorld,
} from './scale-world.ts'
import { computeAuditBytes, computeHaveMapSize, measureRegistryReading } from './wire-scale.ts'

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
const HOUR_S = 3_600
const GOALS = {
  movedShare: 0.035,
  gossipPerSecond: 2,
  gossipShare: 0.7,
  auditBytesPerDay: 1_000_000,
  joinHours: 24,
} as const
const DEAD = [3, 4, 10, 29] as const

/**
 * docs/SCALE.md: the same on every machine.
 *
 * @param sizes - of the networks; of fewer it takes less time, and gives part of the same page
 */
export async function renderScale(note: string, sizes: readonly number[]): Promise<string> {
  const world = await makeWorld(sizes)
  const moves = listMoves(world)
  const head = ['', ...sizes.map((nodes) => `${whole(nodes)} nodes`)]
  return [
    '# Scale',
    '',
    note,
    '',
    `What ${whole(CHUNKS)} chunks on up to 1,000 nodes cost, by arithmetic: placement, messages and limits are those of the code,`,
    'called without a network and without a disk. No time here was measured; times of a machine are in [BENCHMARKS](BENCHMARKS.md).',
    '',
    '## Goals',
    '',
    ...table(['question', 'found', 'goal', 'holds'], listGoals(world, moves), '---'),
    '',
    '## Assumptions',
    '',
    ...table(['what', 'value', 'from'], listAssumptions(world), '---'),
    '',
    '## Load',
    '',
    'Hash slots of a node, as a multiple of what falls to it by what it offers.',
    '',
    ...table(['nodes', 'hash slots, mean', 'least', '1 %', 'median', '99 %', 'most'], listSpreads(world)),
    '',
    `A hash slot has ${whole(CHUNKS_PER_SLOT)} chunks, give or take ${percent(1 / Math.sqrt(CHUNKS_PER_SLOT))} (one standard deviation).`,
    '',
    ...table(head, listLoads(world)),
    '',
    '## Moved placements',
    '',
    'Share of all placements that are with another node when one has come or gone. *Modulo*, for comparison: a chunk is with node',
    `\`chunk id mod n\` and the ${REPLICAS - 1} behind it.`,
    '',
    'No placement can move less than what the node itself has when it is there (*least*). That is what falls to it by what it offers, in',
    'draws of which none gives a hash slot to a node twice, so the largest get a little less than their part and others a little more; give or take',
    'chance, and more where others share a network and it does not. What moves beyond *least* comes of nodes that are nearly full.',
    '',
    ...table(['nodes', 'moved', 'least', 'what falls to that node', 'modulo'], moves.map(describeMove)),
    '',
    '## Sizes',
    '',
    ...table(head, await listSizes(world)),
    '',
    '## Regular traffic',
    '',
    'Each node passes a gossip message on to its mesh, but for where it came from; the author sends it to all that it is connected',
    'with; at each heartbeat peers beside the mesh are told the ids of new ones. A node receives as much as it sends.',
    '',
    ...table(head, listTraffic(world)),
    '',
    '## Repair',
    '',
    'A node is gone, that with the most hash slots. After the repair delay the nodes that rank next fetch what it held from the holders',
    'that are left, all at once. The slowest of them, or of the holders, decides.',
    '',
    ...table(head, listRepair(world)),
    '',
    '## Losses',
    '',
    `Of ${whole(HASH_SLOTS)} hash slots with ${whole(CHUNKS_PER_SLOT)} chunks each, those without a copy when some nodes are gone for ever at the same moment,`,
    'before anything is repaired; on average over all such sets of nodes.',
    '',
    ...table(head, listLosses(world)),
    '',
  ].join('\n')
}

function listGoals({ sizes, gossip, tableOf }: ScaleWorld, moves: readonly Move[]): Row[] {
  const join = moves.find(({ name }) => name === JOIN_OF_31ST)
  const joins = moves.filter(({ name }) => name.startsWith(JOIN_OF_31ST))
  const goal = (question: string, [found, limit]: readonly [number, number], show: (value: number) => string): Row => {
    return [question, show(found), `<= ${show(limit)}`, found <= limit ? 'yes' : '**no**']
  }
  const share = (CHUNKS * REPLICAS * CHUNK_SIZE_BYTES) / 1_000
  return [
    goal('placements that move when a 31st node joins', [join?.share ?? 1, GOALS.movedShare], percent),
    goal(
      'the same beyond what that node has itself, in the worst of the networks below',
      [Math.max(...joins.map(({ share, least }) => share - least)), GOALS.movedShare - 1 / 31],
      percent,
    ),
    ...sizes.map((nodes, i) => {
      const found = gossip[i]?.perSecond ?? 0
      return goal(`gossip messages a second, all of ${whole(nodes)} nodes`, [found, GOALS.gossipPerSecond], fixed2)
    }),
    ...sizes.map((nodes, i) => {
      const found = computeGossipBytes(gossip[i]) / ((DAY_MS / PERIOD_MS) * QUIET_PERIOD_BYTES)
      return goal(
        `gossip of one of ${whole(nodes)} nodes, of the bytes of a quiet chain`,
        [found, GOALS.gossipShare],
        percent,
      )
    }),
    goal('audits of a node, bytes a day', [computeAuditBytes() * AUDITS_PER_DAY, GOALS.auditBytesPerDay], whole),
    goal(
      `hours until a 1,000th node has its share of a full chain, ${LINKS_MBIT[0]} Mbit/s`,
      [hoursFor(share, LINKS_MBIT[0]), GOALS.joinHours],
      significant,
    ),
    ...sizes.map((nodes) => {
      const turns = Math.ceil(countNeighbours(tableOf(nodes)).most / MAX_VISITS)
      const question = `minutes in which one of ${whole(nodes)} nodes visits all that hold what it holds or stands in for, at worst`
      return goal(question, [(turns * VISIT_MS) / MINUTE_MS, VISIT_INTERVAL_MS / MINUTE_MS], significant)
    }),
  ]
}

function listAssumptions({ mesh, repairDelayS }: ScaleWorld): Row[] {
  return [
    ['chunks', `${whole(CHUNKS)}, ${REPLICAS} copies of each`, 'the goal'],
    ['chunk of a quiet chain', size(QUIET_PERIOD_BYTES), 'a period of 32 blocks without operations'],
    [
      'chunk of a full chain',
      size(CHUNK_SIZE_BYTES),
      `a period of ${size(FULL_PERIOD_BYTES)} of operations, the most there is`,
    ],
    [
      'node',
      `${whole(Number(PLACEMENT_GB))} GB, with room for its share, keeps for ever, of its own operator, in a /16 of its own`,
      'made up',
    ],
    ['link of a node', `${LINKS_MBIT.map(whole).join(' or ')} Mbit/s, ${percent(FREE_SHARE)} of it free`, 'made up'],
    ['repair delay', `${whole(repairDelayS)} s`, '`p2p.repair_delay_seconds`'],
    ['connections', whole(mesh.connections), '`p2p.max_connections`'],
    [
      'mesh',
      `${mesh.degree} peers; of those beside it ${mesh.lazy}, or ${percent(mesh.lazyShare)} if that is more, are told ids`,
      'gossipsub, as it is set',
    ],
    ['heartbeat', `${whole(mesh.heartbeatMs)} ms; an id is told in ${mesh.toldHeartbeats}`, 'gossipsub, as it is set'],
    ['message on the wire', `${FRAMING_BYTES} bytes more`, 'yamux 12, noise 18, TCP and IPv4 52'],
    ['introduction', `with ${LISTEN_ADDRESSES.join(' and ')}; nobody comes anew`, 'how often: as the code does it'],
    ['announcement', 'of the periods since the one before; nothing is incomplete', 'how often: as the code does it'],
    ['have-map', `of every connected node, every ${whole(HAVE_INTERVAL_MS / 1_000)} s; complete`, 'as the code asks'],
    [
      'visit for a have-map',
      `of whom it is not connected with, every ${whole(VISIT_INTERVAL_MS / 1_000)} s; ${MAX_VISITS} at a time, of ${whole(VISIT_MS / 1_000)} s at most`,
      'as the code asks',
    ],
    ['audits', `${AUDITS_PER_DAY} a day of each node, each of a chunk of 1 MiB`, 'as the code asks'],
  ]
}

function listSpreads({ sizes, tableOf }: ScaleWorld): Row[] {
  const describe = (name: string, placed: HolderTable, gbOf: (number: number) => bigint = () => 1n): Row => {
    const { mean, least, p1, median, p99, most } = computeLoadSpread(placed, listWeights(placed, gbOf))
    return [name, whole(mean), ...[least, p1, median, p99, most].map(fixed2)]
  }
  return [
    ...sizes.map((nodes) => describe(`${whole(nodes)} alike`, tableOf(nodes))),
    ...sizes.map((nodes) => {
      return describe(`${whole(nodes)} ${MIXED_NAME}`, tabulate({ nodes, placementGb: mixedGb }), mixedGb)
    }),
  ]
}

function listLoads({ sizes }: ScaleWorld): Row[] {
  return [
    ['chunks of a node, mean', ...sizes.map((nodes) => whole((CHUNKS * REPLICAS) / nodes))],
    ...CHUNK_KINDS.map(({ name, bytes }) => [
      `disk of a node, ${name}`,
      ...sizes.map((nodes) => size((CHUNKS * REPLICAS * bytes) / nodes)),
    ]),
  ]
}

function describeMove({ name, share, least, ofNode, modulo }: Move): Row {
  return [name, percent(share), percent(least), percent(ofNode), modulo === undefined ? '' : percent(modulo)]
}

async function listSizes({ sizes, tableOf }: ScaleWorld): Promise<Row[]> {
  const readings = await Promise.all(sizes.map(measureRegistryReading))
  const keyBytes = encodeIndexKey('merkleRoots', new Uint8Array(32), new Uint8Array(8), new Uint8Array(4)).length
  const maps = sizes.map((nodes) => computeHaveMapSize(tableOf(nodes)))
  const neighbours = sizes.map((nodes) => countNeighbours(tableOf(nodes)))
  return [
    ['placement of an era in memory; two are kept', ...sizes.map((nodes) => size(countViewBytes(tableOf(nodes))))],
    ['reading the registry once in an era, calls', ...readings.map(({ calls }) => whole(calls))],
    ['reading the registry once in an era, keys and values', ...readings.map(({ bytes }) => size(bytes))],
    ['have-map of a node, the largest', ...maps.map(({ bytes }) => size(bytes))],
    ['have-map of a node, the largest, pages', ...maps.map(({ pages }) => whole(pages))],
    ['nodes that hold what a node holds or stands in for, median', ...neighbours.map(({ median }) => whole(median))],
    ['nodes that hold what a node holds or stands in for, most', ...neighbours.map(({ most }) => whole(most))],
    [
      'keys of a node from chunk id to place, mean',
      ...sizes.map((nodes) => size((CHUNKS * REPLICAS * keyBytes) / nodes)),
    ],
  ]
}

function listTraffic({ sizes, gossip, mesh, tableOf }: ScaleWorld): Row[] {
  const each = (cell: (one: Gossip) => string): string[] => gossip.map(cell)
  const topics = ['introductions', 'announcements'].flatMap((name, i): Row[] => [
    [`${name}, of a node every`, ...each(({ talks }) => `${whole((talks[i]?.intervalMs ?? 0) / 1_000)} s`)],
    [`${name}, bytes of one`, ...each(({ talks }) => whole(talks[i]?.messageBytes ?? 0))],
    [`${name}, of all nodes a second`, ...each(({ talks }) => fixed2(talks[i]?.perSecond ?? 0))],
    [`${name}, sent by a node in a day`, ...each(({ daily }) => size(daily[i]?.messages ?? 0))],
    [`${name}, ids of them sent by a node in a day`, ...each(({ daily }) => size(daily[i]?.hints ?? 0))],
  ])
  const perDay = each((one) => size(computeGossipBytes(one)))
  const baseline = CHUNK_KINDS.map(({ name, perPeriod }): Row => {
    const perSecond = (perPeriod * REPLICAS * 1_000) / PERIOD_MS
    return [`baseline: one for each chunk and holder, ${name}, a second`, ...sizes.map(() => fixed2(perSecond))]
  })
  const haveBytes = sizes.map((nodes) => {
    const { bytes } = computeHaveMapSize(tableOf(nodes))
    return (Math.min(nodes - 1, mesh.connections) * bytes * DAY_MS) / HAVE_INTERVAL_MS
  })
  return [
    ...topics,
    ['both topics, of all nodes a second', ...each(({ perSecond }) => fixed2(perSecond))],
    ...baseline,
    ['both topics, with ids, sent by a node in a day', ...perDay],
    [
      'announcement of a node that lacks something in all its hash slots, bytes',
      ...sizes.map((nodes) => whole(announce(nodes, tableOf(nodes).listSlotsOf(0)).messageBytes)),
    ],
    ['have-maps, sent by a node in a day', ...haveBytes.map(size)],
    ['audits, asked and answered by a node in a day', ...sizes.map(() => size(computeAuditBytes() * AUDITS_PER_DAY))],
  ]
}

/** What a node sends in a day. */
function computeGossipBytes(gossip: Gossip | undefined): number {
  return (gossip?.daily ?? []).reduce((sum, { messages, hints }) => sum + messages + hints, 0)
}

function listRepair({ sizes, tableOf, repairDelayS }: ScaleWorld): Row[] {
  const deaths = sizes.map((nodes) => computeDeathLoad(tableOf(nodes)))
  const cases = CHUNK_KINDS.flatMap(({ name, bytes }) => LINKS_MBIT.map((mbit) => ({ name, bytes, mbit })))
  return [
    ['hash slots that it held', ...deaths.map(({ lost }) => whole(lost))],
    ['nodes that stand in', ...deaths.map(({ standIns }) => whole(standIns))],
    ['hash slots that one of them fetches, at most', ...deaths.map(({ mostFetched }) => whole(mostFetched))],
    ['hash slots that one holder serves, at most', ...deaths.map(({ mostServed }) => whole(mostServed))],
    ...cases.map(({ name, bytes, mbit }) => [
      `hours until all copies are there, ${name}, ${whole(mbit)} Mbit/s`,
      ...deaths.map(({ mostFetched, mostServed }) => {
        const slowest = Math.max(mostFetched, mostServed) * CHUNKS_PER_SLOT * bytes
        return significant(repairDelayS / HOUR_S + hoursFor(slowest, mbit))
      }),
    ]),
    ...cases.map(({ name, bytes, mbit }) => [
      `hours until a new node has its share, ${name}, ${whole(mbit)} Mbit/s`,
      ...sizes.map((nodes) => significant(hoursFor((CHUNKS * REPLICAS * bytes) / nodes, mbit))),
    ]),
  ]
}

function listLosses({ sizes, tableOf }: ScaleWorld): Row[] {
  return [
    ...DEAD.map((dead) => [
      `${dead} nodes gone`,
      ...sizes.map((nodes) => (dead >= nodes ? 'all' : significant(computeExpectedLoss(nodes, dead, REPLICAS)))),
    ]),
    [
      `sets of ${REPLICAS} nodes that lose anything, of all such sets`,
      ...sizes.map((nodes) => percent(computeFatalShare(tableOf(nodes), REPLICAS))),
    ],
  ]
}
