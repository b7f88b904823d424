import { HASH_SLOTS, type HolderTable } from '../../../core/index.ts'

/** Share of the placements of `after` that `before` does not have: what has to be fetched. */
export function computeMovedShare(before: HolderTable, after: HolderTable): number {
  let moved = 0
  let all = 0
  for (let hashSlot = 0; hashSlot < HASH_SLOTS; hashSlot++) {
    const held = new Set(before.addressesIn(hashSlot))
    for (const address of after.addressesIn(hashSlot)) {
      all++
      if (!held.has(address)) moved++
    }
  }
  return moved / all
}

/** The same where a chunk is with node `id mod n` and those behind it: exact, over all remainders. */
export function computeModuloMovedShare(before: number, after: number, replicas: number): number {
  const remainders = before * after
  let moved = 0
  for (let id = 0; id < remainders; id++) {
    for (let i = 0; i < replicas; i++) {
      const holder = (id + i) % after
      const distance = (holder - (id % before) + before) % before
      if (holder >= before || distance >= replicas) moved++
    }
  }
  return moved / (remainders * replicas)
}

/**
 * Of all placements, those of one node when in each hash slot `replicas` nodes are drawn by weight, none of them twice: what
 * ranking gives where there is room and nothing to keep apart.
 */
export function computeDrawnShare(weights: readonly number[], node: number, replicas: number): number {
  const alike = new Map<number, number>()
  for (const weight of weights) alike.set(weight, (alike.get(weight) ?? 0) + 1)
  const own = weights[node] ?? 0
  const draw = (left: ReadonlyMap<number, number>, weight: number, draws: number): number => {
    if (draws === 0) return 0
    let share = own / weight
    for (const [other, count] of left) {
      const others = other === own ? count - 1 : count
      if (others === 0) continue
      const rest = draw(new Map(left).set(other, count - 1), weight - other, draws - 1)
      share += ((others * other) / weight) * rest
    }
    return share
  }
  const all = weights.reduce((sum, weight) => sum + weight, 0)
  return draw(alike, all, replicas) / replicas
}

/** How evenly hash slots lie, as a multiple of what falls to a node by its weight. */
export interface LoadSpread {
  /** Hash slots of a node of average weight. */
  readonly mean: number
  readonly least: number
  /** One node in a hundred has less. */
  readonly p1: number
  readonly median: number
  /** One node in a hundred has more. */
  readonly p99: number
  readonly most: number
}

/** @param weights - of the nodes of `table`, in its order */
export function computeLoadSpread(table: HolderTable, weights: readonly number[]): LoadSpread {
  const counts = countSlots(table)
  const placed = counts.reduce((sum, count) => sum + count, 0)
  const weight = weights.reduce((sum, one) => sum + one, 0)
  const loads = counts.map((count, i) => (count * weight) / (placed * (weights[i] ?? 0))).sort((a, b) => a - b)
  const at = (share: number): number => loads[Math.round(share * (loads.length - 1))] ?? 0
  return { mean: placed / counts.length, least: at(0), p1: at(0.01), median: at(0.5), p99: at(0.99), most: at(1) }
}

/** Hash slots of each node, by its number. */
export function countSlots(table: HolderTable): number[] {
  const counts = new Array<number>(table.addresses.length).fill(0)
  for (let hashSlot = 0; hashSlot < HASH_SLOTS; hashSlot++) {
    for (const number of table.numbersIn(hashSlot)) counts[number] = (counts[number] ?? 0) + 1
  }
  return counts
}

/** What a death costs those that stand in, in hash slots. */
export interface DeathLoad {
  readonly lost: number
  /** Nodes that rank next in one of them, and so fetch it. */
  readonly standIns: number
  /** That one of them fetches at most. */
  readonly mostFetched: number
  /** That one holder serves at most, when those that are left share it evenly. */
  readonly mostServed: number
}

/** Of the worst node to lose: that with the most hash slots. */
export function computeDeathLoad(table: HolderTable): DeathLoad {
  const counts = countSlots(table)
  const dead = counts.indexOf(Math.max(...counts))
  const slots = table.listSlotsOf(dead)
  const fetched = new Map<number, number>()
  const served = new Map<number, number>()
  const add = (to: Map<number, number>, number: number, slots: number): void => {
    to.set(number, (to.get(number) ?? 0) + slots)
  }
  for (const hashSlot of slots) {
    for (const number of table.listNext(hashSlot, 1) ?? []) add(fetched, number, 1)
    const left = [...table.numbersIn(hashSlot)].filter((number) => number !== dead)
    for (const number of left) add(served, number, 1 / left.length)
  }
  return {
    lost: slots.length,
    standIns: fetched.size,
    mostFetched: Math.max(...fetched.values()),
    mostServed: Math.max(...served.values()),
  }
}

/** Hash slots of which no copy is left when `dead` nodes are gone at once, on average over all such sets of nodes. */
export function computeExpectedLoss(nodes: number, dead: number, replicas: number): number {
  let share = 1
  for (let i = 0; i < replicas; i++) share *= (dead - i) / (nodes - i)
  return HASH_SLOTS * share
}

/** Of all sets of `replicas` nodes the share whose death together loses chunks. */
export function computeFatalShare(table: HolderTable, replicas: number): number {
  const sets = new Set<string>()
  for (let hashSlot = 0; hashSlot < HASH_SLOTS; hashSlot++) {
    sets.add([...table.numbersIn(hashSlot)].sort((a, b) => a - b).join())
  }
  let all = 1
  for (let i = 0; i < replicas; i++) all *= (table.addresses.length - i) / (i + 1)
  return sets.size / all
}

/** Bytes of the typed arrays that an object keeps, in whatever depth. */
export function countViewBytes(value: unknown): number {
  if (ArrayBuffer.isView(value)) return value.byteLength
  if (typeof value !== 'object' || value === null) return 0
  return Object.values(value).reduce<number>((sum, part) => sum + countViewBytes(part), 0)
}

/** Others that hold a hash slot in which a node is a holder, or ranks first behind them: whose holdings concern it. */
export function countNeighbours(table: HolderTable): { readonly median: number; readonly most: number } {
  const neighbours = table.addresses.map(() => new Set<number>())
  for (let hashSlot = 0; hashSlot < HASH_SLOTS; hashSlot++) {
    const holders = table.numbersIn(hashSlot)
    for (const number of [...holders, ...(table.listNext(hashSlot, 1) ?? [])]) {
      for (const holder of holders) if (holder !== number) neighbours[number]?.add(holder)
    }
  }
  const sizes = neighbours.map(({ size }) => size).sort((a, b) => a - b)
  return { median: sizes[sizes.length >> 1] ?? 0, most: sizes.at(-1) ?? 0 }
}
