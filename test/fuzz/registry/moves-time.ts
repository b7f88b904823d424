import { type Slot, slotIndex, slotOfIndex } from '../../../core/index.ts'
import type { Move, Scene } from './scene.ts'
import type { Step } from './step.ts'

const SLOT_MS = 500n
const MOST_PERIOD = 2 ** 40

function goTo(slot: Slot): Step | undefined {
  return slot.period < MOST_PERIOD ? { kind: 'slot', slot } : undefined
}

/** A little later: most of what is open stays open. */
const wait: Move = ({ random, world }) => {
  const slots = random.pickWeighted([
    [4, 1 + random.int(31)],
    [5, 32 * (1 + random.int(3))],
    [2, 32 * (1 + random.int(30))],
  ])
  return goTo(slotOfIndex(slotIndex(world.slot) + slots))
}

/** To the slot at which something becomes possible, one before or one after. */
const waitForSomething: Move = (scene) => {
  const { random, world } = scene
  const { state } = world.model
  const now = slotIndex(world.slot)
  const periods: bigint[] = []
  const slots: number[] = []
  for (const { deadline, outcome } of state.challenges.values()) {
    if (outcome === 'open') slots.push(Number((deadline - state.genesisTimestamp) / SLOT_MS))
  }
  for (const node of state.nodes) {
    if (node.leaving) periods.push(node.unlockPeriod)
    if (node.nextWeightGb > 0n) periods.push(node.nextWeightEra * 128n)
    if (node.active) periods.push(node.lastChallengedPeriod + state.config.minChallengeIntervalPeriods)
  }
  const keep = state.config.recordRetentionPeriods
  for (const { issuedPeriod } of state.challenges.values()) periods.push(issuedPeriod + keep)
  for (const period of state.periods.keys()) periods.push(period + 2n * keep)
  for (const pending of [state.pendingConfig, state.pendingCode]) {
    if (!pending) continue
    const due = pending.announcedPeriod + state.config.adminDelayPeriods
    periods.push(due, due + 5400n)
  }
  for (const period of periods) slots.push(Number(period) * 32)
  const later = slots.filter((slot) => slot > now && slot < now + 32 * 4000)
  const target = random.pickAny(later)
  if (target === undefined) return undefined
  return goTo(slotOfIndex(Math.max(now + 1, target + random.pick([-1, 0, 0, 1, 32]))))
}

const waitForEra: Move = ({ random, world }) => {
  const era = Math.floor(world.slot.period / 128)
  const period = (era + 1) * 128 + random.pick([0, 8, 8, 9, 7, 30, -1])
  const slot = { period, thread: random.int(32) }
  return slotIndex(slot) > slotIndex(world.slot) ? goTo(slot) : undefined
}

const leap: Move = (scene: Scene) => {
  const { random, world } = scene
  const periods = random.pickWeighted([
    [6, 1000],
    [2, 60_000],
    [random.chance(0.05) ? 1 : 0, 10 ** 9],
  ])
  return goTo({ period: world.slot.period + 1 + random.int(periods), thread: random.int(32) })
}

export const timeMoves: readonly (readonly [number, Move])[] = [
  [14, wait],
  [6, waitForSomething],
  [5, waitForEra],
  [1, leap],
]
