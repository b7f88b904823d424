import assert from 'node:assert/strict'
import type { World } from './registry-world.ts'

/*
 * The stored records, read by the layouts of docs/CONTRACT.md, and what must always hold between them.
 */

type FieldSize = 1 | 4 | 8 | 'address'
type Fields = readonly (readonly [name: string, size: FieldSize])[]

const u64s = (...names: string[]): Fields => names.map((name) => [name, 8])

const NODE_FIELDS: Fields = [
  ['address', 'address'],
  ...u64s('allocatedGb', 'registeredPeriod', 'totalChallenges', 'passedChallenges', 'pendingRewards'),
  ...u64s('lastChallengedPeriod'),
  ['active', 1],
  ...u64s('stake', 'unvested', 'underAudit', 'indexPaid', 'weightGb', 'vote', 'voteEra', 'previousVote'),
  ...u64s('nextWeightGb', 'nextWeightEra', 'placementGb', 'placementEra', 'previousPlacementGb'),
  ...u64s('retentionPeriods', 'retentionEra', 'previousRetentionPeriods'),
  ['openChallenges', 4],
  ['auditPassed', 4],
  ['auditTotal', 4],
  ['auditPeriod', 8],
  ['strikePoints', 4],
  ['lastStrikePeriod', 8],
  ['leaving', 1],
  ['unlockPeriod', 8],
  ['lastChallenger', 'address'],
  ...u64s('index', 'slashedTotal'),
  ['rules', 1],
  ...u64s('movedEra'),
]
const STATE_FIELDS: Fields = [
  ['index', 8],
  ['idxRem', 4],
  ...u64s('accruedPeriod', 'weight', 'votes', 'voteEra', 'previousVotes', 'activeNodes', 'placementTotal'),
  ...u64s('pool', 'owed'),
  ...u64s('stakes', 'anchoredBytes', 'anchoredChunks', 'latestEra', 'firstEra', 'genesisTimestamp'),
  ...u64s('lastDistributedPeriod', 'accruedSince', 'returnedSince'),
  ['shortSince', 1],
  ...u64s('challengerCount', 'registryVersion'),
  ['paused', 1],
  ...u64s('sampledEra', 'eraBytes'),
  ['eraReplicas', 4],
  ['eraLag', 4],
  ['eraAnchors', 1],
  ...u64s('switchIndex', 'switchEra'),
]
const ADDRESS_BYTES = 53
const NONE = (1n << 64n) - 1n

/** Where each number of the record `state` begins. */
export const STATE_OFFSETS: ReadonlyMap<string, number> = listOffsets(STATE_FIELDS)
/** The same of a record of a node. */
export const NODE_OFFSETS: ReadonlyMap<string, number> = listOffsets(NODE_FIELDS)

function listOffsets(fields: Fields): Map<string, number> {
  const offsets = new Map<string, number>()
  let at = 1
  for (const [name, size] of fields) {
    offsets.set(name, at)
    at += size === 'address' ? 1 + ADDRESS_BYTES : size
  }
  return offsets
}

/** Numbers of a record by field name; an address is under `texts`. */
export class StoredRecord {
  private readonly numbers = new Map<string, bigint>()
  private readonly texts = new Map<string, string>()

  constructor(fields: Fields, bytes: Uint8Array) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    let at = 1
    for (const [name, size] of fields) {
      if (size === 'address') {
        this.texts.set(name, Buffer.from(bytes.subarray(at + 1, at + 1 + view.getUint8(at))).toString('latin1'))
        at += 1 + ADDRESS_BYTES
        continue
      }
      if (size === 8) this.numbers.set(name, view.getBigUint64(at, true))
      else this.numbers.set(name, BigInt(size === 4 ? view.getUint32(at, true) : view.getUint8(at)))
      at += size
    }
  }

  get(name: string): bigint {
    const value = this.numbers.get(name)
    if (value === undefined) throw new Error(`no number ${name}`)
    return value
  }

  text(name: string): string {
    const value = this.texts.get(name)
    if (value === undefined) throw new Error(`no text ${name}`)
    return value
  }
}

