import assert from 'node:assert/strict'

type ShownRange = import('../../explorer/worker-messages.ts').ShownRange

const { href } = new URL('../../explorer/judge-range.ts', import.meta.url)
const { judgeRange } = (await import(href)) as typeof import('../../explorer/judge-range.ts')

const GENESIS_MS = 1_000_000
const PERIOD_MS = 16_000

const read = (from: number, to: number, others: Partial<ShownRange> = {}): ShownRange => ({
  from,
  to,
  operations: 1,
  scannedBodies: 2,
  missing: [],
  surplus: [],
  untrusted: 0,
  genesisTimestampMs: GENESIS_MS,
  proofBytes: 1000,
  ...others,
})
const timeOf = (period: number) => GENESIS_MS + period * PERIOD_MS
const judged = (chosenBy: 'reader' | 'archive' | 'page', parts: readonly ShownRange[], now = 9) =>
  judgeRange(parts, { from: parts[0]?.from ?? 0, to: parts.at(-1)?.to ?? 0, chosenBy }, timeOf(now))

describe('explorer/judge-range', () => {
  it('is good about the periods that the reader chose, and about these alone', () => {
    const { color, title, lines } = judged('reader', [read(3, 5), read(6, 9)])
    assert.deepEqual([color, title], ['good', 'In periods 3 to 9 nothing is left out'])
    assert.deepEqual(lines, [
      'Periods 3 to 9: 4 periods with blocks read, 2.0 kB; they have 2 operations of this address.',
    ])
  })

  it('is not where no trusted root binds one of them', () => {
    const { color, title, lines } = judged('reader', [read(3, 5), read(6, 9, { untrusted: 1 })])
    assert.deepEqual([color, title], ['open', 'In periods 3 to 9, as this archive has them, nothing is left out'])
    assert.match(lines.join(' '), /No root that you trust binds 1 period of them/)
  })

  it('hostile: a range that the archive chose is its word, whatever binds it', () => {
    const whole = judged('archive', [read(3, 3, { operations: 0 })])
    assert.equal(whole.color, 'open')
    assert.equal(whole.title, 'In periods 3 to 3, all that this archive says it has, nothing is left out')
    assert.match(whole.lines.join(' '), /Periods before 3 were not read/)
    const page = judged('page', [read(0, 3)])
    assert.deepEqual(
      [page.color, page.title],
      ['open', 'In periods 0 to 3, of which this page of the list is, nothing is left out'],
    )
    assert.doesNotMatch(page.lines.join(' '), /before/)
  })

  it('says how much further the chain is by the clock, where a trusted root binds its beginning', () => {
    const says = (now: number, others: Partial<ShownRange> = {}) =>
      /chain is at period (\d+), (\d+) periods further/.exec(
        judged('archive', [read(3, 3, others)], now).lines.join(' '),
      )
    assert.deepEqual(says(200)?.slice(1), ['200', '197'])
    // An archive is some periods behind.
    assert.equal(says(131), null)
    assert.deepEqual(says(132)?.slice(1), ['132', '129'])
    assert.equal(says(200, { genesisTimestampMs: undefined, untrusted: 1 }), null)
  })

  it('names what is left out, and what is not there', () => {
    const { color, missing, surplus } = judged('reader', [
      read(3, 5, { missing: ['a'] }),
      read(6, 9, { surplus: ['b'] }),
    ])
    assert.deepEqual([color, missing, surplus], ['bad', ['a'], ['b']])
    assert.equal(judged('archive', [read(3, 5, { surplus: ['b'] })]).color, 'bad')
  })
})
