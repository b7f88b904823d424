import assert from 'node:assert/strict'
import { LiveLines } from '../../cli/live-lines.ts'

describe('cli/live-lines', () => {
  let written: string
  let live: LiveLines

  beforeEach(() => {
    written = ''
    const write = (text: string) => {
      written += text
      return true
    }
    live = new LiveLines({ write } as unknown as NodeJS.WriteStream)
  })

  it('draws over what it drew before', () => {
    live.draw(['one', 'two'])
    live.draw(['three'])
    assert.equal(written, 'one\ntwo\n\x1b[2A\x1b[Jthree\n')
  })

  it('prints above what is drawn', () => {
    live.draw(['table'])
    live.printAbove('step')
    assert.equal(written, 'table\n\x1b[1A\x1b[Jstep\ntable\n')
  })

  for (const [rows, drawn] of [
    [6, 'one\ntwo\nthree\nfour\n'],
    [5, 'one\ntwo\nthree\nfour\n'],
    [4, 'one\ntwo\n(2 more)\n'],
    [1, '(4 more)\n'],
  ] as const) {
    it(`draws no more than a terminal of ${rows} rows can draw anew`, () => {
      const write = (text: string) => {
        written += text
        return true
      }
      live = new LiveLines({ write, rows } as unknown as NodeJS.WriteStream)
      live.draw(['one', 'two', 'three', 'four'])
      assert.equal(written, drawn)
      live.draw([])
      assert.equal(written.slice(drawn.length), `\x1b[${drawn.trimEnd().split('\n').length}A\x1b[J`)
    })
  }

  it('leaves alone what is to stay', () => {
    live.draw(['table'])
    live.keep()
    live.printAbove('after')
    assert.equal(written, 'table\nafter\n')
  })
})
