import { ERA_PERIODS, isArchiveError } from '../../../core/index.ts'
import { ChainProver } from '../../../storage-worker/challenge/chain-prover.ts'
import type { ProverParts } from './challenge-events.ts'
import { partsOf, runTwisted, tellDeed, twist } from './twist.ts'

const SMALL_GB = 1n
const LARGE_GB = 10n
/** An operation takes some periods until it counts. */
const BEFORE_PERIODS = 12
const AFTER_PERIODS = 1

let underWay: Promise<unknown> | undefined

async function change({ modules }: ProverParts, newAllocatedGb: bigint): Promise<void> {
  try {
    await modules.sender.client.call('updateStorageAllocation', { newAllocatedGb })
    tellDeed(`is of ${newAllocatedGb} GB from period ${modules.registryLog.period} on`)
  } catch (error) {
    if (!isArchiveError(error)) throw error
    console.log('the allocation stays', error)
  }
}

twist<ChainProver, ChainProver['look']>(ChainProver, 'look', (look, self) => async () => {
  await look()
  const parts = partsOf<ProverParts>(self)
  const { period } = parts.modules.registryLog
  if (period === undefined || underWay) return
  const position = period % ERA_PERIODS
  const isSmall = position < AFTER_PERIODS || position >= ERA_PERIODS - BEFORE_PERIODS
  try {
    const { address } = parts.options
    const { allocatedGb } = await parts.modules.sender.client.read('getNodeInfo', { address })
    const wanted = isSmall ? SMALL_GB : LARGE_GB
    if (allocatedGb === wanted) return
    underWay = change(parts, wanted).finally(() => {
      underWay = undefined
    })
  } catch (error) {
    // It is not registered yet.
    if (!isArchiveError(error)) throw error
  }
})
// What it has is counted in the registry.
await runTwisted('contract.claim_threshold_nano_mas=0')
