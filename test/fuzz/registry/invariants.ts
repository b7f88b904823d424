import type { Slot } from '../../../core/index.ts'
import { decodeRecord, type FieldValue, LAYOUTS, type Layout } from '../../reference/registry-model/layout.ts'

type Store = ReadonlyMap<string, Uint8Array>
type Reading = Readonly<Record<string, FieldValue>>

const ERA_PERIODS = 128
const NONE = (1n << 64n) - 1n
const SNAPSHOT_FIELDS = [
  ['vote', 'voteEra', 'previousVote'],
  ['placementGb', 'placementEra', 'previousPlacementGb'],
  ['retentionPeriods', 'retentionEra', 'previousRetentionPeriods'],
] as const

/** The invariants of the design (1 to 5), judged by the stored bytes alone. */
export class InvariantWatch {
  /** What was given to the contract without being asked. */
  surplusNanoMas = 0n
  private era = -1
  /** Snapshot fields as they stood when the era began, by node; '' is the sum of votes. */
  private atStart = new Map<string, readonly bigint[]>()

  /** To be told of every slot: what is stored when an era begins is its snapshot. */
  enter(slot: Slot, store: Store): void {
    const era = Math.floor(slot.period / ERA_PERIODS)
    if (era === this.era) return
    this.era = era
    this.atStart.clear()
    const state = readState(store)
    for (const stored of listNodes(store)) {
      const node = state ? afterSwitch(stored, state) : stored
      this.atStart.set(
        text(node, 'address'),
        SNAPSHOT_FIELDS.map(([value]) => number(node, value)),
      )
    }
    if (state) this.atStart.set('', [number(state, 'votes')])
  }

  /** What is broken, in words; undefined when all hold. */
  check(slot: Slot, store: Store, balanceNanoMas: bigint): string | undefined {
    if (this.era < 0) this.enter(slot, store)
    const state = readState(store)
    if (!state) return 'there is no state'
    const nodes = listNodes(store).map((node) => afterSwitch(node, state))
    const sum = (of: (node: Reading) => bigint) => nodes.reduce((total, node) => total + of(node), 0n)
    const index = number(state, 'index')
    const owed = sum(
      (node) =>
        number(node, 'pendingRewards') +
        number(node, 'unvested') +
        number(node, 'underAudit') +
        number(node, 'weightGb') * (index - number(node, 'indexPaid')),
    )
    const wanted: Readonly<Record<string, bigint>> = {
      owed,
      stakes: sum((node) => number(node, 'stake')),
      weight: sum((node) => number(node, 'weightGb')),
      votes: sum((node) => number(node, 'vote')),
      placementTotal: sum((node) => number(node, 'placementGb')),
      activeNodes: BigInt(nodes.filter((node) => number(node, 'weightGb') > 0n).length),
    }
    for (const [name, value] of Object.entries(wanted)) {
      if (number(state, name) !== value) return `${name} is ${number(state, name)}, the nodes make ${value}`
    }
    const liabilities = number(state, 'stakes') + number(state, 'owed') + number(state, 'pool')
    if (balanceNanoMas !== liabilities + this.surplusNanoMas) {
      return `balance ${balanceNanoMas} is not ${liabilities} + surplus ${this.surplusNanoMas}`
    }
    for (const node of nodes) {
      const broken = this.checkNode(node)
      if (broken !== undefined) return `${text(node, 'address')}: ${broken}`
    }
    const votesAtStart = readSnapshot(state, ['votes', 'voteEra', 'previousVotes'], this.era)
    const recorded = this.atStart.get('')?.[0]
    if (recorded !== undefined && votesAtStart !== recorded) return `votes at the start of era ${this.era}`
    return checkIndexes(store, nodes)
  }

  private checkNode(node: Reading): string | undefined {
    const weight = number(node, 'weightGb')
    const next = number(node, 'nextWeightGb')
    const placement = number(node, 'placementGb')
    if (weight > placement) return `weight ${weight} above placement ${placement}`
    if (next !== 0n && (next <= weight || next > placement)) return `next weight ${next}`
    if (node.leaving === true && node.active === true) return 'leaving, but active'
    const isVoter = node.active === true && number(node, 'retentionPeriods') === 0n
    const vote = isVoter ? number(node, 'stake') : 0n
    if (number(node, 'vote') !== vote) return `vote ${number(node, 'vote')} instead of ${vote}`
    const isNew = number(node, 'registeredPeriod') >= BigInt(this.era * ERA_PERIODS)
    for (const [i, fields] of SNAPSHOT_FIELDS.entries()) {
      const read = readSnapshot(node, fields, this.era)
      const wanted = isNew ? 0n : this.atStart.get(text(node, 'address'))?.[i]
      if (read !== wanted) return `${fields[0]} at the start of era ${this.era} reads ${read}, was ${wanted}`
    }
    return undefined
  }
}

/** A node that was made without anchors, as it counts since they are required, whatever its record still says. */
function afterSwitch(node: Reading, state: Reading): Reading {
  const era = number(state, 'switchEra')
  if (era === NONE || number(node, 'rules') === 1n) return node
  const isEarlier = number(node, 'placementEra') < era
  const ended = {
    placementGb: 0n,
    placementEra: era,
    previousPlacementGb: number(node, isEarlier ? 'placementGb' : 'previousPlacementGb'),
  }
  const earned = number(node, 'weightGb') * (number(state, 'switchIndex') - number(node, 'indexPaid'))
  return {
    ...node,
    ...(number(node, 'placementGb') === 0n ? {} : ended),
    weightGb: 0n,
    unvested: number(node, 'unvested') + earned,
    indexPaid: number(state, 'index'),
    nextWeightGb: 0n,
  }
}

function checkIndexes(store: Store, nodes: readonly Reading[]): string | undefined {
  const total = Buffer.from(store.get('total_nodes') ?? []).readBigUInt64LE()
  if (total !== BigInt(nodes.length)) return `total_nodes is ${total} with ${nodes.length} nodes`
  for (const node of nodes) {
    const key = `nidx_${Buffer.from(number(node, 'index').toString(16).padStart(16, '0'), 'hex').toString('latin1')}`
    const stored = store.get(key)
    const named = stored && read(LAYOUTS.index, stored).address
    if (named !== text(node, 'address')) return `index ${number(node, 'index')} is not ${text(node, 'address')}`
  }
  return undefined
}

function readSnapshot(record: Reading, fields: readonly [string, string, string], era: number): bigint {
  const [value, changed, previous] = fields
  return number(record, changed) < BigInt(era) ? number(record, value) : number(record, previous)
}

/** Stored bytes are replaced, never changed: each needs reading only once. */
const readings = new WeakMap<Uint8Array, Reading>()

function read(layout: Layout, bytes: Uint8Array): Reading {
  const known = readings.get(bytes)
  if (known) return known
  const reading = decodeRecord(layout, bytes)
  readings.set(bytes, reading)
  return reading
}

function readState(store: Store): Reading | undefined {
  const bytes = store.get('state')
  return bytes && read(LAYOUTS.state, bytes)
}

function listNodes(store: Store): Reading[] {
  const nodes: Reading[] = []
  for (const [key, bytes] of store) if (key.startsWith('node_')) nodes.push(read(LAYOUTS.node, bytes))
  return nodes
}

function number(record: Reading, name: string): bigint {
  return record[name] as bigint
}

function text(record: Reading, name: string): string {
  return record[name] as string
}
