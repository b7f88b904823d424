import { BYTES_PER_GB } from '../units.ts'
import { type ChainCosts, computeChainCosts, computeCostsAt } from './chain-costs.ts'
import { DAYS_PER_MONTH } from './chain-time.ts'
import type { EconomicsInput } from './economics-input.ts'
import { computeExpectedReward, type ExpectedReward } from './reward.ts'

const NANO_MAS_PER_MAS = 1e9
const BYTES_PER_TB = 1e12
/** Of audits, asked and answered: the goal that docs/SCALE.md holds them to. */
const AUDIT_BYTES_PER_DAY = 1_000_000
/** Of gossip, sent and received, as a share of the bytes of a quiet chain: the same. */
const GOSSIP_SHARE = 0.7
const QUIET_BYTES_PER_DAY = 480_000_000

/** What a node sends and receives in a month, bytes. */
export interface NodeTraffic {
  /** Its part of the copies of new history. */
  readonly historyBytes: number
  readonly auditBytes: number
  readonly gossipBytes: number
  readonly readBytes: number
}

/** Of one node, in a month. */
export interface Margin {
  readonly reward: ExpectedReward
  readonly chain: ChainCosts
  /** What is left of the reward where some audits are missed, in a day. */
  readonly paidNanoMasPerDay: bigint
  /** `chain.spentNanoMas` of `paidNanoMasPerDay`; infinite where nothing is paid. */
  readonly feeShare: number
  readonly paidUsd: number
  readonly chainUsd: number
  /** Of all GB that are offered, used or not. */
  readonly diskUsd: number
  readonly traffic: NodeTraffic
  readonly trafficUsd: number
  readonly serverUsd: number
  readonly marginUsd: number
}

/** What one of nodes that are all alike earns. */
export function computeMargin(input: EconomicsInput): Margin {
  return computeMarginWith(input, computeChainCosts(input))
}

/** The same with so many audits of the node in a day. */
export function computeMarginAt(input: EconomicsInput, auditsPerDay: number): Margin {
  return computeMarginWith(input, computeCostsAt(input, auditsPerDay))
}

function computeMarginWith(input: EconomicsInput, chain: ChainCosts): Margin {
  const { prices, missedShare } = input
  const reward = computeExpectedReward(input)
  const paidNanoMasPerDay = BigInt(Math.round(Number(reward.nanoMasPerDay) * (1 - missedShare)))
  const traffic = computeTraffic(input, reward)
  const trafficBytes = traffic.historyBytes + traffic.auditBytes + traffic.gossipBytes + traffic.readBytes
  const paidUsd = toUsd(paidNanoMasPerDay, prices.usdPerMas) * DAYS_PER_MONTH
  const chainUsd = toUsd(chain.spentNanoMas, prices.usdPerMas) * DAYS_PER_MONTH
  const diskUsd = ((Number(input.allocatedGb) * BYTES_PER_GB) / BYTES_PER_TB) * prices.diskUsdPerTbMonth
  const trafficUsd = (trafficBytes / BYTES_PER_TB) * prices.trafficUsdPerTb
  const serverUsd = prices.serverUsdPerMonth
  return {
    reward,
    chain,
    paidNanoMasPerDay,
    feeShare:
      paidNanoMasPerDay > 0n ? Number(chain.spentNanoMas) / Number(paidNanoMasPerDay) : Number.POSITIVE_INFINITY,
    paidUsd,
    chainUsd,
    diskUsd,
    traffic,
    trafficUsd,
    serverUsd,
    marginUsd: paidUsd - chainUsd - diskUsd - trafficUsd - serverUsd,
  }
}

export function toUsd(nanoMas: bigint, usdPerMas: number): number {
  return (Number(nanoMas) / NANO_MAS_PER_MAS) * usdPerMas
}

/** @returns rounded up */
export function toNanoMas(usd: number, usdPerMas: number): bigint {
  return BigInt(Math.ceil((usd / usdPerMas) * NANO_MAS_PER_MAS))
}

/** Every node fetches its copies of what is new and gives as many to others. */
function computeTraffic(input: EconomicsInput, { replicas }: ExpectedReward): NodeTraffic {
  const share = Number(replicas) / input.nodes
  const heldBytes = Math.min(Number(input.historyBytes) * share, Number(input.allocatedGb) * BYTES_PER_GB)
  return {
    historyBytes: 2 * input.growthBytesPerDay * share * DAYS_PER_MONTH,
    auditBytes: AUDIT_BYTES_PER_DAY * DAYS_PER_MONTH,
    gossipBytes: 2 * GOSSIP_SHARE * QUIET_BYTES_PER_DAY * DAYS_PER_MONTH,
    readBytes: heldBytes * input.readShare,
  }
}
