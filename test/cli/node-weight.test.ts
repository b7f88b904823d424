import assert from 'node:assert/strict'
import { adviseWeight, describeState, describeWeight, isWeightDue } from '../../cli/node-weight.ts'
import { ERA_PERIODS } from '../../core/index.ts'

const WEIGHT = { allocatedGb: 3n, weightGb: 1n, nextWeightGb: 0n, nextWeightEra: 0n }
const NODE = { leaving: false, active: true, rules: 1, retentionPeriods: 0n, ...WEIGHT }
const DUE = { ...NODE, weightGb: 0n, nextWeightGb: 1n, nextWeightEra: 2n }
const LAST_BEFORE = 2 * ERA_PERIODS - 1

describe('cli/node-weight', () => {
  it('names a node without weight', () => {
    for (const [node, requireAnchors, state] of [
      [NODE, true, /^active$/],
      [{ ...NODE, retentionPeriods: 100n }, true, /^without weight: only nodes that keep for ever count here$/],
      [{ ...NODE, retentionPeriods: 100n }, false, /^active$/],
      [{ ...NODE, rules: 0 }, true, /^without weight since anchors are required$/],
      [{ ...NODE, rules: 0 }, false, /^active$/],
      [{ ...NODE, active: false, retentionPeriods: 100n }, true, /^inactive/],
      [{ ...NODE, leaving: true, active: false }, true, /^leaving$/],
      [{ ...DUE, nextWeightEra: 1n }, true, /^active, without weight until a call touches it$/],
      [DUE, true, /^active, without weight before era 2$/],
      [{ ...DUE, weightGb: 1n, nextWeightGb: 2n }, true, /^active$/],
    ] as const) {
      assert.match(describeState(node, { requireAnchors }, LAST_BEFORE), state)
    }
  })

  it('limit: a weight is due from the first period of its era on', () => {
    assert.equal(isWeightDue(DUE, LAST_BEFORE), false)
    assert.equal(describeWeight(DUE, LAST_BEFORE), '0 GB, 1 GB due from era 2 on')
    assert.match(adviseWeight(DUE, LAST_BEFORE)[0] ?? '', /in 1 periods \(16 s\); now is era 1\.$/)
    assert.equal(isWeightDue(DUE, LAST_BEFORE + 1), true)
    assert.equal(describeWeight(DUE, LAST_BEFORE + 1), '0 GB, 1 GB due since era 2')
    assert.match(adviseWeight(DUE, LAST_BEFORE + 1)[0] ?? '', /since era 2, now is era 2, and/)
  })

  it('says nothing of a weight that will not rise', () => {
    for (const node of [NODE, { ...NODE, nextWeightGb: 1n }]) {
      assert.deepEqual(adviseWeight(node, LAST_BEFORE), [])
      assert.equal(describeWeight(node, LAST_BEFORE), '1 GB')
      assert.equal(isWeightDue(node, 10 * ERA_PERIODS), false)
    }
  })

  it('the command names the registry that was asked', () => {
    assert.equal(
      adviseWeight(DUE, LAST_BEFORE, 'AS1x').at(-1),
      '  massa-storage sc call storage_registry update_storage_allocation 3 0 --address AS1x',
    )
  })
})
