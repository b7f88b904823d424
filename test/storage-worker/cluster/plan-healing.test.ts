import assert from 'node:assert/strict'
import type { NodeState } from '../../../storage-worker/cluster/copy-tally.ts'
import { planHealing } from '../../../storage-worker/cluster/plan-healing.ts'
import { StillClock } from '../../clocks.ts'

const signal = new AbortController().signal

function plan(
  thin: readonly (readonly [number, number])[],
  { gone, ranks, away }: { gone: readonly string[]; ranks: readonly string[]; away: readonly string[] },
  clock = new StillClock(),
) {
  const table = {
    rankBehind: async (_: number, count: number) => {
      clock.advance(3)
      return ranks.slice(0, count)
    },
  }
  const stateOf = (address: string): NodeState => (away.includes(address) ? 'away' : 'answered')
  const places = thin.map(([slot, chunks]) => [slot, { chunks, holders: new Set(gone) }] as const)
  return planHealing(new Map(places), { table, stateOf, clock }, signal)
}

describe('storage-worker/cluster/plan-healing', () => {
  it('for each holder that is away or not believed stands in the next in rank that is there', async () => {
    const network = { gone: ['A', 'C'], ranks: ['D', 'E', 'F', 'G'], away: ['A', 'E'] }
    const { standIns, hopeless, delays } = await plan([[7, 10]], network)
    assert.deepEqual(
      [...standIns],
      [
        ['D', 10],
        ['F', 10],
      ],
    )
    // F is the third behind the holders.
    assert.deepEqual([hopeless, delays], [0, 3])
  })

  it('adds up over hash slots, and tells for which nobody is left', async () => {
    const network = { gone: ['A', 'C'], ranks: ['D'], away: ['A', 'C'] }
    const { standIns, hopeless, delays } = await plan(
      [
        [7, 10],
        [8, 5],
      ],
      network,
    )
    assert.deepEqual([[...standIns], hopeless, delays], [[['D', 15]], 15, 1])
    const nothing = await plan([], network)
    assert.deepEqual([nothing.standIns.size, nothing.hopeless, nothing.delays], [0, 0, 0])
  })

  it('gives way between hash slots', async () => {
    const clock = new StillClock()
    const thin = Array.from({ length: 10 }, (_, slot) => [slot, 1] as const)
    await plan(thin, { gone: ['A'], ranks: ['B'], away: ['A'] }, clock)
    assert.equal(clock.yields, 5)
  })
})
