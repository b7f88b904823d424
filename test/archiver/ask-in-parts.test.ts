import assert from 'node:assert/strict'
import { askInParts, CallSize } from '../../archiver/ask-in-parts.ts'
import { ArchiveError } from '../../core/index.ts'

const TIMEOUT_MS = 8_000
const late = () => new ArchiveError('ARCHIVER_MESSAGE_TOO_LARGE', 'too large')

describe('archiver/ask-in-parts', () => {
  it('halves what was too much, down to one id, and doubles after eight quick answers in a row', () => {
    const size = new CallSize(50, TIMEOUT_MS)
    for (const expected of [25, 12, 6, 3, 1, 1]) {
      size.onTooMuch(size.current)
      assert.equal(size.current, expected)
    }
    for (let i = 0; i < 7; i++) size.onAnswer(999)
    size.onAnswer(1_000)
    for (let i = 0; i < 7; i++) size.onAnswer(999)
    assert.equal(size.current, 1)
    size.onAnswer(999)
    assert.equal(size.current, 2)
    for (let i = 0; i < 8 * 5; i++) size.onAnswer(0)
    assert.equal(size.current, 50)
  })

  it('a call for fewer ids than allowed that was too much is halved by what it asked', () => {
    const size = new CallSize(50, TIMEOUT_MS)
    size.onTooMuch(20)
    assert.equal(size.current, 10)
  })

  it('asks for each id that is answered once, in order, and at once for fewer after what was too much', async () => {
    const calls: number[][] = []
    const answers: number[][] = []
    const ids = Array.from({ length: 23 }, (_, i) => i)
    const ask = async (part: number[]) => {
      calls.push(part)
      if (part.length > 6) throw late()
      return part
    }
    for await (const answer of askInParts(ids, new CallSize(10, TIMEOUT_MS), ask)) answers.push(answer)
    assert.deepEqual(answers.flat(), ids)
    assert.deepEqual(
      calls.map((call) => call.length),
      [10, 5, 5, 5, 5, 3],
    )
  })

  it('one id that is too much, and any other failure, is thrown after what was answered before', async () => {
    const failures: [Error, number][] = [
      [late(), 1],
      [new ArchiveError('ARCHIVER_NODE_REFUSED', 'refused'), 10],
      [new Error('other'), 10],
    ]
    for (const [failure, last] of failures) {
      const calls: number[] = []
      const ask = async (part: number[]) => {
        calls.push(part.length)
        if (part[0] === 0 && part.length === 10) return part
        throw failure
      }
      const seen: number[][] = []
      await assert.rejects(async () => {
        const ids = Array.from({ length: 20 }, (_, i) => i)
        for await (const answer of askInParts(ids, new CallSize(10, TIMEOUT_MS), ask)) seen.push(answer)
      }, failure)
      assert.equal(seen.flat().length, 10)
      assert.equal(calls.at(-1), last)
    }
  })
})
