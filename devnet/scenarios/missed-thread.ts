import assert from 'node:assert/strict'
import type { Scenario } from './scenario.ts'

const THREAD = 7
const PERIODS = 4

export const missedThread: Scenario = {
  name: 'missed-thread',
  story: 'All slots of one thread are missed for a while; the archive proves the misses and does not wait.',
  async play(stage) {
    const first = await stage.nextPeriod()
    await stage.link.order('miss', { thread: THREAD, count: PERIODS + 1 })
    const last = first + PERIODS - 1
    await stage.untilArchived(last)
    await stage.checkArchives(first, last)
    for (const sidecar of (await stage.report()).sidecars) {
      for (let period = first; period <= last; period++) {
        const { slots } = await stage.inspect(sidecar, period)
        assert.notEqual(slots[THREAD]?.kind, 'block', `${sidecar.name} has a block in (${period}, ${THREAD})`)
      }
    }
  },
}
