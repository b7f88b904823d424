import { slotIndex } from '../../../core/index.ts'
import type { OutputMessage } from '../../../telemetry/grpc/messages.ts'
import { readOutputFilters } from '../../../telemetry/grpc/output-filters.ts'
import { EVERYTHING } from '../../../telemetry/grpc/request-checks.ts'
import type { SlotOutput } from '../chain/slot-executor.ts'
import { encodeSlotOutput, toOutputMessage } from './output-messages.ts'
import type { Selector } from './stream-feed.ts'

/** A slot as it is told to all: encoded once, however many listen. */
export class BroadcastOutput {
  readonly slotIndex: number
  /** One of OUTPUT_STATUS. */
  readonly status: number
  readonly message: OutputMessage
  private encoded: Uint8Array | undefined

  constructor(output: SlotOutput, status: number) {
    this.slotIndex = slotIndex(output.slot)
    this.status = status
    this.message = toOutputMessage(output)
  }

  encode(): Uint8Array {
    this.encoded ??= encodeSlotOutput(this.message, this.status)
    return this.encoded
  }
}

/** @throws RpcError */
export function selectOutputs(request: Uint8Array): Selector<BroadcastOutput> {
  const { status, range = EVERYTHING, cut } = readOutputFilters(request)
  return (output) => {
    if ((status ?? output.status) !== output.status) return undefined
    if (output.slotIndex < range.from || output.slotIndex >= range.to) return undefined
    if (!cut) return output.encode()
    const message = cut(output.message)
    return message && encodeSlotOutput(message, output.status)
  }
}
