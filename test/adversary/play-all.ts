import { ADVERSARIES } from './adversaries.ts'
import type { Adversary, Expectation } from './adversary.ts'
import { honest } from './behaviours/honest.ts'
import { type RunOptions, type RunResult, runAdversary } from './run-adversary.ts'
import type { SettingName } from './settings.ts'

/** What the page and the tests stand on. */
export const PAGE_RUN = { seed: 1, eras: 20 } as const
export const PAGE_SETTINGS: readonly SettingName[] = ['shipped', 'production']

/** What came of an adversary, beside a run in which an honest node is in its place. */
export interface Row {
  readonly adversary: Adversary
  readonly setting: SettingName
  readonly result: RunResult
  /** Its net result, as a share of that of the honest node. */
  readonly share: number
  /** What is on its disk at the end, as a share likewise. */
  readonly diskShare: number
  /** Net result of the honest node that suffers most, as a share of its own beside an honest node. */
  readonly worstShare: number
}

export interface Match {
  readonly setting: SettingName
  /** Of an honest node in the adversary's place. */
  readonly baseline: RunResult
  readonly rows: readonly Row[]
}

export function playAll(options: RunOptions, adversaries: readonly Adversary[] = ADVERSARIES): Match {
  const baseline = runAdversary(honest, options)
  const rows = adversaries.map((adversary) => play(adversary, baseline, options))
  return { setting: options.setting, baseline, rows }
}

/** @param baseline - of `honest`, with the same options */
export function play(adversary: Adversary, baseline: RunResult, options: RunOptions): Row {
  const result = runAdversary(adversary, options)
  return {
    adversary,
    setting: options.setting,
    result,
    share: divide(result.adversary.net, baseline.adversary.net),
    diskShare: result.diskChunks / baseline.diskChunks,
    worstShare: Math.min(...result.honest.map(({ net }, i) => divide(net, baseline.honest[i]?.net ?? 0n))),
  }
}

/** Where the result is not what was to be expected; empty when all of it is. */
export function listSurprises({ adversary, setting, share, worstShare }: Row): string[] {
  const { atMost, atLeast, leavesHonest = 1 }: Expectation = adversary.expected[setting]
  const surprises: string[] = []
  if (share > atMost) surprises.push(`has ${share} of an honest node's net result, at most ${atMost} expected`)
  if (atLeast !== undefined && share < atLeast) surprises.push(`has ${share}, and is said to have ${atLeast} at least`)
  if (worstShare < leavesHonest) surprises.push(`leaves an honest node ${worstShare}, ${leavesHonest} expected`)
  return surprises.map((surprise) => `${adversary.name}, ${setting}: ${surprise}`)
}

function divide(a: bigint, b: bigint): number {
  return Number(a) / Number(b)
}
