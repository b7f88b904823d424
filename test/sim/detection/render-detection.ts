import { tmpdir } from 'node:os'
import { ECONOMICS_DEFAULTS } from '../../../cli/economics-defaults.ts'
import { makeEconomicsInput } from '../../../cli/economics-input.ts'
import { loadConfig, loadRegistryParams } from '../../../config/index.ts'
import {
  CHUNK_SIZE_BYTES,
  computeAuditsPerDay,
  computeCatchChance,
  computeChainCosts,
  computeChallengeChance,
  computePathLength,
  findDrawsForChance,
  formatCoins,
  LEAF_SIZE_BYTES,
  readRhythm,
} from '../../../core/index.ts'
import { AUDITS_PER_DAY } from '../../../storage-worker/replication/auditor.ts'
import { SECOND_LOOK_MS } from '../../../storage-worker/replication/suspicions.ts'
import { percent, type Row, significant, size, table, whole } from '../scale/page-table.ts'
import { computeAuditBytes } from '../scale/wire-scale.ts'
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
const NETWORKS = [3, 10, 30, 100] as const
const SLASHED_SHARES = [0.01, 0.1, 0.5, 1] as const
const HONEST_AUDITS_PER_DAY = 105

/** How much is simulated; the page has a row for each. */
export interface DetectionAmounts {
  /** Runs of a day, and of seven. */
  readonly days: readonly number[]
  readonly weeks: readonly number[]
  /** Nodes that are challenged until they are slashed. */
  readonly slashed: readonly number[]
  /** Years of honest nodes, by the share of audits that they miss. */
  readonly honest: readonly { readonly missedShare: number; readonly years: number }[]
}

/** What `npm run docs` simulates. */
export const ALL_AMOUNTS: DetectionAmounts = {
  days: [5, 1_000],
  weeks: [3, 200],
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
    'chain. Computed, and beside it simulated with the code itself: the auditor with its draws and its second look, the challenge draw of',
    `[FORMAT](FORMAT.md), and strikes by the model of the registry that its fuzzer checks the contract against. ${whole(ARCHIVE_CHUNKS)} chunks of 60 to 120 kB; what`,
    'a node lacks is any of them. Draws go by byte: who lacks the smallest chunks is found as late as the bytes are few that it saves.',
    '',
    '## Chance to be found',
    '',
    `Audits: ${AUDITS_PER_DAY} a day, one leaf each. What is not shown is asked for again ${SECOND_LOOK_MS / 60_000} minutes later; twice not shown is found, so the last`,
    `${SECOND_LOOK_MS / 60_000} minutes of a day count for the next one. ${whole(findDrawsForChance(0.01, GOAL))} draws find 1 % with ${percent(GOAL)}; of a day there are ${whole(countAudits(1))}.`,
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
    'Audits do the finding: for next to nothing, and as well in a network of any size. Challenges are there so that what is found has a price. How often one finds 1 % in a day:',
    '',
    ...table(
      ['nodes', 'audits of a node a day on chain', 'found by them', 'found by audits off chain'],
      NETWORKS.map(listNetwork),
    ),
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

/** Of the days, that are early enough for a second look within them. */
function countAudits(days: number): number {
  return AUDITS_PER_DAY * (days - SECOND_LOOK_MS / DAY_MS)
}

function computeChances({ share, days }: (typeof CASES)[number]) {
  const challenges = SETTINGS.maxOpenChallengesPerNode
  const byAudits = computeCatchChance(share, countAudits(days))
  const byChallenges = computeChallengeChance(share, RHYTHM, { challenges, days })
  return { byAudits, byChallenges, byEither: 1 - (1 - byAudits) * (1 - byChallenges) }
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

function listNetwork(nodes: number): Row {
  const rhythm = { ...RHYTHM, nodes }
  const challenges = SETTINGS.maxOpenChallengesPerNode
  return [
    whole(nodes),
    significant(computeAuditsPerDay(rhythm)),
    percent(computeChallengeChance(0.01, rhythm, { challenges, days: 1 })),
    chance(computeCatchChance(0.01, countAudits(1))),
  ]
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
