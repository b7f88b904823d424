import assert from 'node:assert/strict'
import { THREAD_COUNT } from '../../core/index.ts'
import type { Scenario } from './scenario.ts'

export const emptyPeriods: Scenario = {
  name: 'empty-periods',
  story: 'Nobody makes a block for two periods; they are archived as periods without blocks.',
  async play(stage) {
    await stage.link.order('pause')
    const { lastSlot } = await stage.node()
    const first = lastSlot.period + 1
    // The rest of the period under way, and two more.
    for (let thread = 0; thread < THREAD_COUNT; thread++) {
      await stage.link.order('miss', { thread, count: thread > lastSlot.thread ? 3 : 2 })
    }
    await stage.link.order('resume')
    await stage.untilArchived(first + 2)
    await stage.checkArchives(first, first + 2)
    for (const sidecar of (await stage.report()).sidecars) {
      assert.equal((await stage.inspect(sidecar, first)).blocks, 0)
      assert.equal((await stage.inspect(sidecar, first + 1)).blocks, 0)
    }
  },
}
