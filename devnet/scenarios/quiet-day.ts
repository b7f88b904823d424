import type { Scenario } from './scenario.ts'

const PERIODS = 6

export const quietDay: Scenario = {
  name: 'quiet-day',
  story:
    'Nothing happens but blocks and the traffic of every day; every sidecar archives every period, under the same root.',
  async play(stage) {
    const first = await stage.nextPeriod()
    const last = first + PERIODS - 1
    await stage.untilArchived(last)
    await stage.checkArchives(first, last)
  },
}
