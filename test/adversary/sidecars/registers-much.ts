import { isArchiveError } from '../../../core/index.ts'
import { ChainProver } from '../../../storage-worker/challenge/chain-prover.ts'
import type { ProverParts } from './challenge-events.ts'
import { partsOf, runTwisted, tellDeed, twist } from './twist.ts'

const GB = 100n

let isRegistered = false

twist<ChainProver, ChainProver['look']>(ChainProver, 'look', (look, self) => async () => {
  await look()
  if (isRegistered) return
  const { modules } = partsOf<ProverParts>(self)
  try {
    await modules.sender.client.call('updateStorageAllocation', { newAllocatedGb: GB })
    isRegistered = true
    tellDeed(`offers ${GB} GB`)
  } catch (error) {
    // It is not registered yet.
    if (!isArchiveError(error)) throw error
  }
})
// Whoever tells others of less than it registered is not drawn. What it has is counted in the registry.
await runTwisted(`allocated_storage_gb=${GB}`, 'contract.claim_threshold_nano_mas=0')
