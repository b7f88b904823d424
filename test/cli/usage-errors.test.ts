import assert from 'node:assert/strict'
import { usageErrorAsJson, usageErrorAsText } from '../../cli/usage-errors.ts'
import { escapeLines } from '../../core/index.ts'

describe('cli/usage-errors', () => {
  for (const [title, text, message, pattern] of [
    ['an unknown command', "error: unknown command 'foo'\n", "unknown command 'foo'", /--help/],
    [
      'an unknown option with a guess',
      "error: unknown option '--depp'\n(Did you mean --deep?)\n",
      "unknown option '--depp'",
      /^Did you mean --deep\?/,
    ],
    [
      'a bad argument',
      "error: command-argument value '1e3' is invalid for argument 'period'. '1e3' is not a period number.\n",
      "'1e3' is not a period number",
      /--help/,
    ],
    [
      'a bad option',
      "error: option '-n, --limit <count>' argument '0' is invalid. '0' is not a positive whole number.\n",
      "-n, --limit <count>: '0' is not a positive whole number",
      /--help/,
    ],
    [
      'a bad value with quotes and newlines in it',
      "error: command-argument value 'a' is\nb' is invalid for argument 'id'. 'a' is\nb' is not 6 to 64 hex digits.\n",
      "'a' is\nb' is not 6 to 64 hex digits",
      /--help/,
    ],
    ['a command without its subcommand', '(outputHelp)', 'the command is not complete', /--help/],
  ] as const) {
    it(`says ${title} once, with what to do`, () => {
      const { error } = JSON.parse(usageErrorAsJson(text))
      assert.equal(error.code, 'CLI_USAGE')
      assert.equal(error.message, message)
      assert.match(error.hint, pattern)
      assert.equal(usageErrorAsText(text).startsWith(`massa-storage: ${escapeLines(message)} (CLI_USAGE)\n`), true)
    })
  }

  it('limit: a value of 100,000 characters does not fill the screen', () => {
    const text = `error: unknown command '${'x'.repeat(100_000)}'\n`
    assert.ok(usageErrorAsText(text).length < 500)
  })
})
