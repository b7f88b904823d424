import { computeReplicas } from './placement-records.ts'
import type { RegistryConfig } from './registry-config.ts'
import type { RegistryState } from './state-record.ts'
import type { RegistryNode } from './views.ts'

/*
 * The reward index as the contract moves it (docs/CONTRACT.md, Rewards), computed from what is stored.
 */

export const PPM = 1_000_000n

/** Where the index would stand if the registry were called now. */
export interface Accrual {
  /** nanoMAS per GB since the beginning. */
  readonly index: bigint
  /** Share of the declared GB that is paid now, millionths. */
  readonly utilisationPpm: bigint
  /** What one GB is paid for one period now, millionths of a nanoMAS. */
  readonly perGbMicro: bigint
  /** `maxRewardPerPeriod` holds it down. */
  readonly isCapped: boolean
  /** The pool cannot pay all of it since the last call. */
  readonly isShort: boolean
}

/** @param period - of the chain; not before `state.accruedPeriod` */
export function projectAccrual(state: RegistryState, config: RegistryConfig, period: bigint): Accrual {
  const { index, weight, pool } = state
  const utilisationPpm = computeUtilisation(state, config)
  const uncapped = config.rewardPerGbPerPeriod * utilisationPpm
  const cap = config.maxRewardPerPeriod > 0n && weight > 0n ? (config.maxRewardPerPeriod * PPM) / weight : uncapped
  const isCapped = cap < uncapped
  const now = { utilisationPpm, perGbMicro: isCapped ? cap : uncapped, isCapped }
  const periods = period - state.accruedPeriod
  if (state.paused || periods === 0n || weight === 0n) return { index, isShort: false, ...now }
  const due = (now.perGbMicro * periods + BigInt(state.idxRem)) / PPM
  const affordable = pool / weight
  const isShort = due > affordable
  return { index: index + (isShort ? affordable : due), isShort, ...now }
}

/**
 * What a node earns in a period, once all nodes weigh what placement counts them for: some weigh nothing before their first audit.
 *
 * @returns nanoMAS, rounded down
 */
export function computePeriodReward(
  { placementGb }: Pick<RegistryNode, 'placementGb'>,
  state: RegistryState,
  config: RegistryConfig,
): bigint {
  const all = { ...state, weight: state.placementTotal }
  return (placementGb * projectAccrual(all, config, state.accruedPeriod).perGbMicro) / PPM
}

function computeUtilisation(state: RegistryState, config: RegistryConfig): bigint {
  if (!config.requireAnchors) return PPM
  if (state.weight === 0n) return 0n
  const replicas = computeReplicas({ ...state, replicationFactor: config.replicationFactor })
  const filled = (state.anchoredBytes * replicas) / (1000n * state.weight)
  return filled < PPM ? filled : PPM
}
