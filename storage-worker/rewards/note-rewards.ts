import type { Clock } from '../../core/index.ts'
import type { Logger } from '../../telemetry/index.ts'
import type { RegistryOutcome } from '../registry-client.ts'
import type { RewardEntry, RewardHistory } from './reward-history.ts'

export interface NoteRewardsModules {
  readonly history: Pick<RewardHistory, 'append'>
  readonly clock: Clock
  readonly log: Logger
}

/** Notes and tells what a final call of this sidecar's distributed or claimed. @throws ArchiveError of the store */
export async function noteRewards(
  { operationId, feeNanoMas, events }: RegistryOutcome,
  { history, clock, log }: NoteRewardsModules,
): Promise<void> {
  const note = (entry: Pick<RewardEntry, 'kind' | 'period' | 'amountNanoMas'>): Promise<void> =>
    history.append({ ...entry, atMs: clock.nowMs(), feeNanoMas: `${feeNanoMas}`, operationId })
  for (const event of events) {
    if (event.name === 'REWARDS_DISTRIBUTED') {
      const [period, amountNanoMas] = [Number(event.period), `${event.totalAmount}`]
      log.info({ period, operationId, amountNanoMas, feeNanoMas }, 'rewards distributed')
      await note({ kind: 'distribution', period, amountNanoMas })
    }
    if (event.name === 'REWARDS_CLAIMED') {
      const amountNanoMas = `${event.amount}`
      log.info({ operationId, amountNanoMas, feeNanoMas }, 'rewards claimed')
      await note({ kind: 'claim', period: null, amountNanoMas })
    }
  }
}
