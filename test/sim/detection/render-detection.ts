import { tmpdir } from 'node:os'
import { ECONOMICS_DEFAULTS } from '../../../cli/economics-defaults.ts'
import { makeEconomicsInput } from '../../../cli/economics-input.ts'
import { loadConfig, loadRegistryParams } from '../../../config/index.ts'
import {
  CHUNK_SIZE_BYTES,
  computeCatchChance,
  computeChainCosts,
  computeChallengeChance,
  computePathLength,
  findDrawsForChance,
  formatCoins,
  LEAF_SIZE_BYTES,
  readRhythm,
} from '../../../core/index.ts'
import { MOST_PAUSE_MS } from '../../../storage-worker/challenge/suspicion-hints.ts'
import { AUDITS_PER_DAY } from '../../../storage-worker/replication/auditor.ts'
import { SECOND_LOOK_MS } from '../../../storage-worker/replication/suspicions.ts'
import { percent, type Row, significant, size, table, whole } from '../scale/page-table.ts'
import { computeAuditBytes } from '../scale/wire-scale.ts'
import type { Audience } from './audited-node.ts'
import { DetectionRuns } from './detection-runs.ts'
import { ARCHIVE_CHUNKS } from './made-archive.ts'

const DAY_MS = 86_400_000
const GOAL = 0.999
const CASES = [
  { share: 0.01, days: 1 },
  { share: 0.1, days: 1 },
  { share: 0.5, days: 1 },
  { share: 0.001, days: 7 },
] as const
const NETWORKS = [
  { nodes: 3, challengers: 1 },
  { nodes: 10, challengers: 1 },
  { nodes: 10, challengers: 2 },
  { nodes: 30, challengers: 1 },
  { nodes: 100, challengers: 1 },
] as const
/** Of the eight others in a network of ten that a challenger is connected with. */
const CONNECTED = [8, 6, 4, 2, 0] as const
const SLASHED_SHARES = [0.01, 0.1, 0.5, 1] as const
const HONEST_AUDITS_PER_DAY = 105

/** How much is simulated; the page has a row for each. */
export interface DetectionAmounts {
  /** Runs of a day, and of seven. */
  readonly days: readonly number[]
  readonly weeks: readonly number[]
  /** Runs of a day for each network, without and with hints. */
  readonly networks: readonly number[]
  /** Nodes that are challenged until they are slashed. */
  readonly slashed: readonly number[]
  /** Years of honest nodes, by the share of audits that they miss. */
  readonly honest: readonly { readonly missedShare: number; readonly years: number }[]
}

/** What `npm run docs` simulates. */
export const ALL_AMOUNTS: DetectionAmounts = {
  days: [2, 1_000],
  weeks: [2, 200],
  networks: [200],
  slashed: [2, 50],
  honest: [
    { missedShare: 0.01, years: 1 },
    { missedShare: 0.01, years: 400 },
    { missedShare: 0.02, years: 20 },
    { missedShare: 0.03, years: 20 },
    { missedShare: 0.05, years: 20 },
  ],
}

const { config } = loadConfig({ env: {}, flags: {}, cwd: tmpdir() })
const SETTINGS = loadRegistryParams(undefined)
const INPUT = makeEconomicsInput(ECONOMICS_DEFAULTS, SETTINGS, config)
const RHYTHM = readRhythm(INPUT)
const PAGE_AUDIENCE = { nodes: RHYTHM.nodes, challengers: RHYTHM.challengers }
const MINUTES = { look: SECOND_LOOK_MS / 60_000, told: MOST_PAUSE_MS / 60_000 }

