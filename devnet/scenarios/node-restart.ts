import assert from 'node:assert/strict'
import type { Scenario } from './scenario.ts'

export const nodeRestart: Scenario = {
  name: 'node-restart',
  story: 'The node is restarted and has forgotten its history; sidecars that were up to date lose nothing.',
  async play(stage) {
    await stage.pauseCaughtUp()
    const before = await stage.report()
    const first = await stage.nextPeriod()
    try {
      await stage.link.order('restart')
    } finally {
      await stage.link.order('resume')
    }

    await stage.untilArchived(first + 1)
    await stage.checkArchives(first - 1, first + 1)
    const after = await stage.report()
    assert.deepEqual(listGaps(after), listGaps(before), 'the restart has torn a gap')
  },
}

function listGaps({ sidecars }: { readonly sidecars: readonly { readonly name: string; readonly gaps: number }[] }) {
  return sidecars.map(({ name, gaps }) => `${name}: ${gaps}`)
}
