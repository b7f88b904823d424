import {
  ByteReader,
  compareBytes,
  computeAddressThread,
  type DatastoreEntry,
  PERIOD_MS,
  parseAddress,
  parsePublicKey,
  parseSignature,
  SLOT_MS,
  type Slot,
  slotIndex,
  slotOfIndex,
  THREAD_COUNT,
} from '../../core/index.ts'
import { formatMas, type Ledger, PERIODS_PER_CYCLE } from '../engine/index.ts'
import type { DevnetChain } from './chain/devnet-chain.ts'
import { OPERATION_VALIDITY_PERIODS } from './chain/operation-pool.ts'
import type { ChainEvent } from './chain/slot-executor.ts'
import { eventToJson, operationToJson, readOnlyToJson } from './json-forms.ts'
import { badRequest } from './json-rpc-error.ts'
import type { RequestParams } from './request-params.ts'

const MAX_ARGUMENTS = 128
const MAX_KEYS = 500
/** In the place of a caller that is not named. */
const SOME_CALLER = 'AU12uPNLiw6YLh5icu9JjTJFrkjQqeeqAQZuax9A4Hy54AnGs1h2o'

type Method = (chain: DevnetChain, params: RequestParams, nowMs: number) => unknown

/** The methods that massa-web3 uses for accounts, operations and contracts. */
export const RPC_METHODS: ReadonlyMap<string, Method> = new Map<string, Method>([
  ['get_status', (chain, _params, nowMs) => getStatus(chain, nowMs)],
  ['get_addresses', getAddresses],
  ['get_addresses_bytecode', getAddressesBytecode],
  ['get_addresses_datastore_keys', getDatastoreKeys],
  ['get_datastore_entries', getDatastoreEntries],
  ['get_operations', getOperations],
  ['send_operations', sendOperations],
  ['execute_read_only_call', executeReadOnlyCalls],
  ['execute_read_only_bytecode', executeReadOnlyBytecodes],
  ['get_filtered_sc_output_event', getEvents],
  ['get_slots_transfers', refuseTrace],
])

function getStatus(chain: DevnetChain, nowMs: number): unknown {
  const { lastSlot, genesisTimestampMs } = chain
  const cycle = Math.floor(lastSlot.period / PERIODS_PER_CYCLE)
  const cycleStart = (n: number) => genesisTimestampMs + n * PERIODS_PER_CYCLE * PERIOD_MS
  const window = { start: nowMs - 60_000, end: nowMs }
  const finalBlocks = Math.min(60_000 / SLOT_MS, slotIndex(chain.finalSlot))
  return {
    node_id: 'N12f9Lt5j4aK3EtFCtPxz82pxSiTCTSTTNiPKepuxa93VVhCPPNu',
    node_ip: null,
    version: 'DEVN.0.1',
    current_time: nowMs,
    current_cycle: cycle,
    current_cycle_time: cycleStart(cycle),
    next_cycle_time: cycleStart(cycle + 1),
    connected_nodes: {},
    last_slot: lastSlot,
    next_slot: slotOfIndex(slotIndex(lastSlot) + 1),
    consensus_stats: {
      start_timespan: window.start,
      end_timespan: window.end,
      final_block_count: finalBlocks,
      stale_block_count: 0,
      clique_count: 1,
    },
    pool_stats: [chain.poolSize, 0],
    network_stats: {
      in_connection_count: 0,
      out_connection_count: 0,
      known_peer_count: 0,
      banned_peer_count: 0,
      active_node_count: 0,
    },
    execution_stats: {
      time_window_start: window.start,
      time_window_end: window.end,
      final_block_count: finalBlocks,
      final_executed_operations_count: chain.executedOperationCount,
      active_cursor: chain.executedSlot,
      final_cursor: chain.finalSlot,
    },
    config: {
      genesis_timestamp: genesisTimestampMs,
      end_timestamp: null,
      thread_count: THREAD_COUNT,
      t0: PERIOD_MS,
      delta_f0: chain.options.deltaF0,
      operation_validity_periods: OPERATION_VALIDITY_PERIODS,
      periods_per_cycle: PERIODS_PER_CYCLE,
      block_reward: '0.40001',
      roll_price: '100',
      max_block_size: 300_000,
    },
    chain_id: Number(chain.chainId),
    minimal_fees: formatMas(chain.minimalFeeNanoMas),
    current_mip_version: 0,
  }
}

