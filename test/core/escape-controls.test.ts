import assert from 'node:assert/strict'
import fc from 'fast-check'
import { escapeControls, escapeLines } from '../../core/index.ts'

describe('core/escape-controls', () => {
  for (const [name, text, shown] of [
    ['ESC and CSI', '\x1b[2J\x1b[31mred', '\\u001b[2J\\u001b[31mred'],
    ['OSC with BEL', '\x1b]0;owned\x07', '\\u001b]0;owned\\u0007'],
    ['CR, LF and backspace', 'a\r\nb\b', 'a\\u000d\\u000ab\\u0008'],
    ['NUL, tab and DEL', '\0\t\x7f', '\\u0000\\u0009\\u007f'],
    ['CSI and OSC of one character', '\u009b31m\u009d0;x\u009c', '\\u009b31m\\u009d0;x\\u009c'],
    ['marks and overrides of direction', '\u061c\u200e\u200f\u202a\u202e', '\\u061c\\u200e\\u200f\\u202a\\u202e'],
    ['isolates', '\u2066\u2067\u2068\u2069', '\\u2066\\u2067\\u2068\\u2069'],
    ['separators of lines', '\u2028\u2029', '\\u2028\\u2029'],
    ['other text', ' ~\u00a0é漢字🗄\\', ' ~\u00a0é漢字🗄\\'],
  ] as const) {
    it(`adversary: ${name}`, () => assert.equal(escapeControls(text), shown))
  }

  it('leaves JSON the same JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom('\x1b', '\u009b', '\u202e', '\r'), (value, control) => {
        const json = JSON.stringify({ value, [control]: control })
        assert.deepEqual(JSON.parse(escapeControls(json)), JSON.parse(json))
      }),
    )
  })

  it('indents all lines but the first', () => {
    assert.equal(escapeLines('a\r\nFinal: operation O1\n\x1b[2J'), 'a\\u000d\n  Final: operation O1\n  \\u001b[2J')
  })
})
