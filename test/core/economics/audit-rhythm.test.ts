import assert from 'node:assert/strict'
import { findFrequencyPeriods } from '../../../core/economics/audit-rhythm.ts'
import {
  type AuditRhythm,
  computeAuditsPerDay,
  computeCatchChance,
  computeChallengeChance,
  findDrawsForChance,
} from '../../../core/index.ts'

describe('core/economics: how often a node is audited', () => {
  it('counts the draws that the interval wastes, then one in n', () => {
    const of = (nodes: number, frequencyPeriods: number, challengers = 1, intervalPeriods = 225): number =>
      computeAuditsPerDay({ nodes, challengers, frequencyPeriods, intervalPeriods })
    // Draws 100 and 200 periods after an audit are in vain, then ten are awaited: 12 draws of 100 periods.
    assert.equal(of(10, 100), 4.5)
    // Alone it is drawn at the third.
    assert.equal(of(1, 100), 18)
    assert.equal(of(1, 225), 24)
    assert.equal(of(1, 1), 24)
    // Five challengers are one that draws every 20: 11 in vain, then ten.
    assert.equal(of(10, 100, 5), 5_400 / (20 * 21))
    assert.equal(of(10, 300), 1.8)
    assert.equal(of(10, 100, 1, 1), 5.4)
  })

  it('finds a frequency that, like every longer one, gives no more audits than asked for', () => {
    for (const nodes of [1, 2, 10, 100]) {
      for (const challengers of [1, 3]) {
        for (const most of [0.01, 0.5, 4.5, 20, 30]) {
          const rhythm = { nodes, challengers, intervalPeriods: 225 }
          const found = findFrequencyPeriods(most, rhythm)
          const at = (frequencyPeriods: number): number => computeAuditsPerDay({ ...rhythm, frequencyPeriods })
          const more = Array.from({ length: 500 }, (_, i) => at(found + i)).find((audits) => audits > most + 1e-9)
          assert.equal(more, undefined, JSON.stringify({ ...rhythm, most, found }))
        }
      }
    }
  })

  it('finds no longer one than it has to, where the interval does not decide', () => {
    const rhythm: Omit<AuditRhythm, 'frequencyPeriods'> = { nodes: 10, challengers: 1, intervalPeriods: 1 }
    // 10 draws of 540 periods are a day.
    assert.equal(findFrequencyPeriods(1, rhythm), 540)
    assert(computeAuditsPerDay({ ...rhythm, frequencyPeriods: 539 }) > 1)
    assert.equal(findFrequencyPeriods(24, { ...rhythm, intervalPeriods: 225 }), 1)
  })
})

describe('core/economics: what draws find', () => {
  it('is 1 - (1 - share)^draws', () => {
    assert.equal(computeCatchChance(0.5, 1), 0.5)
    assert.equal(computeCatchChance(0.5, 2), 0.75)
    assert.equal(computeCatchChance(1, 1), 1)
    assert.equal(computeCatchChance(1, 0), 0)
    assert.equal(computeCatchChance(0, 1_000), 0)
    // 0.99^700 = 0.00087985.
    assert(Math.abs(computeCatchChance(0.01, 700) - 0.99912) < 1e-6)
    assert(Math.abs(computeCatchChance(1e-12, 1_000) - 1e-9) < 1e-17)
  })

  it('takes 459 draws to find 1 % with 99 %, and 688 with 99.9 %', () => {
    assert.equal(findDrawsForChance(0.01, 0.99), 459)
    assert.equal(findDrawsForChance(0.01, 0.999), 688)
    assert.equal(findDrawsForChance(0.5, 0.99), 7)
    assert.equal(findDrawsForChance(1, 0.5), 1)
  })

  it('of challenges is exact: every day, and every number of audits in it, weighed', () => {
    const chance = (rhythm: Partial<AuditRhythm>, missing = 0.5, challenges = 1, days = 1): number => {
      const whole = { nodes: 1, challengers: 1, frequencyPeriods: 2_700, intervalPeriods: 1, ...rhythm }
      return computeChallengeChance(missing, whole, { challenges, days })
    }
    // Two draws a day, each of this node.
    assert.equal(chance({}), 0.75)
    // The interval spares the second.
    assert.equal(chance({ intervalPeriods: 2_701 }), 0.5)
    // Each is of this node once in two: 1 - (1 - 1/4)^2.
    assert.equal(chance({ nodes: 2 }), 0.4375)
    // 1/2 first, and 1/2 x 1/2 second, each found with 1/2.
    assert.equal(chance({ nodes: 2, intervalPeriods: 2_701 }), 0.375)
    assert.equal(chance({}, 0.5, 2), 1 - 0.25 ** 2)
    assert.equal(chance({}, 0.5, 1, 2), 1 - 0.5 ** 4)
    assert.equal(chance({ challengers: 2 }), 1 - 0.5 ** 4)
    assert.equal(chance({ frequencyPeriods: 5_401 }), 0)
    // Of three draws each is of this node once in two, and then the next is in vain: drawn first, or not.
    const thrice = { nodes: 2, frequencyPeriods: 1_800, intervalPeriods: 3_600 }
    assert.equal(chance(thrice), 1 - (0.5 * 0.5 * 0.75 + 0.5 * (0.5 * 0.5 + 0.5 * 0.75)))
    assert.equal(chance({ intervalPeriods: 1_000_000 }), 0.5)
    assert.equal(chance({}, 0), 0)
    assert.equal(chance({ frequencyPeriods: 100, intervalPeriods: 1 }, 1), 1)
  })
})
