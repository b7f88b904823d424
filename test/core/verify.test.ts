import assert from 'node:assert/strict'
import * as verify from '../../core/verify.ts'

describe('core/verify', () => {
  it('exports what verifies answers, and nothing else', () => {
    assert.deepEqual(Object.keys(verify).sort(), [
      'ArchiveError',
      'COMPLETENESS_FORMAT',
      'PROOF_FORMAT',
      'compareAddressList',
      'describeBlock',
      'describeEndorsement',
      'describeOperation',
      'describeProven',
      'fromHex',
      'isArchiveError',
      'toHex',
      'verifyAddressHistory',
      'verifyCompleteness',
      'verifyEvents',
      'verifyOutcomes',
      'verifyProof',
    ])
  })
})
