import assert from 'node:assert/strict'
import { SequenceWatch } from '../../storage-worker/sequence-watch.ts'

/** @param entries - [sequence number, block] */
function findDoubtful(...entries: readonly (readonly [number, string])[]): string[] {
  const watch = new SequenceWatch<string>()
  for (const [sequence, block] of entries) watch.take(sequence, block)
  return [...watch.finish()]
}

describe('storage-worker/sequence-watch', () => {
  it('doubts nothing that was written in the order of its keys', () => {
    assert.deepEqual(findDoubtful(), [])
    assert.deepEqual(findDoubtful([7, 'a'], [8, 'a'], [9, 'b'], [10, 'c']), [])
  })

  it('doubts nothing in runs of two and more, however they follow one another', () => {
    assert.deepEqual(findDoubtful([70, 'a'], [71, 'b'], [12, 'b'], [13, 'c'], [90, 'd'], [91, 'd'], [92, 'e']), [])
  })

  it('doubts an entry that continues neither of its neighbours, at either end too', () => {
    assert.deepEqual(findDoubtful([7, 'a']), ['a'])
    assert.deepEqual(findDoubtful([3, 'a'], [8, 'b'], [9, 'c']), ['a'])
    assert.deepEqual(findDoubtful([7, 'a'], [8, 'b'], [25, 'c'], [10, 'd'], [11, 'e']), ['c'])
    assert.deepEqual(findDoubtful([7, 'a'], [8, 'b'], [4, 'c']), ['c'])
    assert.deepEqual(findDoubtful([7, 'a'], [7, 'b']), ['a', 'b'])
  })

  it('names a block once, and one that it is told to doubt', () => {
    const watch = new SequenceWatch<string>()
    watch.doubt('a')
    for (const sequence of [5, 3, 1]) watch.take(sequence, 'b')
    assert.deepEqual([...watch.finish()], ['a', 'b'])
  })
})
