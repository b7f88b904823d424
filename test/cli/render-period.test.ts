import assert from 'node:assert/strict'
import { describeResults, type InspectedPeriod } from '../../cli/commands/render-period.ts'

const NOTHING = { source: 'unknown', complete: false }

function make(period: number, executionResults: InspectedPeriod['executionResults'], voids = 0): InspectedPeriod {
  return {
    period,
    root: '',
    bytes: 0,
    blocks: 0,
    operations: 0,
    bitmap: 0,
    chainId: '77',
    genesisTimestampMs: 0,
    chunks: [],
    held: { chunks: 0, seals: true, executionResults: true },
    slots: Array.from({ length: 32 }, (_, thread) => ({ thread, kind: thread < voids ? 'void' : 'block' })),
    executionResults,
  }
}

const known = (count: number, complete = true) =>
  Array.from({ length: count }, () => ({ source: 'stream', complete, events: 2 }))

describe('cli/commands/render-period', () => {
  const cases: [string, InspectedPeriod, string][] = [
    ['all', make(5, known(32)), 'of 32 threads, 64 events'],
    [
      'all, without events',
      make(5, Array(32).fill({ source: 'query', complete: true, events: 0 })),
      'of 32 threads, 0 events',
    ],
    ['some', make(5, [...known(30), NOTHING, NOTHING]), 'of 30 threads, 60 events, none kept of 2'],
    ['incomplete ones', make(5, [...known(31), ...known(1, false)]), 'of 32 threads, 64 events, 1 incomplete'],
    ['all but void slots', make(5, [...known(30), NOTHING, NOTHING], 2), 'of 30 threads, 60 events'],
    ['none', make(5, Array(32).fill(NOTHING)), 'none kept: not reported in time, or left out by a repair'],
    ['no value at all', make(5, []), 'none kept: not reported in time, or left out by a repair'],
    ['genesis', make(0, Array(32).fill(NOTHING)), 'none: genesis blocks are not executed'],
  ]
  for (const [what, period, text] of cases) {
    it(`says which execution results are kept: ${what}`, () => assert.equal(describeResults(period), text))
  }
})