/** docs/DETECTION.md: the same on every machine. @param amounts - of less it takes less time, and gives part of the same page */
export async function renderDetection(note: string, amounts: DetectionAmounts): Promise<string> {
  const runs = new DetectionRuns({ settings: SETTINGS, rhythm: RHYTHM })
  const { strikesBeforeSlash, passesPerStrike, maxOpenChallengesPerNode, strikeSpacingPeriods } = SETTINGS
  return [
    '# Detection',
    '',
    note,
    '',
    'How soon a node is found out that lacks chunks which it must have, at the default settings: by audits of its peers off chain, and by challenges on',
    'chain. Computed, and beside it simulated with the code itself: auditors with their draws and second looks, what they tell a challenger, the challenge draw of',
    `[FORMAT](FORMAT.md), and strikes by the model of the registry that its fuzzer checks the contract against. ${whole(ARCHIVE_CHUNKS)} chunks of 60 to 120 kB; what`,
    'a node lacks is any of them. Draws go by byte: who lacks the smallest chunks is found as late as the bytes are few that it saves.',
    '',
    '## Chance to be found',
    '',
    `Audits: each node is asked by all others together for ${AUDITS_PER_DAY} leaves a day at least, by each of n others for ${AUDITS_PER_DAY} / n. What is not shown is asked for`,
    `again ${MINUTES.look} minutes later; twice not shown is a suspicion. Only a challenger's own suspicion leads to a challenge. What the others`,
    `suspect they tell it ([PROTOCOL](PROTOCOL.md), Audits): within ${MINUTES.told} minutes it asks for that chunk itself, and again ${MINUTES.look} minutes later. Twice not shown`,
    `to a challenger is found, so of a day its own last ${MINUTES.look} minutes and the last ${2 * MINUTES.look + MINUTES.told} of the others count for the next one. ${whole(findDrawsForChance(0.01, GOAL))} draws find 1 % with`,
    `${percent(GOAL)}; of a day there are ${countAudits(PAGE_AUDIENCE, 1).toFixed(1)} with ${RHYTHM.nodes} nodes, one of them a challenger that is connected with all.`,
    `Challenges: one challenger, a draw every ${whole(RHYTHM.frequencyPeriods)} periods, ${RHYTHM.nodes} nodes, each at most once in ${whole(RHYTHM.intervalPeriods)} periods, ${maxOpenChallengesPerNode} chunks an audit. A failed challenge is found.`,
    '',
    ...table(['lacks', 'audits', 'challenges', 'together', 'goal', 'holds'], CASES.map(listComputed)),
    '',
    'Simulated, with what is expected by the table above:',
    '',
    ...table(
      [
        'lacks, how many runs',
        'by audits',
        'expected of audits',
        'by challenges',
        'expected of challenges',
        'by either',
      ],
      await listSimulated(runs, amounts),
    ),
    '',
    '## What each costs',
    '',
    'Of one node in a day; fees are of all who send, 0.01 MAS each ([ECONOMICS](ECONOMICS.md)).',
    '',
    ...table(['', 'audits', 'challenges'], listCosts()),
    '',
    '## Networks, and who hears of what',
    '',
    'Who lacks 1 %, within a day: by audits of the challengers alone, which is what there is without connections; by those of all, with the',
    'challengers told; by draws on chain.',
    '',
    ...table(
      ['nodes, of them challengers', 'audits a day by each', 'by its own', 'by all', 'by draws', 'by all and draws'],
      NETWORKS.map(listNetwork),
    ),
    '',
    'Simulated likewise, audits alone:',
    '',
    ...table(
      ['nodes, of them challengers, how many runs', 'by its own', 'expected', 'by all', 'expected of all'],
      await listNetworkRuns(runs, amounts),
    ),
    '',
    'So the audits off chain need no more than one challenger, in a network of any size, that is up, connected with those who audit, and with the node',
    `itself: of a node that it is not connected with it asks nothing off chain, whoever tells of it, and only draws are left. With ${RHYTHM.nodes} nodes and one challenger that is`,
    'connected with some of the eight others:',
    '',
    ...table(['hears of', 'draws a day that count', 'audits', 'challenges', 'together'], CONNECTED.map(listConnected)),
    '',
    'Without any challenger nothing follows on chain: what is not shown twice is no longer believed, counts as no copy, and others stand in for it.',
    '',
    '## Until a node is slashed',
    '',
    `By routine challenges alone: ${strikesBeforeSlash} strikes, at most one in ${whole(Number(strikeSpacingPeriods))} periods; ${passesPerStrike} fully passed audits take one back. What audits suspect`,
    'is challenged beside them, which is not in here.',
    '',
    ...table(['lacks, how many nodes', 'days until slashed: least', 'median', 'most'], listSlashed(runs, amounts)),
    '',
    '## An honest node',
    '',
    `It has everything, is audited on chain ${HONEST_AUDITS_PER_DAY} times a day, more than it can be by the defaults, and misses some by chance. A slash comes at`,
    `${strikesBeforeSlash * passesPerStrike} points; a strike is ${passesPerStrike}, a fully passed audit takes one.`,
    '',
    ...table(['misses, in how many years', 'years with a slash', 'most points'], listHonest(runs, amounts)),
    '',
  ].join('\n')
}

