import {
  compareBytes,
  computeAddressThread,
  formatMas,
  parseAddress,
  slotIndex,
  slotOfIndex,
  THREAD_COUNT,
} from '../../../../core/index.ts'
import {
  address,
  badRequest,
  boolean,
  bytes,
  checkCountOf,
  JsonRpcError,
  ListAnswer,
  listMethod,
  optional,
  struct,
  u32,
} from '../../../../telemetry/json-rpc/index.ts'
import type { Ledger } from '../../../engine/index.ts'
import type { DevnetChain } from '../../chain/devnet-chain.ts'
import { listEndorsements } from '../forms/block-form.ts'
import type { NodeMethod } from '../rpc-context.ts'

/** A node's `max_datastore_keys_query` and `max_addresses_datastore_keys_query`. */
const MAX_KEYS = 500
const MAX_KEY_QUERIES = 50
/** A node's `draw_lookahead_period_count`. */
const DRAW_PERIODS = 10

const addressFilter = struct('AddressFilter', { address, is_final: boolean })
const entryInput = struct('DatastoreEntryInput', { address, key: bytes })
const keysRequest = struct('GetAddressDatastoreKeysRequest', {
  address,
  prefix: bytes,
  is_final: boolean,
  start_key: optional(bytes),
  inclusive_start_key: optional(boolean),
  end_key: optional(bytes),
  inclusive_end_key: optional(boolean),
  count: optional(u32),
})

/** What the ledger and the draw say of addresses. */
export const ADDRESS_METHODS: readonly NodeMethod[] = [
  listMethod('get_addresses', ['arg', address], ({ chain }, addresses) => {
    const draws = listDraws(chain, new Set(addresses))
    const created = listCreated(chain, new Set(addresses))
    return new ListAnswer(addresses, (one) => describeAddress(chain, one, { ...draws(one), ...created(one) }))
  }),
  listMethod('get_addresses_bytecode', ['args', addressFilter], ({ chain }, filters) => {
    if (filters.length === 0) throw badRequest('no arguments specified')
    checkCountOf(filters)
    return filters.map((filter) => {
      const ledger = ledgerOf(chain, filter)
      if (!ledger.has(filter.address)) {
        throw new JsonRpcError(-32001, `Internal server error: Not found: Account ${filter.address}`)
      }
      return [...(ledger.bytecode(filter.address) ?? [])]
    })
  }),
  listMethod('get_datastore_entries', ['arg', entryInput], ({ chain }, entries) => {
    return new ListAnswer(entries, ({ address, key }) => {
      const read = (ledger: Ledger) => {
        const value = ledger.value(address, key)
        return value === undefined ? null : [...value]
      }
      return { final_value: read(chain.finalLedger), candidate_value: read(chain.engine.ledger) }
    })
  }),
  listMethod('get_addresses_datastore_keys', ['arg', keysRequest], ({ chain }, requests) => {
    checkCountOf(requests, MAX_KEY_QUERIES)
    for (const request of requests) checkKeyCount(request)
    return requests.map((request) => ({
      address: request.address,
      is_final: request.is_final,
      keys: selectKeys(ledgerOf(chain, request), request).map((key) => [...key]),
    }))
  }),
]

function ledgerOf(chain: DevnetChain, { is_final }: { readonly is_final: boolean }): Ledger {
  return is_final ? chain.finalLedger : chain.engine.ledger
}

type KeysRequest = ReturnType<typeof keysRequest>

function checkKeyCount({ address, count = 0 }: KeysRequest): void {
  if (count <= MAX_KEYS) return
  throw badRequest(
    `error querying datastore keys for address ${address}: Error raised max item count in datastore key query is ${MAX_KEYS} but ${count} items were queried`,
  )
}

function selectKeys(ledger: Ledger, request: KeysRequest): readonly Uint8Array[] {
  const { address, start_key: start, end_key: end, count = MAX_KEYS } = request
  if (!ledger.has(address)) throw new JsonRpcError(-32010, `execution error: Not found: Account ${address}`)
  const found = ledger.keys(address, request.prefix).filter((key) => {
    const fromStart = start === undefined ? 1 : compareBytes(key, start)
    const toEnd = end === undefined ? 1 : compareBytes(end, key)
    return (
      (fromStart > 0 || (fromStart === 0 && request.inclusive_start_key !== false)) &&
      (toEnd > 0 || (toEnd === 0 && request.inclusive_end_key !== false))
    )
  })
  return found.slice(0, count)
}

