import { computeReplicas } from '../registry/placement-records.ts'
import { BYTES_PER_GB } from '../units.ts'
import { PERIODS_PER_DAY } from './chain-time.ts'
import type { EconomicsInput } from './economics-input.ts'

const PPM = 1_000_000n
const GB = BigInt(BYTES_PER_GB)

/** What a node is paid for, while all its audits are passed. */
export interface ExpectedReward {
  /** GB of the node that count. */
  readonly weightGb: bigint
  /** Of all nodes. */
  readonly totalWeightGb: bigint
  /** Copies of each chunk that are paid for. */
  readonly replicas: bigint
  /** Share of the counted GB that anchored history fills, millionths; 1,000,000 without anchors. */
  readonly utilisationPpm: bigint
  /** True when `maxRewardPerPeriod` is what decides. */
  readonly isCapped: boolean
  /** Of one GB that counts, in a period, times 10^6. */
  readonly microNanoMasPerGbPeriod: bigint
  readonly nanoMasPerDay: bigint
}

/** By the rules of the contract (docs/CONTRACT.md, Rewards), for one of nodes that are all alike. */
export function computeExpectedReward({
  settings,
  nodes,
  allocatedGb,
  historyBytes,
}: Pick<EconomicsInput, 'settings' | 'nodes' | 'allocatedGb' | 'historyBytes'>): ExpectedReward {
  const { rewardPerGbPerPeriod, replicationFactor, requireAnchors, maxRewardPerPeriod } = settings
  const historyGb = (historyBytes + GB - 1n) / GB
  const weightGb = requireAnchors && historyGb < allocatedGb ? historyGb : allocatedGb
  const activeNodes = BigInt(nodes)
  const totalWeightGb = weightGb * activeNodes
  const replicas = computeReplicas({
    replicationFactor,
    activeNodes,
    placementTotal: totalWeightGb,
    anchoredBytes: historyBytes,
  })
  const filledPpm = (historyBytes * replicas) / (1_000n * totalWeightGb)
  const utilisationPpm = requireAnchors && filledPpm < PPM ? filledPpm : PPM
  const wanted = rewardPerGbPerPeriod * utilisationPpm
  const allowed = (maxRewardPerPeriod * PPM) / totalWeightGb
  const isCapped = maxRewardPerPeriod > 0n && allowed < wanted
  const microNanoMasPerGbPeriod = isCapped ? allowed : wanted
  return {
    weightGb,
    totalWeightGb,
    replicas,
    utilisationPpm,
    isCapped,
    microNanoMasPerGbPeriod,
    nanoMasPerDay: (weightGb * microNanoMasPerGbPeriod * BigInt(PERIODS_PER_DAY)) / PPM,
  }
}
