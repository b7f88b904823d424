import assert from 'node:assert/strict'
import type { Period } from '../../core/index.ts'
import type { Scenario } from './scenario.ts'

/** A node keeps final blocks for 30 periods, unless it is told to keep them for as long as this. */
const LONGEST_MEMORY_PERIODS = 1_000

export const longDisconnect: Scenario = {
  name: 'long-disconnect',
  story:
    'A sidecar stands still for longer than the node remembers; it says what it lacks, or has it from others, and archives on.',
  async play(stage) {
    const [absent] = (await stage.report()).sidecars
    assert(absent, 'there is no sidecar')
    await stage.order('pause', absent.name)
    let lost: Period
    try {
      // Else what is streamed meanwhile waits for it in buffers, and nothing is lost at all.
      await stage.link.order('drop-streams')
      lost = await stage.nextPeriod()
      let final = lost
      do {
        assert(final <= lost + LONGEST_MEMORY_PERIODS, `the node does not forget period ${lost}`)
        await stage.untilFinal(final++)
      } while (await stage.isRemembered(lost))
    } finally {
      await stage.order('resume', absent.name)
    }
    // It takes its time to come back, and may miss more meanwhile.
    await stage.untilArchived(await stage.nextPeriod())
    const first = await stage.nextPeriod()
    await stage.untilArchived(first + 1)
    await stage.checkArchives(first, first + 1)
    const returned = (await stage.report()).sidecars.find(({ name }) => name === absent.name)
    assert(returned, `${absent.name} is gone`)
    // On a slow machine others have filled the gap before anybody looks.
    if (returned.gaps <= absent.gaps) await stage.inspect(returned, lost)
  },
}
