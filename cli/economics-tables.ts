import {
  BYTES_PER_GB,
  type Change,
  computeConfigBounds,
  type Fault,
  MAX_FEE_SHARE,
  type NetworkCost,
  type RegistryConfig,
} from '../core/index.ts'
import type { EconomicsReport } from './economics-report.ts'

/** A table as the command prints it and docs/ECONOMICS.md has it. */
export interface EconomicsTable {
  readonly title: string
  /** The first row is the head; the first column is text, as are those of `texts`. */
  readonly rows: readonly (readonly string[])[]
  readonly texts: readonly number[]
}

const NANO_MAS_PER_MAS = 1e9
const DAYS_PER_MONTH = 365 / 12

export function listTables(report: EconomicsReport): EconomicsTable[] {
  return [tabulateOperator(report), tabulateOperations(report), tabulateChallenges(report), tabulateNetwork(report)]
}

function tabulateOperator({ input, margin, stakeNanoMas }: EconomicsReport): EconomicsTable {
  const { reward, chain, traffic } = margin
  const { prices } = input
  const paid = mas(Number(margin.paidNanoMasPerDay) * DAYS_PER_MONTH)
  const spent = mas(Number(chain.spentNanoMas) * DAYS_PER_MONTH)
  const filled = percent(Number(reward.utilisationPpm) / 1e6)
  const bytes = traffic.historyBytes + traffic.auditBytes + traffic.gossipBytes + traffic.readBytes
  const counted = `${reward.weightGb} GB, ${filled} of them paid${reward.isCapped ? ', as far as max_reward_per_period lets' : ''}`
  return {
    title: `An operator of ${input.allocatedGb} GB, one of ${whole(input.nodes)}, in a month`,
    texts: [3],
    rows: [
      ['', 'MAS', 'USD', 'from'],
      ['reward', paid, usd(margin.paidUsd), `${counted}, ${percent(input.missedShare)} of the audits missed`],
      ['fees and records', `-${spent}`, usd(-margin.chainUsd), `${percent(margin.feeShare)} of the reward`],
      ['disk', '', usd(-margin.diskUsd), `${prices.diskUsdPerTbMonth} USD a TB`],
      ['traffic', '', usd(-margin.trafficUsd), `${gb(bytes)}, ${prices.trafficUsdPerTb} USD a TB`],
      ['machine', '', usd(-margin.serverUsd), 'what the sidecar adds to a massa-node'],
      ['margin', '', usd(margin.marginUsd), `at ${prices.usdPerMas} USD for a MAS`],
      ['locked: stake', mas(stakeNanoMas), '', 'comes back, less what is slashed'],
      ['locked: records', mas(chain.lockedNanoMas), '', 'of challenges and periods; comes back by prune'],
    ],
  }
}

const SENDERS: { readonly [K in keyof EconomicsReport['margin']['chain']['operations']]: readonly [string, string] } = {
  issue: ['issueChallenges', 'challenger'],
  proof: ['submitProofs', 'the node'],
  resolve: ['resolveExpiredChallenges', 'anyone'],
  prune: ['prune', 'challenger, or anyone later'],
  distribute: ['distributeRewards', 'anyone'],
  anchor: ['anchorEra', 'anyone'],
  claim: ['claimRewards', 'the node'],
}

function tabulateOperations({ input, margin }: EconomicsReport): EconomicsTable {
  const { operations, feesNanoMas, keptNanoMas, spentNanoMas } = margin.chain
  const fee = Number(input.feeNanoMas)
  const rows = Object.entries(SENDERS).map(([name, [call, sender]]) => {
    const count = operations[name as keyof typeof SENDERS]
    return [call, significant(count), mas(count * fee), sender]
  })
  const count = Object.values(operations).reduce((sum, each) => sum + each, 0)
  return {
    title: `Fees of a day for one node, ${mas(input.feeNanoMas)} MAS each`,
    texts: [3],
    rows: [
      ['', 'operations', 'MAS', 'sent by'],
      ...rows,
      ['fees', significant(count), mas(feesNanoMas), ''],
      ['records of eras, for good', '', mas(keptNanoMas), ''],
      ['together', '', mas(spentNanoMas), `${percent(margin.feeShare)} of the reward of a day`],
    ],
  }
}

function tabulateChallenges({ challenges, advice, margin, input }: EconomicsReport): EconomicsTable {
  const { auditsPerDay, catchChance, rhythm } = challenges
  const challenged = input.settings.maxOpenChallengesPerNode
  const now = [
    periods(rhythm.frequencyPeriods),
    significant(auditsPerDay),
    percent(margin.feeShare),
    percent(catchChance),
  ]
  const most = advice
    ? [
        periods(advice.frequencyPeriods),
        significant(advice.auditsPerDay),
        `at most ${percent(MAX_FEE_SHARE)}`,
        percent(advice.catchChance),
      ]
    : ['never', '0', `above ${percent(MAX_FEE_SHARE)} without any`, '']
  return {
    title: `Routine challenges of a node, ${challenged} chunks each`,
    texts: [],
    rows: [
      ['', 'a challenger draws every', 'audits a day', 'fees, of the reward', 'finds 1 % missing in a day'],
      ['as it is set', ...now],
      ['as often as fees allow', ...most],
    ],
  }
}

