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

  it('leaves alone what is to stay', () => {
    live.draw(['table'])
    live.keep()
    live.printAbove('after')
    assert.equal(written, 'table\nafter\n')
  })
})
