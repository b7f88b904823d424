import assert from 'node:assert/strict'
import { changeToJson, describeChange } from '../../cli/commands/contract-show.ts'
import type { PendingChange } from '../../storage-worker/index.ts'

const CHANGE: PendingChange = {
  what: 'config',
  hash: 'ab'.repeat(32),
  announcedPeriod: 100n,
  fromPeriod: 300n,
  untilPeriod: 5700n,
  isDue: false,
  isExpired: false,
}

describe('cli/contract-show', () => {
  it('says from when until when an announced change may be applied', () => {
    const says = (change: Partial<PendingChange>) => describeChange({ ...CHANGE, ...change })
    assert.equal(
      says({}),
      `New settings announced in period 100, sha256 ${CHANGE.hash}: may be applied from period 300 on, up to period 5700.`,
    )
    assert.match(says({ isDue: true }), /: may be applied now, up to period 5700\.$/)
    assert.match(says({ isExpired: true }), /: expired after period 5700, has to be announced again\.$/)
    assert.match(says({ what: 'code' }), /^New code announced in period 100,/)
  })

  it('gives the same to programs', () => {
    const json = { what: 'config', hash: CHANGE.hash, announcedPeriod: 100, fromPeriod: 300, untilPeriod: 5700 }
    assert.deepEqual(changeToJson(CHANGE), { ...json, isDue: false, isExpired: false })
  })
})
