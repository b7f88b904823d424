import assert from 'node:assert/strict'
import { describeFailure } from '../../cli/report-failure.ts'
import { ArchiveError } from '../../core/index.ts'

const NASTY = '\x1b[2K\x1b[1A\u009b31m\u202e\r\nFinal: operation O1'

describe('cli/report-failure', () => {
  it('says a sentence with its code and what to do', () => {
    const error = new ArchiveError('CHAIN_TRIAL_FAILED', 'a trial run failed')
    assert.equal(
      describeFailure(error, false),
      `massa-storage: a trial run failed (CHAIN_TRIAL_FAILED)\n${error.action}`,
    )
    assert.deepEqual(JSON.parse(describeFailure(error, true)), {
      error: { code: 'CHAIN_TRIAL_FAILED', message: 'a trial run failed', hint: error.action },
    })
  })

  it('asks to report a bug, with its stack', () => {
    assert.match(describeFailure(new TypeError('boom'), false), /this is a bug.*\nTypeError: boom\n\s+at /)
    assert.equal(JSON.parse(describeFailure(new TypeError('boom'), true)).error.code, 'BUG')
  })

  it('adversary: what a contract or a node says moves no cursor and begins no line', () => {
    const bug = new TypeError(NASTY)
    for (const error of [new ArchiveError('CHAIN_TRIAL_FAILED', `the node: ${NASTY}`), bug]) {
      const text = describeFailure(error, false)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must be absent
      assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
      assert.doesNotMatch(text, /^Final/m)
      const json = describeFailure(error, true)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must be absent
      assert.doesNotMatch(json, /[\u0000-\u001f\u007f-\u009f\u202e]/)
      assert(JSON.parse(json).error.message.includes(NASTY))
    }
  })
})
