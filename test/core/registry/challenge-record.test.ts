import assert from 'node:assert/strict'
import { CHALLENGE_OUTCOMES, readChallengeOutcome } from '../../../core/index.ts'

/** As docs/CONTRACT.md, Records. */
function makeRecord({ bytes = 176, version = 1, outcome = 0 }): Uint8Array {
  const record = new Uint8Array(bytes)
  record[0] = version
  record[171] = outcome
  return record
}

describe('core/registry/challenge-record', () => {
  it('reads how a challenge ended', () => {
    const read = CHALLENGE_OUTCOMES.map((_, outcome) => readChallengeOutcome(makeRecord({ outcome })))
    assert.deepEqual(read, CHALLENGE_OUTCOMES)
  })

  it('error: refuses what is of another version or length, or has no outcome', () => {
    for (const change of [{ version: 2 }, { bytes: 175 }, { bytes: 177 }, { bytes: 0 }, { outcome: 5 }]) {
      assert.throws(() => readChallengeOutcome(makeRecord(change)), { code: 'CORE_BYTES_INVALID' })
    }
  })
})
