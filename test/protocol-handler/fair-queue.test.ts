import assert from 'node:assert/strict'
import { FairQueue } from '../../protocol-handler/fair-queue.ts'

function fill(...items: readonly string[]): FairQueue<string> {
  const queue = new FairQueue<string>()
  for (const item of items) queue.add(item.slice(0, 1), item)
  return queue
}

function drain(queue: FairQueue<string>): string[] {
  const taken: string[] = []
  for (let item = queue.take(); item !== undefined; item = queue.take()) taken.push(item)
  return taken
}

describe('protocol-handler/fair-queue', () => {
  it('gives one of each flow in turn, each in its order', () => {
    const queue = fill('a1', 'a2', 'a3', 'b1', 'c1', 'c2')
    assert.equal(queue.length, 6)
    assert.deepEqual(drain(queue), ['a1', 'b1', 'c1', 'a2', 'c2', 'a3'])
    assert.equal(queue.length, 0)
  })

  it('a flow that had its turn goes behind the others, whether it was its turn or it was asked for', () => {
    const queue = fill('a1', 'a2', 'b1', 'b2')
    assert.equal(queue.takeOf('a'), 'a1')
    assert.equal(queue.takeOf('x'), undefined)
    assert.deepEqual(drain(queue), ['b1', 'a2', 'b2'])
  })

  it('drops the newest of the flow that has most, when that is more than is said', () => {
    const queue = fill('a1', 'b1', 'b2', 'b3')
    assert.equal(queue.dropNewest(3), undefined)
    assert.equal(queue.dropNewest(2), 'b3')
    assert.deepEqual([queue.countOf('a'), queue.countOf('b'), queue.countOf('c'), queue.length], [1, 2, 0, 3])
    assert.deepEqual(queue.clear(), ['a1', 'b1', 'b2'])
    assert.equal(queue.dropNewest(), undefined)
  })
})
