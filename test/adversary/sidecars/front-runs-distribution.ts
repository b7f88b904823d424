import { computeDuePeriod } from '../../../core/index.ts'
import {
  RewardDuty,
  type RewardDutyModules,
  type RewardDutyOptions,
} from '../../../storage-worker/rewards/reward-duty.ts'
import { partsOf, runTwisted, tellDeed, twist } from './twist.ts'

const COINS_NANO_MAS = 20_000_000n

let last = 0

twist<RewardDuty, (period: number) => Promise<void>>(RewardDuty, 'distribute', (_, self) => async (period) => {
  const { options, modules } = partsOf<{
    readonly options: RewardDutyOptions
    readonly modules: RewardDutyModules
  }>(self)
  const due = computeDuePeriod(period, options.distributionPeriods)
  if (due === undefined || due <= last) return
  last = due
  const order = { purpose: 'distribute', key: `distribute/${due}`, call: 'distributeRewards' } as const
  await modules.sender.send({ ...order, args: { period: BigInt(due) }, coinsNanoMas: COINS_NANO_MAS })
  tellDeed(`distributes ${due} before whose turn it is`)
})
await runTwisted()
