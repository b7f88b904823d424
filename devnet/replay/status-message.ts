import {
  GetStatusResponseCodec,
  type PublicStatusMessage,
  SLOT_MS,
  slotOfIndex,
  slotToProtobuf,
  toU64,
} from '../../core/index.ts'
import { readWireFields, replaceWireFields } from '../../telemetry/grpc/wire.ts'

/** Speculative execution runs 2 s behind the clock (facts: massa-node 1.3, cursor_delay). */
const CURSOR_DELAY_MS = 2000

export interface StatusMoment {
  /** Milliseconds since the epoch. */
  readonly currentTimeMs: number
  readonly finalSlotIndex: number
  readonly speculativeSlotIndex: number
}

/** The slot that a node has executed speculatively by now, never before its final one. */
export function computeSpeculativeSlotIndex(
  currentTimeMs: number,
  genesisTimestampMs: bigint,
  finalSlotIndex: number,
): number {
  const elapsedMs = currentTimeMs - CURSOR_DELAY_MS - Number(genesisTimestampMs)
  return Math.max(finalSlotIndex, Math.floor(elapsedMs / SLOT_MS))
}

/** An answer to GetStatus as `template`, at another moment; every other field stays byte for byte. */
export function moveStatusMessage(template: Uint8Array, moment: StatusMoment): Uint8Array {
  const status = readWireFields(template).find((field) => field.number === 1)?.payload ?? new Uint8Array(0)
  const moved = readWireFields(encodeMoment(moment))
  const payloads = moved.flatMap(({ number, payload }) => (payload ? [[number, payload] as const] : []))
  return replaceWireFields(template, new Map([[1, replaceWireFields(status, new Map(payloads))]]))
}

function encodeMoment(moment: StatusMoment): Uint8Array {
  const status: PublicStatusMessage = {
    currentTime: { milliseconds: toU64(BigInt(Math.floor(moment.currentTimeMs))) },
    lastExecutedFinalSlot: slotToProtobuf(slotOfIndex(moment.finalSlotIndex)),
    lastExecutedSpeculativeSlot: slotToProtobuf(slotOfIndex(moment.speculativeSlotIndex)),
  }
  const response = GetStatusResponseCodec.encode({ status })
  return readWireFields(response).find((field) => field.number === 1)?.payload ?? new Uint8Array(0)
}
