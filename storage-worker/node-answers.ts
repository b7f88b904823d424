import { ArchiveError } from '../core/index.ts'
import type { ChainStatus, ContractEvent } from './chain-port.ts'

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
  const { chain_id, last_slot, next_slot, minimal_fees } = asRecord(value, 'a status')
  const chainId = Number(chain_id)
  // Before its genesis a node has no last slot.
  const { period } = asRecord(last_slot ?? next_slot, 'a slot')
  if (!Number.isSafeInteger(chainId) || !Number.isSafeInteger(period)) throw invalid('a status')
  return { chainId: BigInt(chainId), period: period as number, minimalFeeNanoMas: parseMas(minimal_fees) }
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
    const { period, thread } = asRecord(slot, 'a slot')
    if (typeof data !== 'string' || !Number.isSafeInteger(period) || !Number.isSafeInteger(thread))
      throw invalid('an event')
    return is_error === true ? [] : [{ data, slot: { period: period as number, thread: thread as number } }]
  })
}

function asRecord(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw invalid(what)
  return value as Readonly<Record<string, unknown>>
}

function invalid(what: string): ArchiveError {
  return new ArchiveError('CHAIN_ANSWER_INVALID', `the massa-node answered something that is not ${what}`)
}
