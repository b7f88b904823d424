import assert from 'node:assert/strict'
import { planHealing } from '../../../storage-worker/cluster/plan-healing.ts'
import { StillClock } from '../../clocks.ts'

const signal = new AbortController().signal

function plan(
  thin: readonly (readonly [number, number])[],
  { lost, ranks, away }: { lost: Readonly<Record<string, number>>; ranks: readonly string[]; away: readonly string[] },
  clock = new StillClock(),
) {
  const table = {
    rankBehind: async (_: number, count: number) => {
      clock.advance(3)
      return ranks.slice(0, count)
    },
  }
  const isAway = (address: string) => away.includes(address)
  const lostForMs = (address: string) => lost[address] ?? assert.fail(address)
  const places = thin.map(([slot, chunks]) => [slot, { chunks, holders: new Set(Object.keys(lost)) }] as const)
  return planHealing(new Map(places), { table, isAway, lostForMs, repairDelayMs: 100, clock }, signal)
}

describe('storage-worker/cluster/plan-healing', () => {
  it('for each holder that is away or not believed stands in the next in rank that is there', async () => {
    const network = { lost: { A: 0, C: 30 }, ranks: ['D', 'E', 'F', 'G'], away: ['A', 'E'] }
    const { standIns, hopeless, waitMs } = await plan([[7, 10]], network)
    assert.deepEqual(
      [...standIns],
      [
        ['D', 10],
        ['F', 10],
      ],
    )
    // D begins for C, 70 ms from now; F is the second that is here, and begins for A.
    assert.deepEqual([hopeless, waitMs], [0, 200])
  })

  it('waits no longer for what has begun, and longer for who is doubted', async () => {
    const ranks = ['D', 'E']
    assert.equal((await plan([[7, 1]], { lost: { A: 100, C: 200 }, ranks, away: [] })).waitMs, 100)
    assert.equal((await plan([[7, 1]], { lost: { A: 201, C: 300 }, ranks, away: [] })).waitMs, 0)
    assert.equal((await plan([[7, 1]], { lost: { A: -1_000 }, ranks, away: [] })).waitMs, 1_100)
  })

  it('adds up over hash slots, and tells for which nobody is left', async () => {
    const network = { lost: { A: 0, C: 0 }, ranks: ['D'], away: ['A', 'C'] }
    const { standIns, hopeless, waitMs } = await plan(
      [
        [7, 10],
        [8, 5],
      ],
      network,
    )
    assert.deepEqual([[...standIns], hopeless, waitMs], [[['D', 15]], 15, 100])
    const nothing = await plan([], network)
    assert.deepEqual([nothing.standIns.size, nothing.hopeless, nothing.waitMs], [0, 0, 0])
  })

  it('gives way between hash slots', async () => {
    const clock = new StillClock()
    const thin = Array.from({ length: 10 }, (_, slot) => [slot, 1] as const)
    await plan(thin, { lost: { A: 0 }, ranks: ['B'], away: ['A'] }, clock)
    assert.equal(clock.yields, 5)
  })
})
