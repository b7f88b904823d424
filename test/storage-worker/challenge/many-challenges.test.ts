import assert from 'node:assert/strict'
import { playChallenges } from './many-challenges.ts'

describe('storage-worker/challenge: many challenges', () => {
  it('of four nodes, some of whom lie: no false accept and no false reject (1,000 by `npm run challenges`)', async () => {
    const report = await playChallenges(1n, 60)
    assert.deepEqual([report.falseAccepts, report.falseRejects], [[], []])
    assert.equal(report.challenges, 60)
    assert.ok(report.results.size >= 5, [...report.results.keys()].join())
  })
})
