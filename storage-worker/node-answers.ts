import { ArchiveError, parseRegistryRefusal, type Slot, THREAD_COUNT } from '../core/index.ts'
import type { ChainStatus, ContractEvent, ReadOnlyAnswer } from './chain-port.ts'

/* What a node answers, looked at before it is used: massa-web3 hands it on unseen. */

const NANO_MAS_PER_MAS = 1_000_000_000n

/** Decimal MAS. @throws ArchiveError CHAIN_ANSWER_INVALID */
export function parseMas(value: unknown): bigint {
  const match = typeof value === 'string' ? /^(\d{1,20})(?:\.(\d{1,9}))?$/.exec(value) : null
  if (!match) throw invalid('an amount')
  return BigInt(match[1] ?? '0') * NANO_MAS_PER_MAS + BigInt((match[2] ?? '').padEnd(9, '0'))
}

/** @throws ArchiveError CHAIN_ANSWER_INVALID */
export function readNodeStatus(value: unknown): ChainStatus {
  const { chain_id, last_slot, next_slot, minimal_fees, execution_stats } = asRecord(value, 'a status')
  const chainId = Number(chain_id)
  // Before its genesis a node has no last slot.
  const { period } = asRecord(last_slot ?? next_slot, 'a slot')
  if (!Number.isSafeInteger(chainId) || !Number.isSafeInteger(period)) throw invalid('a status')
  const final = readNodeSlot(asRecord(execution_stats, 'a status').final_cursor)
  return {
    chainId: BigInt(chainId),
    period: period as number,
    finalPeriod: final.thread === THREAD_COUNT - 1 ? final.period : final.period - 1,
    minimalFeeNanoMas: parseMas(minimal_fees),
  }
}

export interface NodeOperation {
  readonly inPool: boolean
  readonly isFinal: boolean
  /** Undefined until it is executed. */
  readonly success: boolean | undefined
}

/** Undefined for an operation that the node does not know. */
export function readNodeOperation(value: unknown): NodeOperation | undefined {
  if (value === undefined || value === null) return undefined
  const { in_pool, is_operation_final, op_exec_status } = asRecord(value, 'an operation')
  return {
    inPool: in_pool === true,
    isFinal: is_operation_final === true,
    success: typeof op_exec_status === 'boolean' ? op_exec_status : undefined,
  }
}

/** Texts of events. @throws ArchiveError CHAIN_ANSWER_INVALID */
export function readNodeEvents(value: unknown): string[] {
  if (!Array.isArray(value)) throw invalid('a list of events')
  return value.map((event) => {
    const { data } = asRecord(event, 'an event')
    if (typeof data !== 'string') throw invalid('an event')
    return data
  })
}

/** Of a contract, with the slots of their blocks; failed ones are left out. @throws ArchiveError CHAIN_ANSWER_INVALID */
export function readContractEvents(value: unknown): ContractEvent[] {
  if (!Array.isArray(value)) throw invalid('a list of events')
  return value.flatMap((event) => {
    const { data, context } = asRecord(event, 'an event')
    const { slot, is_error } = asRecord(context, 'the context of an event')
    if (typeof data !== 'string') throw invalid('an event')
    return is_error === true ? [] : [{ data, slot: readNodeSlot(slot) }]
  })
}

/** Of one call. @throws ArchiveError CHAIN_ANSWER_INVALID; REGISTRY_*, CHAIN_TRIAL_FAILED when the call itself failed */
export function readReadOnlyAnswer(value: unknown): ReadOnlyAnswer {
  const [answer] = Array.isArray(value) ? value : []
  const { result, gas_cost, output_events, executed_at } = asRecord(answer, 'what a call returned')
  const { Ok: returned, Error: error } = asRecord(result, 'the result of a call')
  if (typeof error === 'string') throw trialError(error)
  if (!isBytes(returned) || !Number.isSafeInteger(gas_cost)) throw invalid('what a call returned')
  return {
    returned: Uint8Array.from(returned),
    gasCost: BigInt(gas_cost as number),
    events: readNodeEvents(output_events),
    period: readNodeSlot(executed_at).period,
  }
}

/** Why a trial run failed: as the registry says it, where it is the registry that does. */
export function trialError(text: string): ArchiveError {
  return (
    parseRegistryRefusal(text) ??
    new ArchiveError('CHAIN_TRIAL_FAILED', `a trial run failed: ${text.slice(0, 500)}`, { text: text.slice(0, 1_000) })
  )
}

function isBytes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((byte) => Number.isInteger(byte) && byte >= 0 && byte <= 255)
}

/** @throws ArchiveError CHAIN_ANSWER_INVALID */
function readNodeSlot(value: unknown): Slot {
  const { period, thread } = asRecord(value, 'a slot')
  const isSlot = Number.isSafeInteger(period) && Number.isInteger(thread) && (thread as number) < THREAD_COUNT
  if (!isSlot || (period as number) < 0 || (thread as number) < 0) throw invalid('a slot')
  return { period: period as number, thread: thread as number }
}

function asRecord(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw invalid(what)
  return value as Readonly<Record<string, unknown>>
}

function invalid(what: string): ArchiveError {
  return new ArchiveError('CHAIN_ANSWER_INVALID', `the massa-node answered something that is not ${what}`)
}