function getAddresses(chain: DevnetChain, params: RequestParams): unknown {
  return params.list().map((item) => {
    const address = params.address(item)
    return {
      address,
      thread: computeAddressThread(parseAddress(address)),
      final_balance: formatMas(chain.finalLedger.balance(address)),
      final_roll_count: Number(chain.rollsOf(address).final),
      final_datastore_keys: listKeys(chain.finalLedger, address),
      candidate_balance: formatMas(chain.engine.ledger.balance(address)),
      candidate_roll_count: Number(chain.rollsOf(address).candidate),
      candidate_datastore_keys: listKeys(chain.engine.ledger, address),
      deferred_credits: chain
        .deferredCreditsOf(address)
        .map(({ slot, amountNanoMas }) => ({ slot, amount: formatMas(amountNanoMas) })),
      next_block_draws: [],
      next_endorsement_draws: [],
      created_blocks: [],
      created_operations: [...chain.operations.values()]
        .filter(({ creator }) => creator === address)
        .map(({ id }) => id),
      created_endorsements: [],
      cycle_infos: [{ cycle: 0, is_final: false, ok_count: 0, nok_count: 0, active_rolls: null }],
    }
  })
}

function listKeys(ledger: Ledger, address: string): number[][] {
  return ledger.keys(address).map((key) => [...key])
}

function getAddressesBytecode(chain: DevnetChain, params: RequestParams): unknown {
  const filters = params.list()
  if (filters.length > MAX_ARGUMENTS) throw badRequest('too many arguments')
  return filters.map((item) => {
    const filter = params.objectOf(item)
    const ledger = params.boolean(filter.is_final) ? chain.finalLedger : chain.engine.ledger
    return [...(ledger.bytecode(params.address(filter.address)) ?? [])]
  })
}

function getDatastoreKeys(chain: DevnetChain, params: RequestParams): unknown {
  return params.list().map((item) => {
    const query = params.objectOf(item)
    const address = params.address(query.address)
    const isFinal = params.boolean(query.is_final)
    const count = query.count === null || query.count === undefined ? MAX_KEYS : Number(params.integer(query.count))
    if (count > MAX_KEYS) {
      throw badRequest(
        `error querying datastore keys for address ${address}: Error raised max item count in datastore key query is ${MAX_KEYS} but ${count} items were queried`,
      )
    }
    const bound = (value: unknown) => (value === null || value === undefined ? undefined : params.bytes(value))
    const [start, end] = [bound(query.start_key), bound(query.end_key)]
    const keys = (isFinal ? chain.finalLedger : chain.engine.ledger).keys(address, bound(query.prefix))
    const found = keys.filter((key) => {
      const fromStart = start === undefined ? 1 : compareBytes(key, start)
      const toEnd = end === undefined ? 1 : compareBytes(end, key)
      return (
        (fromStart > 0 || (fromStart === 0 && query.inclusive_start_key !== false)) &&
        (toEnd > 0 || (toEnd === 0 && query.inclusive_end_key !== false))
      )
    })
    return { address, is_final: isFinal, keys: found.slice(0, count).map((key) => [...key]) }
  })
}

function getDatastoreEntries(chain: DevnetChain, params: RequestParams): unknown {
  return params.list().map((item) => {
    const query = params.objectOf(item)
    const address = params.address(query.address)
    const key = params.bytes(query.key)
    const read = (ledger: Ledger) => {
      const value = ledger.value(address, key)
      return value === undefined ? null : [...value]
    }
    return { final_value: read(chain.finalLedger), candidate_value: read(chain.engine.ledger) }
  })
}

function getOperations(chain: DevnetChain, params: RequestParams): unknown {
  const ids = params.list().map((item) => params.operationId(item))
  if (ids.length > MAX_ARGUMENTS) throw badRequest('too many arguments')
  return ids.flatMap((id) => {
    const known = chain.operations.get(id)
    return known ? [operationToJson(chain, known)] : []
  })
}

function sendOperations(chain: DevnetChain, params: RequestParams): unknown {
  const sent = params.list().map((item) => {
    const operation = params.objectOf(item)
    const key = params.parsed(operation.creator_public_key, parsePublicKey, 'Parsing error: Bad public key bs58')
    const signature = params.parsed(operation.signature, parseSignature, 'Parsing error: Bad signature bs58')
    return {
      publicKey: key.bytes,
      signature: signature.bytes,
      content: params.bytes(operation.serialized_content),
    }
  })
  if (sent.length > MAX_ARGUMENTS) throw badRequest('too many arguments')
  // One that is refused keeps the others out, too.
  const checked = sent.map((operation) => chain.check(operation))
  return checked.map((operation) => chain.accept(operation))
}

