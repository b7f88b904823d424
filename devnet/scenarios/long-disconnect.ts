import assert from 'node:assert/strict'
import type { Scenario } from './scenario.ts'

/** Of the node's memory, which is longer than this is quick: the test makes it short. */
const FORGOTTEN_PERIODS = 12

export const longDisconnect: Scenario = {
  name: 'long-disconnect',
  story: 'A sidecar stands still for longer than the node remembers; it says what it lacks, and archives on.',
  async play(stage) {
    const [absent] = (await stage.report()).sidecars
    assert(absent, 'there is no sidecar')
    await stage.order('pause', absent.name)
    // Else what is streamed meanwhile waits for it in buffers, and nothing is lost at all.
    await stage.link.order('drop-streams')
    const { finalSlot } = await stage.node()
    const back = finalSlot.period + FORGOTTEN_PERIODS
    await stage.until(`period ${back} is final`, async () => (await stage.node()).finalSlot.period >= back)

    await stage.order('resume', absent.name)
    const first = await stage.nextPeriod()

    await stage.untilArchived(first + 1)
    await stage.checkArchives(first, first + 1)
    const returned = (await stage.report()).sidecars.find(({ name }) => name === absent.name)
    assert((returned?.gaps ?? 0) > absent.gaps, `${absent.name} lists no gap`)
  },
}
