import assert from 'node:assert/strict'
import { computeExpectedReward } from '../../../core/economics/reward.ts'
import { computeChainCosts, computeMargin, computeNetworkCost } from '../../../core/index.ts'
import { MAS, makeInput } from './made-input.ts'

const close = (found: number, expected: number): void => {
  assert(Math.abs(found - expected) < 1e-6 * Math.max(1, Math.abs(expected)), `${found}, not ${expected}`)
}

describe('core/economics: reward of a node', () => {
  it('is 0.001 MAS for a GB and period without anchors', () => {
    const { nanoMasPerDay, utilisationPpm, replicas } = computeExpectedReward(makeInput())
    assert.equal(nanoMasPerDay, 540n * MAS)
    assert.equal(utilisationPpm, 1_000_000n)
    assert.equal(replicas, 3n)
  })

  it('is for what history fills with them', () => {
    const reward = computeExpectedReward(makeInput({ settings: { requireAnchors: true } }))
    // 175.2 GB x 3 of 1,000 GB.
    assert.equal(reward.utilisationPpm, 525_600n)
    assert.equal(reward.nanoMasPerDay, 283_824_000_000n)
  })

  it('counts no more GB than history has, and no more copies than there is room for', () => {
    const settings = { requireAnchors: true }
    const small = computeExpectedReward(makeInput({ settings, historyBytes: 49_500_000_000n }))
    assert.equal(small.weightGb, 50n)
    assert.equal(small.totalWeightGb, 500n)
    assert.equal(small.utilisationPpm, 297_000n)
    // 219 GB for a copy, 400 GB offered.
    assert.equal(computeExpectedReward(makeInput({ settings, allocatedGb: 40n })).replicas, 1n)
    assert.equal(computeExpectedReward(makeInput({ nodes: 2, allocatedGb: 1_000n })).replicas, 2n)
  })

  it('is bounded by maxRewardPerPeriod', () => {
    // 0.1 MAS a period for 1,000 GB: a tenth of the rate.
    const reward = computeExpectedReward(makeInput({ settings: { maxRewardPerPeriod: MAS / 10n } }))
    assert(reward.isCapped)
    assert.equal(reward.nanoMasPerDay, 54n * MAS)
    assert(!computeExpectedReward(makeInput({ settings: { maxRewardPerPeriod: MAS } })).isCapped)
  })
})

describe('core/economics: what the chain takes', () => {
  it('is a fee for each operation, and the bytes of eras', () => {
    const { operations, ...costs } = computeChainCosts(makeInput())
    assert.equal(operations.issue, 4.5)
    assert.equal(operations.proof, 4.5)
    assert.equal(operations.resolve, 0)
    // 36 challenges, 4.5 + 5.4 records of periods, 20 a call.
    close(operations.prune, 2.295)
    close(operations.distribute, 5.4)
    close(operations.anchor, 5_400 / 128 / 10)
    close(operations.claim, 52 / 365)
    assert.equal(costs.feesNanoMas, 210_562_158n)
    // 4.21875 records of 117 bytes.
    assert.equal(costs.keptNanoMas, 49_359_375n)
    assert.equal(costs.spentNanoMas, 210_562_158n + 49_359_375n)
    // A day of 36 challenges of 249 bytes, and two of 9.9 records of 82.
    assert.equal(costs.lockedNanoMas, 1_058_760_000n)
  })

  it('resolves what is missed in place of a proof, and takes the longer interval', () => {
    const missed = computeChainCosts(makeInput({ missedShare: 0.5 })).operations
    assert.equal(missed.proof, 2.25)
    assert.equal(missed.resolve, 2.25)
    const rare = makeInput({ settings: { minChallengeIntervalPeriods: 450n } })
    assert.equal(computeChainCosts(rare).operations.issue, 5_400 / (100 * 14))
    assert.equal(computeChainCosts(makeInput({ challengerIntervalPeriods: 1 })).operations.issue, 5.4)
  })

  it('anchors 100 signatures a call', () => {
    close(computeChainCosts(makeInput({ nodes: 100 })).operations.anchor, 5_400 / 128 / 100)
    close(computeChainCosts(makeInput({ nodes: 101 })).operations.anchor, (2 * 5_400) / 128 / 101)
  })
})

describe('core/economics: margin of an operator', () => {
  it('is the reward less fees, disk, traffic and machine', () => {
    const found = computeMargin(makeInput({ missedShare: 0.01, claimsPerYear: 0 }))
    assert.equal(found.paidNanoMasPerDay, 534_600_000_000n)
    close(found.paidUsd, (534.6 * 0.01 * 365) / 12)
    assert.equal(found.diskUsd, 1)
    assert.equal(found.serverUsd, 5)
    const days = 365 / 12
    close(found.traffic.historyBytes, 2 * 480e6 * 0.3 * days)
    close(found.traffic.auditBytes, 1e6 * days)
    close(found.traffic.gossipBytes, 2 * 0.7 * 480e6 * days)
    close(found.traffic.readBytes, 175.2e9 * 0.3 * 0.1)
    close(found.marginUsd, found.paidUsd - found.chainUsd - 1 - found.trafficUsd - 5)
    close(found.feeShare, Number(found.chain.spentNanoMas) / 534.6e9)
  })

  it('has fees that are more than all where nothing is paid', () => {
    const { feeShare, marginUsd } = computeMargin(makeInput({ settings: { rewardPerGbPerPeriod: 0n } }))
    assert.equal(feeShare, Number.POSITIVE_INFINITY)
    assert(marginUsd < -6)
  })
})

describe('core/economics: cost of the network', () => {
  const year = { historyBytes: 1_000_000_000_000n, growthBytesPerDay: 1_000_000_000 }

  it('is disk for all copies with a fifth kept free, beside one copy in a database', () => {
    const found = computeNetworkCost(makeInput({ settings: { requireAnchors: true } }), year)
    assert.equal(found.offeredGb, 3_750n)
    assert.equal(found.diskUsd, 37.5)
    close(found.trafficUsd, (6 * 365) / 12 / 1_000)
    assert.equal(found.cloudUsd, 250)
    // 3,000 GB x 0.001 MAS x 164,250 periods.
    assert.equal(found.paidNanoMas, 492_750n * MAS)
    close(found.paidUsd, 4_927.5)
    assert.equal(found.rateAsCloudNanoMas, 50_735n)
  })

  it('pays for what is offered without anchors, and at most maxRewardPerPeriod', () => {
    const { paidNanoMas } = computeNetworkCost(makeInput(), year)
    assert.equal(paidNanoMas, (3_750n * 164_250n * MAS) / 1_000n)
    const capped = computeNetworkCost(makeInput({ settings: { maxRewardPerPeriod: MAS } }), year)
    assert.equal(capped.paidNanoMas, 164_250n * MAS)
  })
})