function executeReadOnlyCalls(chain: DevnetChain, params: RequestParams): unknown {
  const calls = params.list()
  if (calls.length > MAX_ARGUMENTS) throw badRequest('too many arguments')
  return calls.map((item) => {
    const call = params.objectOf(item)
    const coinsNanoMas = params.amount(call.coins)
    const feeNanoMas = params.amount(call.fee)
    const outcome = chain.engine.executeReadOnlyCall({
      caller: callerOf(params, call.caller_address),
      target: params.address(call.target_address),
      functionName: params.text(call.target_function),
      parameter: params.bytes(call.parameter),
      maxGas: params.integer(call.max_gas),
      ...(coinsNanoMas === undefined ? {} : { coinsNanoMas }),
      ...(feeNanoMas === undefined ? {} : { feeNanoMas }),
    })
    return readOnlyToJson(outcome)
  })
}

function executeReadOnlyBytecodes(chain: DevnetChain, params: RequestParams): unknown {
  const requests = params.list()
  if (requests.length > MAX_ARGUMENTS) throw badRequest('too many arguments')
  return requests.map((item) => {
    const request = params.objectOf(item)
    const feeNanoMas = params.amount(request.fee)
    const pairs =
      request.operation_datastore === null || request.operation_datastore === undefined
        ? []
        : parseDatastore(params.bytes(request.operation_datastore))
    const outcome = chain.engine.executeReadOnlyBytecode({
      address: callerOf(params, request.address),
      bytecode: params.bytes(request.bytecode),
      datastore: pairs,
      maxGas: params.integer(request.max_gas),
      ...(feeNanoMas === undefined ? {} : { feeNanoMas }),
    })
    return readOnlyToJson(outcome)
  })
}

/** varint count, then varint length and bytes of each key and value. */
function parseDatastore(bytes: Uint8Array): DatastoreEntry[] {
  try {
    const reader = new ByteReader(bytes)
    const entries = Array.from({ length: reader.varintNumber(MAX_ARGUMENTS) }, () => {
      const key = reader.sized(255)
      return { key, value: reader.sized(10_000_000) }
    })
    reader.end()
    return entries
  } catch (cause) {
    throw badRequest(`Deserialization error: ${cause instanceof Error ? cause.message : cause}`)
  }
}

function callerOf(params: RequestParams, value: unknown): string {
  return value === null || value === undefined ? SOME_CALLER : params.address(value)
}

function getEvents(chain: DevnetChain, params: RequestParams): unknown {
  const filter = params.object()
  const given = (value: unknown): value is string => value !== null && value !== undefined
  const isNarrow = [
    filter.start,
    filter.end,
    filter.emitter_address,
    filter.original_caller_address,
    filter.original_operation_id,
  ].some(given)
  const start = given(filter.start) ? slotIndex(parseSlot(params, filter.start)) : 0
  const end = given(filter.end) ? slotIndex(parseSlot(params, filter.end)) : Number.POSITIVE_INFINITY
  const emitter = given(filter.emitter_address) ? params.address(filter.emitter_address) : undefined
  const caller = given(filter.original_caller_address) ? params.address(filter.original_caller_address) : undefined
  const operation = given(filter.original_operation_id) ? params.operationId(filter.original_operation_id) : undefined
  const matches = ({ event }: ChainEvent): boolean => {
    const index = slotIndex(event.slot)
    const isFinal = chain.isFinal(index)
    return (
      // Old events are looked up only by what they are stored under.
      (isNarrow || !isFinal) &&
      index >= start &&
      index < end &&
      (emitter === undefined || event.callStack.at(-1) === emitter) &&
      (caller === undefined || event.callStack[0] === caller) &&
      (operation === undefined || event.originOperationId === operation) &&
      (!given(filter.is_final) || params.boolean(filter.is_final) === isFinal) &&
      (!given(filter.is_error) || params.boolean(filter.is_error) === event.isError)
    )
  }
  return chain.events.filter(matches).map((event) => eventToJson(chain, event))
}

function parseSlot(params: RequestParams, value: unknown): Slot {
  const slot = params.objectOf(value)
  return { period: Number(params.integer(slot.period)), thread: Number(params.integer(slot.thread)) }
}

function refuseTrace(): never {
  throw badRequest('feature execution-trace is not enabled')
}
