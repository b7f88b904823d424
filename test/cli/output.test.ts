import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatDuration, Output, Progress } from '../../cli/output.ts'
import { findPackageRoot } from '../../config/index.ts'

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
    const marked = (options: Parameters<typeof makeOutput>[0]) => {
      const { output, stdout } = makeOutput(options)
      output.markedLine('red', 'x', ' y')
      return stdout.text
    }
    assert.equal(marked({ columns: 80 }), '\x1b[31mx\x1b[39m y\n')
    for (const options of [{ columns: 80, noColor: true }, {}]) assert.equal(marked(options), 'x y\n')
    assert.equal(marked({ columns: 80, json: true }), '')
  })

  it('prints values alone with --json, lines and warnings without, remarks neither with --json nor with --quiet', () => {
    for (const [options, stdout, stderr] of [
      [{}, 'line\n', 'remark\nWarning: look\n'],
      [{ quiet: true }, 'line\n', 'Warning: look\n'],
      [{ json: true }, '{"a":1}\n', ''],
    ] as const) {
      const made = makeOutput(options)
      made.output.line('line')
      made.output.value({ a: 1 })
      made.output.remark('remark')
      made.output.warn('look')
      assert.deepEqual([made.stdout.text, made.stderr.text], [stdout, stderr])
    }
  })

  it('adversary: control characters of a stranger reach no terminal, and begin no line', () => {
    const nasty = '\x1b[2J\x1b]0;owned\x07\r\b\u009b31m\u202e\nFinal: operation O1'
    const { output, stdout, stderr } = makeOutput({ columns: 80, noColor: true })
    output.line(`event ${nasty}`)
    output.remark(nasty)
    output.warn(nasty)
    output.markedLine('red', nasty, nasty)
    output.table([[nasty, 'x']])
    assert.equal(stdout.text.split('\n').length, 4)
    assert.equal(stderr.text.split('\n').length, 3)
    const json = makeOutput({ columns: 80, json: true })
    json.output.value({ events: [nasty] })
    assert.deepEqual(JSON.parse(json.stdout.text), { events: [nasty] })
    let nowMs = 0
    const bar = makeStream()
    const progress = new Progress(nasty, 'lines', bar, () => nowMs)
    nowMs = 5_000
    progress.update(1, 2, nasty)
    for (const { text } of [stdout, stderr, json.stdout, bar]) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must be absent
      assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
    }
  })

  it('is what commands print through: files that write by themselves are known', () => {
    const folder = join(findPackageRoot(), 'cli')
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
    const writing = files.filter((file) => /process\.std(?:out|err)\b/.test(readFileSync(join(folder, file), 'utf8')))
    assert.deepEqual(writing.sort(), [
      'commands/devnet-orders.ts',
      'commands/devnet-up.ts',
      'commands/start.ts',
      'commands/status.ts',
      'context.ts',
      'index.ts',
      'secret-prompt.ts',
      'terminal.ts',
      'watch-outputs.ts',
    ])
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
