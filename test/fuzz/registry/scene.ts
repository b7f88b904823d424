import type { MadeEra } from './made-eras.ts'
import type { SeededRandom } from './random.ts'
import type { Step } from './step.ts'
import type { World } from './world.ts'

const U64_MAX = (1n << 64n) - 1n
const EXTREMES = [0n, 1n, 1n << 32n, 1n << 63n, U64_MAX] as const

/** What the moves look at, and what they remember. */
export interface Scene {
  readonly random: SeededRandom
  readonly world: World
  /** Made eras by number: what was said of them is what was anchored. */
  readonly eras: Map<bigint, MadeEra>
  /** Last arguments of the two delayed functions, to be sent a second time. */
  lastConfig: Uint8Array | undefined
  lastCode: Uint8Array | undefined
  challengeCount: number
  /** Share of calls that are meant to be wrong. */
  readonly hostility: number
}

/** A step, or nothing when the state has no use for it. */
export type Move = (scene: Scene) => Step | undefined

/** A number at the edge of what a u64 holds now and then. */
export function drawExtreme(random: SeededRandom, otherwise: bigint, probability = 0.02): bigint {
  return random.chance(probability) ? random.pick(EXTREMES) : otherwise
}
