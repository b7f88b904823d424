import { BYTES_PER_GB } from '../units.ts'
import { DAYS_PER_MONTH, PERIODS_PER_DAY } from './chain-time.ts'
import type { PaySettings, Prices } from './economics-input.ts'
import { toNanoMas, toUsd } from './margin.ts'

const BYTES_PER_TB = 1e12
const GB = BigInt(BYTES_PER_GB)
/** Of what nodes offer, placement fills so much (docs/FORMAT.md, Placement). */
const FILLED_SHARE = 0.8
const PERIODS_PER_MONTH = PERIODS_PER_DAY * DAYS_PER_MONTH

/** What keeping a history costs in a month, beside a database that keeps it. */
export interface NetworkCost {
  readonly historyBytes: bigint
  /** That nodes have to offer for all copies. */
  readonly offeredGb: bigint
  /** Disk of the nodes, and the traffic of one copy more a month for what is new. */
  readonly diskUsd: number
  readonly trafficUsd: number
  /** That the pool pays, if no audit is missed. */
  readonly paidNanoMas: bigint
  readonly paidUsd: number
  readonly cloudUsd: number
  /** The highest `rewardPerGbPerPeriod`, in nanoMAS, with which the pool pays no more than the database costs. */
  readonly rateAsCloudNanoMas: bigint
}

/** @param growthBytesPerDay - of one copy; each copy is sent and received once */
export function computeNetworkCost(
  { settings, prices }: { readonly settings: PaySettings; readonly prices: Prices },
  { historyBytes, growthBytesPerDay }: { readonly historyBytes: bigint; readonly growthBytesPerDay: number },
): NetworkCost {
  const { rewardPerGbPerPeriod, replicationFactor, requireAnchors, maxRewardPerPeriod } = settings
  const copies = BigInt(replicationFactor)
  const offeredGb = BigInt(Math.ceil((Number(historyBytes) / BYTES_PER_GB / FILLED_SHARE) * replicationFactor))
  // With anchors the pool pays for what history fills, without them for all that is offered.
  const paidGb = requireAnchors ? (historyBytes * copies + GB - 1n) / GB : offeredGb
  const wanted = rewardPerGbPerPeriod * paidGb
  const perPeriod = maxRewardPerPeriod > 0n && maxRewardPerPeriod < wanted ? maxRewardPerPeriod : wanted
  const paidNanoMas = (perPeriod * BigInt(Math.round(PERIODS_PER_MONTH * 1_000))) / 1_000n
  const cloudUsd = (Number(historyBytes) / BYTES_PER_TB) * prices.cloudUsdPerTbMonth
  return {
    historyBytes,
    offeredGb,
    diskUsd: ((Number(offeredGb) * BYTES_PER_GB) / BYTES_PER_TB) * prices.diskUsdPerTbMonth,
    trafficUsd: ((2 * growthBytesPerDay * replicationFactor * DAYS_PER_MONTH) / BYTES_PER_TB) * prices.trafficUsdPerTb,
    paidNanoMas,
    paidUsd: toUsd(paidNanoMas, prices.usdPerMas),
    cloudUsd,
    rateAsCloudNanoMas: toNanoMas(cloudUsd / PERIODS_PER_MONTH, prices.usdPerMas) / paidGb,
  }
}