function describeAddress(chain: DevnetChain, address: string, rest: Draws & Created): unknown {
  const { candidate, final } = chain.rollsOf(address)
  const cycles = chain.cyclesOf(address)
  return {
    address,
    thread: computeAddressThread(parseAddress(address)),
    final_balance: formatMas(chain.finalLedger.balance(address)),
    final_roll_count: Number(final),
    final_datastore_keys: chain.finalLedger.keys(address).map((key) => [...key]),
    candidate_balance: formatMas(chain.engine.ledger.balance(address)),
    candidate_roll_count: Number(candidate),
    candidate_datastore_keys: chain.engine.ledger.keys(address).map((key) => [...key]),
    deferred_credits: chain
      .deferredCreditsOf(address)
      .map(({ slot, amountNanoMas }) => ({ slot, amount: formatMas(amountNanoMas) })),
    next_block_draws: rest.blockDraws,
    next_endorsement_draws: rest.endorsementDraws,
    created_blocks: rest.blocks,
    created_operations: rest.operations,
    created_endorsements: rest.endorsements,
    cycle_infos: cycles.map(({ cycle, isFinal, okCount, nokCount, activeRolls }) => ({
      cycle,
      is_final: isFinal,
      ok_count: okCount,
      nok_count: nokCount,
      active_rolls: activeRolls === undefined ? null : Number(activeRolls),
    })),
  }
}

interface Draws {
  readonly blockDraws: readonly unknown[]
  readonly endorsementDraws: readonly unknown[]
}

/** Slots from the present one to ten periods ahead, as far as they are drawn; nothing is when nobody with rolls is asked for. */
function listDraws(chain: DevnetChain, addresses: ReadonlySet<string>): (address: string) => Draws {
  const draws = new Map<string, { blockDraws: unknown[]; endorsementDraws: unknown[] }>()
  const first = slotIndex(chain.lastSlot)
  const drawn = chain.listDrawn(first, first + DRAW_PERIODS * THREAD_COUNT)
  for (const address of addresses) {
    if (drawn.has(address)) draws.set(address, { blockDraws: [], endorsementDraws: [] })
  }
  const last = draws.size === 0 ? -1 : Math.min(first + DRAW_PERIODS * THREAD_COUNT, chain.lastDrawnIndex)
  for (let index = first; index <= last; index++) {
    const slot = slotOfIndex(index)
    const { producer, endorsers } = chain.drawOf(index)
    draws.get(producer)?.blockDraws.push(slot)
    for (const [place, endorser] of endorsers.entries()) {
      draws.get(endorser)?.endorsementDraws.push({ slot, index: place })
    }
  }
  return (address) => draws.get(address) ?? { blockDraws: [], endorsementDraws: [] }
}

interface Created {
  readonly blocks: readonly string[]
  readonly operations: readonly string[]
  readonly endorsements: readonly string[]
}

/** Of what is still in storage. */
function listCreated(chain: DevnetChain, addresses: ReadonlySet<string>): (address: string) => Created {
  const created = new Map<string, { blocks: string[]; endorsements: string[] }>()
  for (const address of chain.blockMakers) {
    if (addresses.has(address)) created.set(address, { blocks: [], endorsements: [] })
  }
  for (const block of created.size === 0 ? [] : chain.listBlocks(0, Number.POSITIVE_INFINITY)) {
    created.get(block.creator)?.blocks.push(block.id)
    for (const { id, creator } of listEndorsements(block)) created.get(creator)?.endorsements.push(id)
  }
  const operations = new Map<string, string[]>()
  for (const { id, creator } of chain.operations.values()) {
    if (!addresses.has(creator)) continue
    const ids = operations.get(creator)
    if (ids) ids.push(id)
    else operations.set(creator, [id])
  }
  return (address) => ({
    ...(created.get(address) ?? { blocks: [], endorsements: [] }),
    operations: operations.get(address) ?? [],
  })
}
