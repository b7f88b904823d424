import type { Stage } from './stage.ts'

/** A short story of a network, and what must hold at its end. */
export interface Scenario {
  readonly name: string
  readonly story: string
  /** It takes minutes, and sidecars that a placement knows: it is played by name alone. */
  readonly isLong?: true
  /** Rejects with an AssertionError where the story goes wrong. */
  play(stage: Stage): Promise<void>
}
