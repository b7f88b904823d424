import {
  ERA_PERIODS,
  OPERATION_VALIDITY_PERIODS,
  PERIOD_MS,
  type StatusForm,
  slotToProtobuf,
  THREAD_COUNT,
  toU64,
} from '../../core/index.ts'
import { GetStatusResponse, toAmountMessage } from './messages.ts'

const BLOCK_REWARD_NANO_MAS = 400_010_000n
const ROLL_PRICE_NANO_MAS = 100_000_000_000n
const MAX_BLOCK_BYTES = 300_000

/** GetStatus, with the constants of mainnet (facts: massa-node 3.1). @param fingerprint - of the final state */
export function encodePublicStatus(
  form: Omit<StatusForm, 'cliqueCount' | 'pooledOperations' | 'recent'>,
  fingerprint: string,
): Uint8Array {
  const { genesisTimestampMs } = form
  // One era is one cycle of Massa.
  const cycle = Math.floor(form.lastSlot.period / ERA_PERIODS)
  const cycleStart = (n: number) => toTime(genesisTimestampMs + n * ERA_PERIODS * PERIOD_MS)
  return GetStatusResponse.encode({
    status: {
      nodeId: form.nodeId,
      version: form.version,
      currentTime: toTime(form.nowMs),
      currentCycle: toU64(BigInt(cycle)),
      currentCycleTime: cycleStart(cycle),
      nextCycleTime: cycleStart(cycle + 1),
      lastExecutedFinalSlot: slotToProtobuf(form.finalCursor),
      lastExecutedSpeculativeSlot: slotToProtobuf(form.activeCursor),
      finalStateFingerprint: fingerprint,
      config: {
        genesisTimestamp: toTime(genesisTimestampMs),
        threadCount: THREAD_COUNT,
        t0: toTime(PERIOD_MS),
        deltaF0: toU64(BigInt(form.deltaF0)),
        operationValidityPeriods: toU64(BigInt(OPERATION_VALIDITY_PERIODS)),
        periodsPerCycle: toU64(BigInt(ERA_PERIODS)),
        blockReward: toAmountMessage(BLOCK_REWARD_NANO_MAS),
        rollPrice: toAmountMessage(ROLL_PRICE_NANO_MAS),
        maxBlockSize: MAX_BLOCK_BYTES,
      },
      chainId: toU64(form.chainId),
      minimalFees: toAmountMessage(form.minimalFeeNanoMas),
      currentMipVersion: form.networkVersion,
    },
  })
}

function toTime(ms: number) {
  return { milliseconds: toU64(BigInt(Math.floor(ms))) }
}
