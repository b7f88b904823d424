import assert from 'node:assert/strict'
import { describeState } from '../../cli/commands/node-info.ts'

const NODE = { leaving: false, active: true, rules: 1, retentionPeriods: 0n }

describe('cli/commands/node-info', () => {
  it('names a node without weight', () => {
    for (const [node, requireAnchors, state] of [
      [NODE, true, /^active$/],
      [{ ...NODE, retentionPeriods: 100n }, true, /^without weight: only nodes that keep for ever count here$/],
      [{ ...NODE, retentionPeriods: 100n }, false, /^active$/],
      [{ ...NODE, rules: 0 }, true, /^without weight since anchors are required$/],
      [{ ...NODE, rules: 0 }, false, /^active$/],
      [{ ...NODE, active: false, retentionPeriods: 100n }, true, /^inactive/],
      [{ ...NODE, leaving: true, active: false }, true, /^leaving$/],
    ] as const) {
      assert.match(describeState(node, { requireAnchors }), state)
    }
  })
})
