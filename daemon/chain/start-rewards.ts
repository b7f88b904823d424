import { RewardDuty } from '../../storage-worker/rewards/reward-duty.ts'
import { keepRunning } from '../peers/peer-context.ts'
import type { ChainContext } from './chain-context.ts'

/** Distributes rewards at its turn, and claims the own ones. */
export function startRewards(chain: ChainContext): void {
  const { config, sender, placement, archiver, clock, log } = chain
  const duty = new RewardDuty(
    {
      address: sender.address,
      everyMs: config.node.pollIntervalMs,
      distributionPeriods: config.rewardDistributionPeriods,
      claimThresholdNanoMas: config.contract.claimThresholdNanoMas,
      feeNanoMas: config.contract.feeNanoMas,
    },
    {
      sender,
      placement,
      finalPeriod: () => archiver.status().nodeFinalSlot?.period,
      clock,
      log,
    },
  )
  keepRunning('rewards', duty, chain)
}