/** Draws of so many days, in the mean, that are early enough for all looks within them. @param heardOf - of the other nodes */
function countAudits(
  { nodes, challengers }: Pick<Audience, 'nodes' | 'challengers'>,
  days: number,
  heardOf = nodes,
): number {
  const each = Math.ceil(AUDITS_PER_DAY / (nodes - 1))
  const others = Math.min(heardOf, nodes - 1 - challengers)
  const own = days - SECOND_LOOK_MS / DAY_MS
  return each * (challengers * own + others * (days - (2 * SECOND_LOOK_MS + MOST_PAUSE_MS) / DAY_MS))
}

function computeChances({ share, days }: (typeof CASES)[number]) {
  const challenges = SETTINGS.maxOpenChallengesPerNode
  const byAudits = computeCatchChance(share, countAudits(PAGE_AUDIENCE, days))
  const byChallenges = computeChallengeChance(share, RHYTHM, { challenges, days })
  return { byAudits, byChallenges, byEither: joinChances(byAudits, byChallenges) }
}

function nameCase({ share, days }: (typeof CASES)[number]): string {
  return `${percent(share)} within ${days === 1 ? 'a day' : `${days} days`}`
}

/** Where three digits would say 100 %, what is missing from it. */
function chance(value: number): string {
  if (value < 0.999) return percent(value)
  return value > 1 - 1e-9
    ? '100 %'
    : `${(100 - Number(((1 - value) * 100).toPrecision(2))).toFixed(6).replace(/0+$/, '')} %`
}

function listComputed(one: (typeof CASES)[number]): Row {
  const { byAudits, byChallenges, byEither } = computeChances(one)
  const goal = one.days === 1 ? GOAL : 0.99
  const cells = [byAudits, byChallenges, byEither].map(chance)
  return [nameCase(one), ...cells, `>= ${percent(goal)}`, byEither >= goal ? 'yes' : 'no']
}

async function listSimulated(runs: DetectionRuns, amounts: DetectionAmounts): Promise<Row[]> {
  const rows: Row[] = []
  for (const one of CASES) {
    const { byAudits, byChallenges } = computeChances(one)
    for (const count of one.days === 1 ? amounts.days : amounts.weeks) {
      const caught = await runs.countCaught(one.share, one.days, count)
      rows.push([
        `${nameCase(one)}, ${whole(count)} runs`,
        whole(caught.byAudits),
        (byAudits * count).toFixed(1),
        whole(caught.byChallenges),
        (byChallenges * count).toFixed(1),
        whole(caught.byEither),
      ])
    }
  }
  return rows
}

function listCosts(): Row[] {
  const { issue, proof, resolve, prune } = computeChainCosts(INPUT).operations
  const challenges = issue * SETTINGS.maxOpenChallengesPerNode
  const feesNanoMas = BigInt(Math.round(Number(INPUT.feeNanoMas) * (issue + proof + resolve + prune)))
  return [
    ['draws', whole(AUDITS_PER_DAY), significant(challenges)],
    ['leaves shown', whole(AUDITS_PER_DAY), significant(challenges * SETTINGS.samplesPerChallenge)],
    ['bytes between nodes', size(computeAuditBytes() * AUDITS_PER_DAY), ''],
    ['bytes of proofs on chain', '', size(challenges * computeProofBytes())],
    ['fees, MAS', '0', formatCoins(feesNanoMas)],
  ]
}

