import { ERA_PERIODS } from '../../core/index.ts'
import { PLACEMENT_IN_FORCE_PERIODS } from '../../storage-worker/placement/placement-table.ts'
import { ROGUE_KINDS, type RogueKind } from './rogue-peer.ts'
import type { ShamKind } from './sham-stores.ts'
import { identityOf, type SimIdentity } from './sim-identity.ts'
import type { PeriodSpan } from './sim-node.ts'
import type { SimRandom } from './sim-random.ts'

/** Archived by all before a simulation begins, shortly before the second era. */
export const BEGIN_PERIOD = 110
export const REPLICAS = 3
/** In this period of the simulated chain the registry of era 1 is in force. */
export const CHANGE_PERIOD = ERA_PERIODS + PLACEMENT_IN_FORCE_PERIODS
/** Periods in which things go wrong. */
export const ROUGH_PERIODS = { least: 22, most: 36 }
/** Where the registry changes some are left behind the change. */
const CHANGED_ROUGH_PERIODS = CHANGE_PERIOD - BEGIN_PERIOD + 6
/** Thirty nodes are five seconds of work, five nodes half a second: most seeds have few. */
const MANY_NODES = 30
const MANY_EVERY = 20
const MANY_ROUGH_PERIODS = 25
/** The dearest seeds: everybody audits all the time, and then stands in. Joiners would fetch all, and hide it. */
const SHAM_SHARE = 0.25
const SHAM_MOST_NODES = 6
/** Whoever gives something false once is found out at once. */
const FORGER_SHARE = 0.2
/** Where everybody holds everything, or a death has others fetch all of it, blocks of one peer fill a hole. */
const HOLED_SHARE = { whole: 0.1, parts: 0.5 }
/** So long that no peer holds all of it. */
const HOLE_PERIODS = { least: 20, most: 40 }
const SIZES = [4, 4, 5, 5, 6, 8]

/** What kind of network a seed has. */
export interface Shape {
  /** Honest nodes that are registered, and run from the beginning. */
  readonly founders: readonly SimIdentity[]
  /** Honest nodes with empty disks, which the registry of era 1 knows. */
  readonly joiners: readonly SimIdentity[]
  /** Founders that the registry of era 1 does not know any more. */
  readonly leavers: readonly SimIdentity[]
  /** Registered nodes that say they hold what they must, and do not. */
  readonly shams: readonly SimIdentity[]
  /** What they do. */
  readonly shamKind: ShamKind | undefined
  /** A founder whose archive lacks some periods. */
  readonly holed: SimIdentity | undefined
  /** These. */
  readonly hole: PeriodSpan
  /** Hostile peers that are not registered. */
  readonly rogues: readonly RogueKind[]
  readonly roughPeriods: number
  /** Everybody holds everything, or has let go already of much that others hold, and goes on with it. */
  readonly archives: 'whole' | 'parts'
  /** Whether the registry anchors eras, and wants that. */
  readonly isAnchored: boolean
}

export interface ShapeWishes {
  readonly seed: number
  /** Absent: as the seed has it, 30 with every twentieth. */
  readonly nodes?: number
}

export function drawShape(random: SimRandom, { seed, nodes }: ShapeWishes): Shape {
  const drawn = random.pick(SIZES)
  const count = nodes ?? (seed % MANY_EVERY === 0 ? MANY_NODES : drawn)
  const founders = Array.from({ length: count }, (_, number) => identityOf('node', number))
  const isSham = random.chance(SHAM_SHARE) && count <= SHAM_MOST_NODES
  const shamKind = isSham ? 'sham' : random.chance(FORGER_SHARE) ? 'forger' : undefined
  const isMoving = !isSham && random.chance(0.5)
  const joiners = isMoving && random.chance(0.7) ? listNext(count, random.between(1, 2)) : []
  const isLeft = isMoving && (joiners.length === 0 || random.chance(0.5)) && count > REPLICAS
  // Where everybody holds everything, nobody misses what a sham does not hold.
  const archives = shamKind || random.chance(0.5) ? 'parts' : 'whole'
  const isHoled = random.chance(HOLED_SHARE[archives]) || isSham
  const holeAt = random.between(5, 40)
  const most = count < MANY_NODES ? ROUGH_PERIODS.most : MANY_ROUGH_PERIODS
  const least = isMoving ? Math.min(most, CHANGED_ROUGH_PERIODS) : ROUGH_PERIODS.least
  return {
    founders,
    joiners,
    leavers: isLeft ? [random.pick(founders)] : [],
    shams: shamKind ? listNext(count + joiners.length, 1) : [],
    shamKind,
    holed: isHoled ? random.pick(founders) : undefined,
    hole: { from: holeAt, to: holeAt + random.between(HOLE_PERIODS.least, HOLE_PERIODS.most) - 1 },
    rogues: !isSham && random.chance(0.7) ? random.pickSome(ROGUE_KINDS, random.between(1, 2)) : [],
    roughPeriods: random.between(least, most),
    archives,
    isAnchored: random.chance(0.3),
  }
}

/** Of each era, from era 0 on. */
export function listMembers({ founders, joiners, leavers, shams }: Shape): readonly (readonly SimIdentity[])[] {
  return [
    [...founders, ...shams],
    [...founders.filter((each) => !leavers.includes(each)), ...joiners, ...shams],
  ]
}

function listNext(first: number, count: number): SimIdentity[] {
  return Array.from({ length: count }, (_, i) => identityOf('node', first + i))
}
