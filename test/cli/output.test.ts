import assert from 'node:assert/strict'
import { formatDuration, Output, Progress } from '../../cli/output.ts'

/** A terminal of so many columns, or a pipe, that keeps what is written. */
function makeStream(columns?: number): NodeJS.WriteStream & { text: string } {
  const stream = {
    text: '',
    isTTY: columns !== undefined,
    columns,
    write(text: string) {
      stream.text += text
      return true
    },
  }
  return stream as unknown as NodeJS.WriteStream & { text: string }
}

function makeOutput(options: { columns?: number; json?: boolean; quiet?: boolean; noColor?: boolean }) {
  const stdout = makeStream(options.columns)
  const stderr = makeStream(options.columns)
  const output = new Output({
    json: options.json ?? false,
    quiet: options.quiet ?? false,
    noColor: options.noColor ?? false,
    stdout,
    stderr,
  })
  return { output, stdout, stderr }
}

describe('cli/output', () => {
  it('colours on a terminal, but with NO_COLOR, --json or a pipe', () => {
    const styled = (options: Parameters<typeof makeOutput>[0]) => makeOutput(options).output.style('red', 'x')
    assert.equal(styled({ columns: 80 }), '\x1b[31mx\x1b[39m')
    for (const options of [{ columns: 80, noColor: true }, { columns: 80, json: true }, {}]) {
      assert.equal(styled(options), 'x')
    }
  })

  it('prints values alone with --json, lines alone without, remarks neither with --json nor with --quiet', () => {
    for (const [options, stdout, stderr] of [
      [{}, 'line\n', 'remark\n'],
      [{ quiet: true }, 'line\n', ''],
      [{ json: true }, '{"a":1}\n', ''],
    ] as const) {
      const made = makeOutput(options)
      made.output.line('line')
      made.output.value({ a: 1 })
      made.output.remark('remark')
      assert.deepEqual([made.stdout.text, made.stderr.text], [stdout, stderr])
    }
  })

  it('aligns the columns of a table and ends no line in spaces', () => {
    const { output, stdout } = makeOutput({})
    output.table(
      [
        ['a', '1', ''],
        ['bcd', '10', 'x'],
      ],
      [false, true],
    )
    assert.equal(stdout.text, 'a     1\nbcd  10  x\n')
  })

  it('limit: a bar is never wider than its terminal, so that it does not wrap', () => {
    for (const columns of [20, 60, 80]) {
      const stderr = makeStream(columns)
      let nowMs = 0
      const progress = new Progress('Looking for something with a long name', 'bar', stderr, () => nowMs)
      nowMs = 5_000
      progress.update(45, 100, 'period 1234567890')
      assert.match(stderr.text, /\[=+/)
      for (const line of stderr.text.split('\r\x1b[2K'))
        assert.ok(line.length < columns, `${line.length} of ${columns}`)
    }
  })

  it('limit: what takes less than a second shows no progress, what takes a second does', () => {
    for (const [elapsedMs, isShown] of [
      [999, false],
      [1_000, true],
    ] as const) {
      let nowMs = 50_000
      const stderr = makeStream(80)
      const progress = new Progress('Verifying', 'bar', stderr, () => nowMs)
      nowMs += elapsedMs
      progress.update(1, 2)
      assert.equal(stderr.text !== '', isShown)
    }
  })

  it('writes durations with the digits that matter', () => {
    assert.deepEqual([0, 340, 9_940, 9_960, 59_499, 60_000, 3_599_000, 3_600_000].map(formatDuration), [
      '0.0 s',
      '0.3 s',
      '9.9 s',
      '10 s',
      '59 s',
      '1 min 0 s',
      '59 min 59 s',
      '1 h 0 min',
    ])
  })
})
