import { createHash } from 'node:crypto'
import { concatBytes, formatAddress } from '../../core/index.ts'
import { ArgsWriter } from '../reference/args-writer.ts'
import { keyOf, STATE_OFFSETS } from './registry-records.ts'
import { FEE, MAX_GAS, type World } from './registry-world.ts'

/*
 * A registry of thousands of nodes. Registering each by a call takes minutes, so the records are written as the calls
 * would: each is the record of the first with another address and place, and the totals are those of one node, times
 * their number. A test holds it against calls.
 */

const STAKE_NANO_MAS = 10_000_000_000n
const GB = 5n
const ADDRESS_CHARS = 53
const INDEX_OFFSET = 327
const SUMS = ['weight', 'votes', 'activeNodes', 'placementTotal', 'stakes', 'registryVersion'] as const

/** Address of somebody without a key. */
export function addressOf(number: number): string {
  const hash = createHash('sha256').update(`node ${number}`).digest()
  return formatAddress(concatBytes(Uint8Array.of(0, 0), hash))
}

/** One of them joins by a call. */
export function registerByCall({ engine, contract }: World, number: number): void {
  const sender = addressOf(number)
  engine.ledger.setBalance(sender, 100n * STAKE_NANO_MAS)
  const body = {
    kind: 'call-sc',
    target: contract,
    functionName: 'registerStorageNode',
    parameter: new ArgsWriter().u64(GB).finish(),
    coinsNanoMas: STAKE_NANO_MAS + STAKE_NANO_MAS / 10n,
    maxGas: MAX_GAS,
  } as const
  const { success, error } = engine.executeOperation({ sender, feeNanoMas: FEE, body })
  if (!success) throw new Error(error)
}

/** Nodes `from` to `from + count - 1` of 5 GB join in the current slot. */
export function registerMany(world: World, from: number, count: number): void {
  const { engine, contract } = world
  const { ledger } = engine
  const read = (key: Uint8Array) => Buffer.from(ledger.value(contract, key) ?? [])
  const stateBefore = read(keyOf('state'))
  registerByCall(world, from)
  const state = read(keyOf('state'))
  const template = read(keyOf(`node_${addressOf(from)}`))
  const others = BigInt(count - 1)
  for (const name of SUMS) {
    const at = STATE_OFFSETS.get(name) ?? 0
    const after = state.readBigUInt64LE(at)
    state.writeBigUInt64LE(after + (after - stateBefore.readBigUInt64LE(at)) * others, at)
  }
  const first = template.readBigUInt64LE(INDEX_OFFSET)
  for (let i = 1; i < count; i++) {
    const address = addressOf(from + i)
    const record = Buffer.from(template)
    record[1] = address.length
    record.fill(0, 2, 2 + ADDRESS_CHARS).write(address, 2, 'latin1')
    record.writeBigUInt64LE(first + BigInt(i), INDEX_OFFSET)
    ledger.setValue(contract, keyOf(`node_${address}`), record)
    const place = Buffer.alloc(13, 'nidx_')
    place.writeBigUInt64BE(first + BigInt(i), 5)
    const value = Buffer.alloc(1 + ADDRESS_CHARS)
    value[0] = 1
    value.write(address, 1, 'latin1')
    ledger.setValue(contract, place, value)
  }
  const total = Buffer.alloc(8)
  total.writeBigUInt64LE(first + BigInt(count))
  ledger.setValue(contract, keyOf('total_nodes'), total)
  ledger.setValue(contract, keyOf('state'), state)
  ledger.setBalance(contract, ledger.balance(contract) + STAKE_NANO_MAS * others)
}

/** Gives a node another place, as if so many had registered before it. */
export function moveNode({ engine, contract }: World, address: string, index: bigint): void {
  const key = keyOf(`node_${address}`)
  const record = Buffer.from(engine.ledger.value(contract, key) ?? [])
  record.writeBigUInt64LE(index, INDEX_OFFSET)
  engine.ledger.setValue(contract, key, record)
}
