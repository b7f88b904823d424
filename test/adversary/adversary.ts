import type { Arena } from './arena.ts'
import type { Party } from './party.ts'
import type { SettingName } from './settings.ts'
import type { Habits } from './storage-node.ts'

/** How an adversary plays in one run; what is left out is done as an honest node does it. */
export interface Play {
  readonly habits?: Partial<Habits>
  /** Each period, before anybody else. */
  readonly act?: (arena: Arena) => void
}

/** What the run must show, in shares of what an honest node of 10 GB has in the same time. */
export interface Expectation {
  /** Of the net result. */
  readonly atMost: number
  /** Where it pays, that it does: it must reach so much. Listed as open. */
  readonly atLeast?: number
  /** What is left to the honest node that suffers most; all of it by default. */
  readonly leavesHonest?: number
  /** Why, or what is open about it. */
  readonly because: string
}

export interface Adversary {
  readonly name: string
  /** What it does differently. */
  readonly does: string
  /** 1 by default; each registers and stakes. */
  readonly identities?: number
  /** What each registers; 10 by default. */
  readonly gb?: bigint
  /** For how many GB placement counts it where that is not what it registered; without anchors only. */
  readonly placedGb?: bigint
  /** It has the key of a challenger beside its node. */
  readonly isChallenger?: boolean
  /** And there is no other. */
  readonly isOnlyChallenger?: boolean
  /** @param key - of the challenger, and what else it does outside of its nodes */
  play(key: Party, setting: SettingName): Play
  readonly expected: Readonly<Record<SettingName, Expectation>>
}
