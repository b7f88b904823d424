import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { askSecret, type SecretTerminal } from '../../cli/secret-prompt.ts'

/** A terminal with these keys typed in these pieces. */
class Typist {
  readonly input = Object.assign(new PassThrough(), { setRawMode: (raw: boolean) => this.modes.push(raw) })
  readonly output = new PassThrough()
  readonly modes: boolean[] = []

  get terminal(): SecretTerminal {
    return this as unknown as SecretTerminal
  }

  type(...pieces: readonly (string | Buffer)[]): void {
    for (const piece of pieces) this.input.write(piece)
  }

  get shown(): string {
    return String(this.output.read() ?? '')
  }
}

const isAbort = (error: unknown) => error instanceof Error && error.name === 'AbortError'

describe('cli/secret-prompt', () => {
  const CASES: readonly (readonly [string, readonly (string | Buffer)[], string])[] = [
    ['a line', ['pw\r'], 'pw'],
    ['a line in pieces, with a line feed', ['p', 'w', '\n'], 'pw'],
    ['spaces stay', [' p w \r'], ' p w '],
    ['an empty line', ['\r'], ''],
    ['backspace takes the last character, and none of an empty line', ['\u007fab\b\u007fc\r'], 'c'],
    ['Ctrl-U takes the line', ['abc\u0015d\r'], 'd'],
    ['a letter of several bytes, split between two reads', [Buffer.from([0xc3]), Buffer.from([0xa9, 0x0d])], 'é'],
    ['control characters are no part of it', ['a\tb\u001bc\r'], 'abc'],
    ['Ctrl-D after a letter does nothing', ['a\u0004b\r'], 'ab'],
    ['no more than 4,096 characters', [`${'x'.repeat(5_000)}\r`], 'x'.repeat(4_096)],
  ]
  for (const [name, pieces, wanted] of CASES) {
    it(`${name}: read, and not shown`, async () => {
      const typist = new Typist()
      const asked = askSecret('Password: ', typist.terminal)
      typist.type(...pieces)
      assert.equal(await asked, wanted)
      assert.equal(typist.shown, 'Password: \n')
      assert.deepEqual(typist.modes, [true, false])
    })
  }

  it('two lines that come at once answer two questions', async () => {
    const typist = new Typist()
    typist.type('one\rtwo\r')
    assert.equal(await askSecret('', typist.terminal), 'one')
    assert.equal(await askSecret('', typist.terminal), 'two')
  })

  it('error: Ctrl-C, Ctrl-D on an empty line, the end of the input and a signal end the question', async () => {
    for (const keys of ['ab\u0003', '\u0004']) {
      const typist = new Typist()
      const asked = askSecret('', typist.terminal)
      typist.type(keys)
      await assert.rejects(asked, isAbort)
      assert.deepEqual(typist.modes, [true, false])
    }
    const ended = new Typist()
    const asked = askSecret('', ended.terminal)
    ended.input.end()
    await assert.rejects(asked, isAbort)
    const aborting = new AbortController()
    const aborted = askSecret('', new Typist().terminal, aborting.signal)
    aborting.abort()
    await assert.rejects(aborted, isAbort)
    await assert.rejects(askSecret('', new Typist().terminal, AbortSignal.abort()), isAbort)
  })
})
