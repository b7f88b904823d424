import assert from 'node:assert/strict'
import {
  adviseFrequency,
  type Change,
  computeMargin,
  type EconomicsInput,
  type Fault,
  findFaults,
  MAX_FEE_SHARE,
} from '../../../core/index.ts'
import { makeInput } from './made-input.ts'

const ANCHORED = { requireAnchors: true }

/** The input with what a fault asks for; of amounts a thousandth less with `slack`. */
function mend(input: EconomicsInput, changes: readonly Change[], slack = 0): EconomicsInput {
  let mended = input
  for (const { parameter, enough } of changes) {
    const { settings, prices } = mended
    if (parameter === 'usdPerMas') mended = { ...mended, prices: { ...prices, usdPerMas: enough * (1 - slack) } }
    else if (parameter === 'challengeFrequencyPeriods') mended = { ...mended, challengeFrequencyPeriods: enough }
    else if (parameter === 'historyBytes') mended = { ...mended, historyBytes: enough }
    else {
      const value = slack === 0 ? enough : enough - enough / BigInt(Math.round(1 / slack)) - 1n
      mended = { ...mended, settings: { ...settings, [parameter]: value } }
    }
  }
  return mended
}

function nameChanges(faults: readonly Fault[]): string[][] {
  return faults.map(({ problem, changes }) => [problem, ...changes.map(({ parameter }) => parameter)])
}

describe('core/economics: what is wrong for an honest operator', () => {
  it('is nothing at the defaults', () => {
    assert.deepEqual(findFaults(makeInput()), [])
    assert.deepEqual(findFaults(makeInput({ settings: ANCHORED })), [])
  })

  it('is the rate, or the price of a MAS, where costs are more than is paid', () => {
    const input = makeInput({ settings: ANCHORED, prices: { usdPerMas: 0.0005 } })
    const faults = findFaults(input)
    assert.deepEqual(nameChanges(faults), [['loss', 'rewardPerGbPerPeriod']])
    const [{ changes, instead } = { changes: [] }] = faults
    assert(instead)
    for (const ways of [changes, [instead]]) {
      assert.deepEqual(findFaults(mend(input, ways)), [])
      assert(computeMargin(mend(input, ways)).marginUsd > 0)
    }
    // Not more than it takes.
    assert(computeMargin(mend(input, changes, 0.001)).marginUsd < 0)
    assert(computeMargin(mend(input, [instead], 0.02)).marginUsd < 0)
  })

  it('is the bound as well where that decides', () => {
    const input = makeInput({ prices: { usdPerMas: 0.0001 }, settings: { maxRewardPerPeriod: 10_000_000n } })
    const faults = findFaults(input)
    assert.deepEqual(nameChanges(faults), [['loss', 'rewardPerGbPerPeriod', 'maxRewardPerPeriod']])
    assert.deepEqual(findFaults(mend(input, faults[0]?.changes ?? [])), [])
    assert(computeMargin(mend(input, faults[0]?.changes ?? [], 0.001)).marginUsd < 0)
  })

  it('is the bound alone where the rate would do', () => {
    const input = makeInput({ settings: { maxRewardPerPeriod: 1_000_000n } })
    assert.deepEqual(nameChanges(findFaults(input)), [['loss', 'maxRewardPerPeriod']])
    assert.deepEqual(findFaults(mend(input, findFaults(input)[0]?.changes ?? [])), [])
  })

  it('is the frequency where fees alone take more than a tenth', () => {
    const prices = { diskUsdPerTbMonth: 0, serverUsdPerMonth: 0, trafficUsdPerTb: 0 }
    const input = makeInput({
      settings: ANCHORED,
      prices,
      historyBytes: 1_000_000_000n,
      challengeFrequencyPeriods: 1,
    })
    const faults = findFaults(input)
    assert.deepEqual(nameChanges(faults), [['fees', 'challengeFrequencyPeriods']])
    assert.deepEqual(findFaults(mend(input, faults[0]?.changes ?? [])), [])
    // The same with a machine that what is left after the fees pays for, and what is left now does not.
    const tight = { ...input, prices: { ...prices, usdPerMas: 0.01, serverUsdPerMonth: 0.4, cloudUsdPerTbMonth: 0 } }
    assert.deepEqual(nameChanges(findFaults(tight)), [['loss', 'challengeFrequencyPeriods']])
  })

  it('is the rate where fees take more than a tenth without a challenge', () => {
    const prices = { diskUsdPerTbMonth: 0, serverUsdPerMonth: 0, trafficUsdPerTb: 0 }
    const input = makeInput({ allocatedGb: 1n, nodes: 2, prices, settings: { rewardPerGbPerPeriod: 100_000n } })
    assert.equal(adviseFrequency(input), undefined)
    const [fault] = findFaults(input)
    assert.equal(fault?.changes[0]?.parameter, 'rewardPerGbPerPeriod')
    const mended = mend(input, fault?.changes ?? [])
    assert(computeMargin(mended).feeShare <= MAX_FEE_SHARE)
    assert(computeMargin(mend(input, fault?.changes ?? [], 0.001)).feeShare > MAX_FEE_SHARE)
  })

  it('is a history that the registry rounds to nothing', () => {
    const input = makeInput({ nodes: 10_000, settings: ANCHORED, historyBytes: 1_000_000n })
    const [fault] = findFaults(input)
    assert.deepEqual(fault?.changes, [{ parameter: 'historyBytes', found: 1_000_000n, enough: 3_333_334n }])
    assert(computeMargin(mend(input, fault.changes)).paidNanoMasPerDay > 0n)
  })
})

describe('core/economics: how often challenges may be', () => {
  it('leaves fees at a tenth of the reward or below, and not far below where the interval is short', () => {
    for (const allocatedGb of [1n, 10n, 100n]) {
      const input = makeInput({ allocatedGb, challengerIntervalPeriods: 1 })
      const advice = adviseFrequency(input)
      assert(advice)
      const shareAt = (challengeFrequencyPeriods: number): number =>
        computeMargin({ ...input, challengeFrequencyPeriods }).feeShare
      assert(shareAt(advice.frequencyPeriods) <= MAX_FEE_SHARE)
      if (advice.frequencyPeriods > 1) assert(shareAt(advice.frequencyPeriods - 1) > MAX_FEE_SHARE)
      assert(advice.auditsPerDay <= advice.mostAuditsPerDay)
    }
  })

  it('allows no challenge where distributing and anchoring take the tenth', () => {
    const settings = { rewardPerGbPerPeriod: 1_000n }
    assert.equal(adviseFrequency(makeInput({ settings })), undefined)
  })
})
