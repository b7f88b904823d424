import assert from 'node:assert/strict'
import {
  collectRoot,
  collectSetting,
  parseAmount,
  parseChallengePrefix,
  parseChunkPrefix,
  parseCount,
  parseHexPrefix,
  parseLogLevel,
  parseNodeName,
  parsePeriod,
  parsePeriodRange,
  parseWhole,
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

  it('takes what a node may be called, and the beginning of the id of a challenge', () => {
    for (const name of ['node_A', 'sidecar-2', 'AU12mX', 'a', 'Acme Ltd.', 'x'.repeat(128)]) {
      assert.equal(parseNodeName(name), name)
    }
    for (const text of ['', 'x'.repeat(129), 'nöde', 'a\n']) assert.throws(() => parseNodeName(text), REFUSED, text)
    for (const id of ['m-9f86d0', 'a_', 'x'.repeat(64)]) assert.equal(parseChallengePrefix(id), id)
    for (const text of ['', 'x'.repeat(65), '..', 'a/b']) assert.throws(() => parseChallengePrefix(text), REFUSED, text)
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

  it('takes a setting as key=value, also an empty value and one with = in it, after those before', () => {
    assert.deepEqual(collectSetting('a.b=c=d', ['x=']), ['x=', 'a.b=c=d'])
    for (const text of ['foo', '', '=', '=1']) assert.throws(() => collectSetting(text), REFUSED, text)
  })

  it('collects roots of eras', () => {
    const root = 'aB'.repeat(32)
    const both = collectRoot(`7=${'00'.repeat(32)}`, collectRoot(`41=${root}`))
    assert.deepEqual(
      [...both],
      [
        [41, new Uint8Array(32).fill(0xab)],
        [7, new Uint8Array(32)],
      ],
    )
    for (const text of [root, `=${root}`, `41=`, `41=${root}0`, `41=${root}=`, `-1=${root}`, `4.1=${root}`, '']) {
      assert.throws(() => collectRoot(text), REFUSED, text)
    }
  })

  it('takes a level of the log by its name or number', () => {
    for (const text of ['error', 'trace', '0', '4']) assert.equal(parseLogLevel(text), text)
    for (const text of ['5', '-1', '00', 'ERROR', '', 'fatal']) assert.throws(() => parseLogLevel(text), REFUSED, text)
  })

  it('takes amounts of MAS to the last nanoMAS, exactly', () => {
    const cases: readonly (readonly [string, bigint])[] = [
      ['0', 0n],
      ['1', 1_000_000_000n],
      ['1.5', 1_500_000_000n],
      ['0.000000001', 1n],
      ['007', 7_000_000_000n],
      ['99999999999.999999999', 99_999_999_999_999_999_999n],
    ]
    for (const [text, wanted] of cases) assert.equal(parseAmount(text), wanted)
    for (const text of [
      '',
      '.5',
      '1.',
      '1,5',
      '-1',
      '+1',
      '1e3',
      '0x1',
      '1.0000000001',
      '100000000000',
      ' 1',
      '1 MAS',
      '٣',
    ]) {
      assert.throws(() => parseAmount(text), REFUSED, text)
    }
  })

  it('takes whole numbers from 0 of at most 18 digits', () => {
    assert.equal(parseWhole('0'), 0n)
    assert.equal(parseWhole('9'.repeat(18)), 999_999_999_999_999_999n)
    for (const text of ['', '-1', '1.5', '9'.repeat(19), '1e3', ' 1', '٣'])
      assert.throws(() => parseWhole(text), REFUSED, text)
  })
})
