import { slotIndex } from '../../../core/index.ts'
import { NewOutputsRequest, type OutputMessage, type OutputsFilter, type PartFilter } from '../../grpc/messages.ts'
import { checkFilterCount, toIndex } from '../../grpc/request-checks.ts'
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

/**
 * Filters of NewSlotExecutionOutputs as the node reads them: a filter of a part drops the whole slot when nothing of
 * that part is left (facts: massa-node 1.3).
 *
 * @throws RpcError
 */
export function selectOutputs(request: Uint8Array): Selector<BroadcastOutput> {
  const { filters } = NewOutputsRequest.read(request)
  checkFilterCount(filters)
  const isWanted = filterSlots(filters)
  const cut = filterParts(filters)
  return (output) => {
    if (!isWanted(output)) return undefined
    if (!cut) return output.encode()
    const message = cut(output.message)
    return message && encodeSlotOutput(message, output.status)
  }
}

function filterSlots(filters: readonly OutputsFilter[]): (output: BroadcastOutput) => boolean {
  const status = filters.findLast(({ filter }) => filter === 'status')?.status
  const ranges = filters.flatMap(({ filter, slotRange }) => (filter === 'slotRange' && slotRange ? [slotRange] : []))
  return (output) =>
    (status ?? output.status) === output.status &&
    ranges.every(
      ({ startSlot, endSlot }) =>
        output.slotIndex >= toIndex(startSlot, 0) && output.slotIndex < toIndex(endSlot, Number.MAX_SAFE_INTEGER),
    )
}

type Cut = (message: OutputMessage) => OutputMessage | undefined

function filterParts(filters: readonly OutputsFilter[]): Cut | undefined {
  const of = (pick: (filter: OutputsFilter) => PartFilter | undefined) =>
    filters.flatMap((filter) => {
      const part = pick(filter)
      return part?.filter ? [part] : []
    })
  const events = of(({ filter, eventFilter }) => (filter === 'eventFilter' ? eventFilter : undefined))
  const operations = of(({ filter, executedOpsChangesFilter }) =>
    filter === 'executedOpsChangesFilter' ? executedOpsChangesFilter : undefined,
  )
  const ledger = of(({ filter, ledgerChangesFilter }) =>
    filter === 'ledgerChangesFilter' ? ledgerChangesFilter : undefined,
  )
  // There are no asynchronous messages here: asked for any, nothing is left.
  const isHopeless = filters.some(
    ({ filter, asyncPoolChangesFilter }) => filter === 'asyncPoolChangesFilter' && asyncPoolChangesFilter?.filter,
  )
  const withoutDenunciations = filters.some(({ executedDenounciationFilter }) => executedDenounciationFilter?.filter)
  const isPlain = events.length + operations.length + ledger.length === 0
  if (!isHopeless && !withoutDenunciations && isPlain) return undefined
  return (message) => {
    if (isHopeless) return undefined
    const { stateChanges } = message
    const cut = {
      ...message,
      events: message.events.filter(({ context }) => events.every((filter) => fitsEvent(filter, context))),
      stateChanges: {
        ...stateChanges,
        executedDenunciationsChanges: withoutDenunciations ? [] : stateChanges.executedDenunciationsChanges,
        ledgerChanges: stateChanges.ledgerChanges.filter(({ address }) =>
          ledger.every((filter) => filter.filter === 'address' && filter.address === address),
        ),
        executedOpsChanges: stateChanges.executedOpsChanges.filter(({ operationId }) =>
          operations.every((filter) => filter.filter === 'operationId' && filter.operationId === operationId),
        ),
      },
    }
    const isLost =
      (events.length > 0 && cut.events.length === 0) ||
      (operations.length > 0 && cut.stateChanges.executedOpsChanges.length === 0) ||
      (ledger.length > 0 && cut.stateChanges.ledgerChanges.length === 0)
    return isLost ? undefined : cut
  }
}

function fitsEvent(filter: PartFilter, context: OutputMessage['events'][number]['context']): boolean {
  switch (filter.filter) {
    case 'callerAddress':
      return context.callStack[0] === filter.callerAddress
    case 'emitterAddress':
      return context.callStack.at(-1) === filter.emitterAddress
    case 'originalOperationId':
      return context.originOperationId?.value === filter.originalOperationId
    case 'isFailure':
      return context.isFailure === filter.isFailure
    default:
      return false
  }
}