function tabulateNetwork({ input, network }: EconomicsReport): EconomicsTable {
  const { settings, prices } = input
  const each = (cell: (cost: NetworkCost) => string): string[] => [cell(network.quiet), cell(network.full)]
  const runs = ({ diskUsd, trafficUsd }: NetworkCost): number => diskUsd + trafficUsd
  return {
    title: `The network in a month, after a year, ${settings.replicationFactor} copies`,
    texts: [],
    rows: [
      ['', 'quiet chain, 0.48 GB a day', 'full blocks, 52 GB a day'],
      ['history', ...each(({ historyBytes }) => gb(Number(historyBytes)))],
      ['offered by nodes', ...each(({ offeredGb }) => `${whole(Number(offeredGb))} GB`)],
      ['disk and traffic of all nodes, USD', ...each((cost) => usd(runs(cost)))],
      ['rewards, MAS', ...each(({ paidNanoMas }) => mas(paidNanoMas))],
      ['rewards, USD', ...each(({ paidUsd }) => usd(paidUsd))],
      [`cloud database at ${prices.cloudUsdPerTbMonth} USD a TB, USD`, ...each(({ cloudUsd }) => usd(cloudUsd))],
      ['disk and traffic, of the cloud', ...each((cost) => times(runs(cost), cost.cloudUsd))],
      ['rewards, of the cloud', ...each((cost) => times(cost.paidUsd, cost.cloudUsd))],
      [
        'reward_per_gb_per_period at which rewards are as dear as the cloud',
        ...each(({ rateAsCloudNanoMas }) => whole(Number(rateAsCloudNanoMas))),
      ],
    ],
  }
}

const NAMES: { readonly [P in Change['parameter']]: string } = {
  rewardPerGbPerPeriod: 'reward_per_gb_per_period',
  maxRewardPerPeriod: 'max_reward_per_period',
  historyBytes: 'anchored history',
  challengeFrequencyPeriods: 'challenge_frequency_periods',
  usdPerMas: 'the price of a MAS',
}

/** Lines of a verdict: what is wrong and what would do, and what should be known. */
export function describeVerdict(report: EconomicsReport, settings: RegistryConfig): string[] {
  const { faults, margin } = report
  const profit = `An honest operator has ${usd(margin.marginUsd)} USD a month, and fees take ${percent(margin.feeShare)} of the reward.`
  const lines = faults.length === 0 ? [profit] : faults.map((fault) => describeFault(fault, settings))
  return [...lines, ...remarkOnCloud(report), ...remarkOnBound(report)]
}

function remarkOnCloud({ network, leastRateNanoMas }: EconomicsReport): string[] {
  const { paidUsd, cloudUsd, rateAsCloudNanoMas } = network.quiet
  if (paidUsd <= cloudUsd || cloudUsd === 0) return []
  const least = leastRateNanoMas === undefined ? '' : `; an operator needs ${whole(Number(leastRateNanoMas))}`
  return [
    `Rewards of a quiet year cost ${times(paidUsd, cloudUsd)} the cloud database. They would cost the same at ${NAMES.rewardPerGbPerPeriod} = ${whole(Number(rateAsCloudNanoMas))}${least}.`,
  ]
}

function remarkOnBound({ input }: EconomicsReport): string[] {
  const { requireAnchors, maxRewardPerPeriod, rewardPerGbPerPeriod, replicationFactor } = input.settings
  if (!requireAnchors || maxRewardPerPeriod > 0n) return []
  const copiesGb = (input.historyBytes * BigInt(replicationFactor)) / BigInt(BYTES_PER_GB) + 1n
  const enough = whole(Number(2n * rewardPerGbPerPeriod * copiesGb))
  return [
    `${NAMES.maxRewardPerPeriod} = 0 is no bound: a lying quorum could take the whole pool. ${enough} pays twice this history.`,
  ]
}

function describeFault({ problem, changes, instead }: Fault, settings: RegistryConfig): string {
  const trouble = {
    loss: 'An honest operator loses money',
    fees: `Fees take more than ${percent(MAX_FEE_SHARE)} of the reward`,
  }[problem]
  const said = changes.map((change) => describeChange(change, settings)).join(', with ')
  const other = instead ? `; or ${describeChange(instead, settings)}` : ''
  return `${trouble}: ${said}${other}.`
}

function describeChange({ parameter, found, enough }: Change, settings: RegistryConfig): string {
  const name = NAMES[parameter]
  if (parameter === 'historyBytes')
    return `${name} of ${gb(Number(found))} counts as none, ${gb(Number(enough))} would count`
  if (parameter === 'usdPerMas') return `${name} is ${found} USD, ${enough} USD would do`
  const asked = `${name} = ${whole(Number(found))} is wrong, ${whole(Number(enough))} would do`
  if (parameter === 'challengeFrequencyPeriods') return asked
  const { max } = computeConfigBounds(settings, parameter)
  return BigInt(enough) > max ? `${asked}, but a registry takes at most ${whole(Number(max))}` : asked
}

function mas(nanoMas: number | bigint): string {
  const amount = Number(nanoMas) / NANO_MAS_PER_MAS
  return amount.toLocaleString('en', { maximumFractionDigits: amount < 10 ? 4 : 2 })
}

function usd(amount: number): string {
  const digits = Math.abs(amount) < 10_000 ? 2 : 0
  // No -0.00.
  if (Math.abs(amount) < 0.005) return '0.00'
  return amount.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

function gb(bytes: number): string {
  return `${significant(bytes / BYTES_PER_GB)} GB`
}

function percent(share: number): string {
  return Number.isFinite(share) ? `${significant(share * 100)} %` : 'more than all'
}

function times(amount: number, of: number): string {
  return of > 0 ? `${significant(amount / of)} x` : '-'
}

function periods(count: number): string {
  return count === 1 ? '1 period' : `${whole(count)} periods`
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en')
}

function significant(value: number): string {
  return value.toLocaleString('en', { maximumSignificantDigits: 3 })
}
