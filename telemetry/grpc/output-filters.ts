import { NewOutputsRequest, type OutputMessage, type OutputsFilter, type PartFilter } from './messages.ts'
import { checkFilterCount, EVERYTHING, type IndexRange, toIndex } from './request-checks.ts'

/** What filters of NewSlotExecutionOutputs ask for. */
export interface WantedOutputs {
  /** One of OUTPUT_STATUS; absent: any. */
  readonly status: number | undefined
  /** Of all slot ranges; absent: anything. */
  readonly range: IndexRange | undefined
  /** A range says where it starts. */
  readonly hasStart: boolean
  /** What is left of the message of a slot; `undefined`: nothing. Absent: all of it. */
  readonly cut: ((message: OutputMessage) => OutputMessage | undefined) | undefined
  /** Parts that there are filters of. */
  readonly parts: ReadonlySet<OutputsFilter['filter']>
}

/**
 * Filters of NewSlotExecutionOutputs as the node reads them: a filter of a part drops the whole slot when nothing of
 * that part is left (facts: massa-node 1.3).
 *
 * @throws RpcError
 */
export function readOutputFilters(request: Uint8Array): WantedOutputs {
  const { filters } = NewOutputsRequest.read(request)
  checkFilterCount(filters)
  return {
    status: filters.findLast(({ filter }) => filter === 'status')?.status,
    range: joinRanges(filters),
    hasStart: filters.some(({ filter, slotRange }) => filter === 'slotRange' && slotRange?.startSlot),
    cut: filterParts(filters),
    parts: new Set(filters.map(({ filter }) => filter)),
  }
}

/** Here a node takes any, also one that is empty or the wrong way round: nothing is in it. */
function joinRanges(filters: readonly OutputsFilter[]): IndexRange | undefined {
  const ranges = filters.flatMap(({ filter, slotRange }) => (filter === 'slotRange' && slotRange ? [slotRange] : []))
  if (ranges.length === 0) return undefined
  return {
    from: Math.max(...ranges.map(({ startSlot }) => toIndex(startSlot, EVERYTHING.from))),
    to: Math.min(...ranges.map(({ endSlot }) => toIndex(endSlot, EVERYTHING.to))),
  }
}

type Cut = NonNullable<WantedOutputs['cut']>

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
  // No message here has asynchronous messages: asked for any, nothing is left.
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
