import assert from 'node:assert/strict'
import { SplitLines } from '../../cli/split-lines.ts'

describe('cli/split-lines', () => {
  for (const size of [1, 2, 5, 100]) {
    it(`gives whole lines of what comes ${size} bytes at a time`, () => {
      const lines: string[] = []
      const split = new SplitLines((line) => lines.push(line))
      const bytes = Buffer.from('one\n\ntwö €\nlast')
      for (let at = 0; at < bytes.length; at += size) split.push(bytes.subarray(at, at + size))
      assert.deepEqual(lines, ['one', '', 'twö €'])
      split.end()
      split.end()
      assert.deepEqual(lines.slice(3), ['last'])
    })
  }
})
