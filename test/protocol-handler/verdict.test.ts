import assert from 'node:assert/strict'
import { ArchiveError, ERROR_CODES, type ErrorCode } from '../../core/index.ts'
import { verdictOf } from '../../protocol-handler/verdict.ts'

describe('protocol-handler/verdict', () => {
  it('every refusal of a message has a verdict: what an honest peer may cause is ignored', () => {
    const codes = Object.keys(ERROR_CODES).filter((code) => code.startsWith('PROTOCOL_')) as ErrorCode[]
    const verdicts = Object.fromEntries(codes.map((code) => [code, verdictOf(new ArchiveError(code, ''))]))
    assert.deepEqual(verdicts, {
      PROTOCOL_MESSAGE_INVALID: 'reject',
      PROTOCOL_VERSION_UNKNOWN: 'ignore',
      PROTOCOL_NETWORK_FOREIGN: 'reject',
      PROTOCOL_SIGNATURE_INVALID: 'reject',
      PROTOCOL_ANSWER_WRONG: 'reject',
      PROTOCOL_BINDING_FOREIGN: 'reject',
      PROTOCOL_SEQUENCE_OLD: 'ignore',
      PROTOCOL_PEER_LIMIT: 'ignore',
      PROTOCOL_QUEUE_FULL: 'ignore',
      PROTOCOL_LISTEN_FAILED: undefined,
      PROTOCOL_PEER_UNREACHABLE: 'ignore',
      PROTOCOL_SENDER_UNKNOWN: 'ignore',
      PROTOCOL_PERIOD_FUTURE: 'ignore',
      PROTOCOL_PLACEMENT_DIFFERS: 'reject',
      PROTOCOL_ROOTS_DIFFER: 'reject',
    })
  })

  it('a failure of ours is no verdict on a peer', () => {
    assert.equal(verdictOf(new Error('bug')), undefined)
    assert.equal(verdictOf(new ArchiveError('CORE_BYTES_INVALID', '')), undefined)
  })
})
