import assert from 'node:assert/strict'
import type { Scenario } from './scenario.ts'

/** Anybody may give coins to the rewards; only a storage node may claim them. */
const FUNCTIONS = Array.from({ length: 12 }, (_, i) => (i % 2 === 0 ? 'fundRewards' : 'claimRewards'))

export const contractTraffic: Scenario = {
  name: 'contract-traffic',
  story: 'Contract calls come in, every other one fails; all of them are in every archive.',
  async play(stage) {
    const first = await stage.nextPeriod()
    const ids = await stage.callContract(FUNCTIONS)
    assert.equal(new Set(ids).size, FUNCTIONS.length)
    // Each is in a block of its sender's thread within a period or two.
    const last = (await stage.nextPeriod()) + 2
    const successes = await stage.untilExecuted(ids)
    for (const [i, id] of ids.entries()) {
      const isRefused = FUNCTIONS[i] === 'claimRewards'
      assert.equal(successes.get(id), !isRefused, `${FUNCTIONS[i]} ${isRefused ? 'succeeds' : 'fails'}: ${id}`)
    }
    await stage.untilArchived(last)
    await stage.checkArchives(first, last)
    for (const sidecar of (await stage.report()).sidecars) {
      for (const id of ids) assert(await stage.findOperation(sidecar, id), `${sidecar.name} lacks operation ${id}`)
    }
  },
}
