import { ERA_PERIODS } from '../../core/index.ts'
import { PLACEMENT_IN_FORCE_PERIODS } from '../../storage-worker/placement/placement-table.ts'
import { ROGUE_KINDS, type RogueKind } from './rogue-peer.ts'
import { identityOf, type SimIdentity } from './sim-identity.ts'
import type { SimRandom } from './sim-random.ts'

/** Archived by all before a simulation begins, shortly before the second era. */
export const BEGIN_PERIOD = 110
export const REPLICAS = 3
/** In this period of the simulated chain the registry of era 1 is in force. */
export const CHANGE_PERIOD = ERA_PERIODS + PLACEMENT_IN_FORCE_PERIODS
/** Periods in which things go wrong. */
export const ROUGH_PERIODS = { least: 22, most: 45 }
/** Where the registry changes some are left behind the change. */
const CHANGED_ROUGH_PERIODS = CHANGE_PERIOD - BEGIN_PERIOD + 6
/** Thirty nodes are five seconds of work, five nodes half a second: most seeds have few. */
const MANY_NODES = 30
const MANY_EVERY = 20
const MANY_ROUGH_PERIODS = 25
/** The dearest seeds: everybody audits all the time, and then stands in. */
const SHAM_SHARE = 0.08
const SIZES = [4, 4, 5, 5, 6, 8]

/** What kind of network a seed has. */
export interface Shape {
  /** Honest nodes that are registered, and run from the beginning. */
  readonly founders: readonly SimIdentity[]
  /** Honest nodes with empty disks, which the registry of era 1 knows. */
  readonly joiners: readonly SimIdentity[]
  /** Founders that the registry of era 1 does not know any more. */
  readonly leavers: readonly SimIdentity[]
  /** Registered nodes that say they hold what they must, and hold nothing. */
  readonly shams: readonly SimIdentity[]
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
  const isMoving = random.chance(0.5)
  const joiners = isMoving && random.chance(0.7) ? listNext(count, random.between(1, 2)) : []
  const isLeft = isMoving && (joiners.length === 0 || random.chance(0.5)) && count > REPLICAS
  const shams = random.chance(SHAM_SHARE) ? listNext(count + joiners.length, 1) : []
  const most = count < MANY_NODES ? ROUGH_PERIODS.most : MANY_ROUGH_PERIODS
  const least = isMoving ? Math.min(most, CHANGED_ROUGH_PERIODS) : ROUGH_PERIODS.least
  return {
    founders,
    joiners,
    leavers: isLeft ? [random.pick(founders)] : [],
    shams,
    rogues: random.chance(0.7) ? random.pickSome(ROGUE_KINDS, random.between(1, 2)) : [],
    roughPeriods: random.between(least, most),
    // Where everybody holds everything, nobody misses what a sham does not hold.
    archives: shams.length > 0 || random.chance(0.5) ? 'parts' : 'whole',
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
