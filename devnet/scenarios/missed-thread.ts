import assert from 'node:assert/strict'
import type { Scenario } from './scenario.ts'

const THREAD = 7
const PERIODS = 4

export const missedThread: Scenario = {
  name: 'missed-thread',
  story: 'All slots of one thread are missed for a while; the archive proves the misses and does not wait.',
  async play(stage) {
    // While the chain stands still: at turbo it may be periods on before the order has arrived.
    await stage.link.order('pause')
    const { lastSlot } = await stage.node()
    const first = lastSlot.period + 1
    const last = first + PERIODS - 1
    // The slot of the period under way, and the others.
    await stage.link.order('miss', { thread: THREAD, count: THREAD > lastSlot.thread ? PERIODS + 1 : PERIODS })
    await stage.link.order('resume')
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
