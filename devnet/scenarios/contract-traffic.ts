import assert from 'node:assert/strict'
import type { Scenario } from './scenario.ts'

const CALLS = 12

export const contractTraffic: Scenario = {
  name: 'contract-traffic',
  story: 'Contract calls come in, every other one fails; all of them are in every archive.',
  async play(stage) {
    const first = await stage.nextPeriod()
    const ids = await stage.callContract(CALLS)
    // Each is in a block of its sender's thread within a period or two.
    const last = (await stage.nextPeriod()) + 2
    await stage.untilArchived(last)
    await stage.checkArchives(first, last)
    for (const sidecar of (await stage.report()).sidecars) {
      for (const id of ids) assert(await stage.findOperation(sidecar, id), `${sidecar.name} lacks operation ${id}`)
    }
  },
}