/** Of one challenge, of a chunk of 1 MiB: length, root, leaves with their paths. */
function computeProofBytes(): number {
  const path = 32 * computePathLength(0, CHUNK_SIZE_BYTES / LEAF_SIZE_BYTES)
  return 4 + 32 + SETTINGS.samplesPerChallenge * (LEAF_SIZE_BYTES + path)
}

function computeNetworkChances(network: (typeof NETWORKS)[number]) {
  const challenges = SETTINGS.maxOpenChallengesPerNode
  const byOwn = computeCatchChance(0.01, countAudits(network, 1, 0))
  const byAll = computeCatchChance(0.01, countAudits(network, 1))
  const byDraws = computeChallengeChance(0.01, { ...RHYTHM, ...network }, { challenges, days: 1 })
  return { byOwn, byAll, byDraws }
}

function nameNetwork({ nodes, challengers }: (typeof NETWORKS)[number]): string {
  return `${whole(nodes)}, ${challengers}`
}

function listNetwork(network: (typeof NETWORKS)[number]): Row {
  const { byOwn, byAll, byDraws } = computeNetworkChances(network)
  const each = whole(Math.ceil(AUDITS_PER_DAY / (network.nodes - 1)))
  return [nameNetwork(network), each, ...[byOwn, byAll, byDraws, joinChances(byAll, byDraws)].map(chance)]
}

async function listNetworkRuns(runs: DetectionRuns, { networks }: DetectionAmounts): Promise<Row[]> {
  const rows: Row[] = []
  for (const network of NETWORKS) {
    const { byOwn, byAll } = computeNetworkChances(network)
    for (const count of networks) {
      const alone = await runs.countSuspected(0.01, { ...network, isTold: false }, count)
      const told = await runs.countSuspected(0.01, { ...network, isTold: true }, count)
      rows.push([
        `${nameNetwork(network)}, ${whole(count)} runs`,
        whole(alone),
        (byOwn * count).toFixed(1),
        whole(told),
        (byAll * count).toFixed(1),
      ])
    }
  }
  return rows
}

function listConnected(heardOf: (typeof CONNECTED)[number]): Row {
  const audits = countAudits(PAGE_AUDIENCE, 1, heardOf)
  const byAudits = computeCatchChance(0.01, audits)
  const byChallenges = computeChallengeChance(0.01, RHYTHM, { challenges: SETTINGS.maxOpenChallengesPerNode, days: 1 })
  return [
    whole(heardOf),
    audits.toFixed(1),
    ...[byAudits, byChallenges, joinChances(byAudits, byChallenges)].map(chance),
  ]
}

function joinChances(a: number, b: number): number {
  return 1 - (1 - a) * (1 - b)
}

function listSlashed(runs: DetectionRuns, { slashed }: DetectionAmounts): Row[] {
  return SLASHED_SHARES.flatMap((share) =>
    slashed.map((count): Row => {
      const days = runs.listSlashDays(share, count)
      const at = (place: number): string => {
        const found = days[place] ?? Number.POSITIVE_INFINITY
        return Number.isFinite(found) ? found.toFixed(1) : 'never'
      }
      return [`${percent(share)}, ${whole(count)} nodes`, at(0), at(Math.floor(count / 2)), at(count - 1)]
    }),
  )
}

function listHonest(runs: DetectionRuns, { honest }: DetectionAmounts): Row[] {
  return honest.map(({ missedShare, years }) => {
    const { slashedYears, mostPoints } = runs.runHonest(missedShare, HONEST_AUDITS_PER_DAY, years)
    return [
      `${percent(missedShare)}, ${years === 1 ? 'a year' : `${whole(years)} years`}`,
      whole(slashedYears),
      whole(mostPoints),
    ]
  })
}
