import assert from 'node:assert/strict'
import {
  parseChunkPrefix,
  parseCount,
  parseHexPrefix,
  parsePeriod,
  parsePeriodRange,
} from '../../cli/parse-arguments.ts'

const REFUSED = { name: 'InvalidArgumentError', code: 'commander.invalidArgument' }

describe('cli/parse-arguments', () => {
  it('takes period numbers up to 2^53 - 1 and nothing else', () => {
    assert.equal(parsePeriod('0'), 0)
    assert.equal(parsePeriod('007'), 7)
    assert.equal(parsePeriod('9007199254740991'), Number.MAX_SAFE_INTEGER)
    for (const text of [
      '9007199254740992',
      '99999999999999999999',
      '-1',
      '+1',
      '1e3',
      '1e99',
      '0x10',
      '1.5',
      '',
      ' 3',
      '٣',
      'NaN',
      '1_000',
    ]) {
      assert.throws(() => parsePeriod(text), REFUSED, text)
    }
  })

  it('takes ranges with both ends, one end, or one period', () => {
    const max = Number.MAX_SAFE_INTEGER
    for (const [text, from, to] of [
      ['3', 3, 3],
      ['3..3', 3, 3],
      ['3..5', 3, 5],
      ['3..', 3, max],
      ['..5', 0, 5],
    ] as const) {
      assert.deepEqual(parsePeriodRange(text), { from, to })
    }
    for (const text of ['', '..', '5..3', '1..2..3', '1...3', '3-5', 'a..b', '-1..3', '1..1e3']) {
      assert.throws(() => parsePeriodRange(text), REFUSED, text)
    }
  })

  it('limit: a count is 1 to 999,999,999', () => {
    assert.equal(parseCount('1'), 1)
    assert.equal(parseCount('999999999'), 999_999_999)
    for (const text of ['0', '-1', '1000000000', '1.5', '']) assert.throws(() => parseCount(text), REFUSED, text)
  })

  it('limit: an id begins with 6 to 64 hex digits, a filter with 1 to 64', () => {
    assert.equal(parseChunkPrefix('ABCDEF'), 'abcdef')
    assert.equal(parseHexPrefix('A'), 'a')
    for (const parse of [parseChunkPrefix, parseHexPrefix]) {
      assert.equal(parse('a'.repeat(64)).length, 64)
      for (const text of ['', 'a'.repeat(65), 'zzzzzz', '0xabcd']) assert.throws(() => parse(text), REFUSED, text)
    }
    assert.throws(() => parseChunkPrefix('abcde'), REFUSED)
  })
})