export function keyOf(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

export function readNode({ engine, contract }: World, address: string): StoredRecord {
  const bytes = engine.ledger.value(contract, keyOf(`node_${address}`))
  if (!bytes) throw new Error(`no node ${address}`)
  return new StoredRecord(NODE_FIELDS, bytes)
}

export function hasNode({ engine, contract }: World, address: string): boolean {
  return engine.ledger.value(contract, keyOf(`node_${address}`)) !== undefined
}

export function readState({ engine, contract }: World): StoredRecord {
  const bytes = engine.ledger.value(contract, keyOf('state'))
  if (!bytes) throw new Error('no state')
  return new StoredRecord(STATE_FIELDS, bytes)
}

export function readTotalNodes({ engine, contract }: World): bigint {
  const total = engine.ledger.value(contract, keyOf('total_nodes'))
  if (!total) throw new Error('no total_nodes')
  return Buffer.from(total).readBigUInt64LE()
}

/** Coins of the contract that belong to nobody: balance - stakes - owed - pool. */
export function readSurplus(world: World): bigint {
  const state = readState(world)
  return world.engine.ledger.balance(world.contract) - state.get('stakes') - state.get('owed') - state.get('pool')
}

/** Invariants 1 to 4 of docs/CONTRACT.md. */
export function checkInvariants(world: World, surplusNanoMas = 0n): void {
  const { engine, contract } = world
  const state = readState(world)
  const sums = { owed: 0n, stakes: 0n, weight: 0n, placementTotal: 0n, activeNodes: 0n, votes: 0n }
  let nodes = 0n
  for (const key of engine.ledger.keys(contract, keyOf('node_'))) {
    const node = readNode(world, Buffer.from(key).toString('latin1').slice('node_'.length))
    // Records of nodes made without anchors are not written when anchors come to be required.
    const isOver = node.get('rules') === 0n && state.get('switchEra') !== NONE
    const [weight, placement, next] = ['weightGb', 'placementGb', 'nextWeightGb'].map((name) =>
      isOver ? 0n : node.get(name),
    ) as [bigint, bigint, bigint]
    nodes++
    sums.owed += node.get('pendingRewards') + node.get('unvested') + node.get('underAudit')
    sums.owed += node.get('weightGb') * (state.get(isOver ? 'switchIndex' : 'index') - node.get('indexPaid'))
    sums.stakes += node.get('stake')
    sums.weight += weight
    sums.votes += node.get('vote')
    sums.placementTotal += placement
    if (weight > 0n) sums.activeNodes++
    assert(weight <= placement, 'weight above placement')
    assert(next === 0n || (weight < next && next <= placement), 'next weight out of place')
    assert(node.get('leaving') === 0n || node.get('active') === 0n, 'leaving and active')
    const votes = node.get('active') === 1n && node.get('retentionPeriods') === 0n
    assert.equal(node.get('vote'), votes ? node.get('stake') : 0n, 'vote')
  }
  assert.equal(readSurplus(world), surplusNanoMas, 'balance = stakes + owed + pool + surplus')
  for (const [name, sum] of Object.entries(sums)) assert.equal(state.get(name), sum, name)
  assert.equal(readTotalNodes(world), nodes, 'total_nodes')
}

/** Every address with its coins, code and entries, as one text per item: equal exactly when the ledgers are. */
export function dumpLedger({ engine: { ledger } }: World): Map<string, string> {
  const items = new Map<string, string>()
  for (const address of ledger.addresses()) {
    items.set(address, `${ledger.balance(address)} ${ledger.bytecode(address)?.length ?? 0}`)
    for (const key of ledger.keys(address)) {
      const value = ledger.value(address, key) ?? new Uint8Array()
      items.set(`${address} ${Buffer.from(key).toString('hex')}`, Buffer.from(value).toString('hex'))
    }
  }
  return items
}
