import assert from 'node:assert/strict'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { BroadcastRing, type RingReader } from '../../../../devnet/node/grpc/broadcast-ring.ts'

const nothing = () => {}

function takeAll<T>(reader: RingReader<T>): unknown[] {
  const taken: unknown[] = []
  for (let next = reader.take(); next; next = reader.take()) taken.push('lost' in next ? { ...next } : next.message)
  return taken
}

/** Of another turn: what a WeakRef was made of lives to the end of its own. */
async function collectGarbage(): Promise<void> {
  await new Promise(setImmediate)
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
}

describe('devnet/node/grpc/broadcast-ring', () => {
  it('gives every reader what was published since it came, once', () => {
    const ring = new BroadcastRing<number>(4)
    ring.publish(1)
    const first = ring.open(nothing)
    ring.publish(2)
    const second = ring.open(nothing)
    ring.publish(3)
    assert.deepEqual([takeAll(first), takeAll(second)], [[2, 3], [3]])
    assert.deepEqual([takeAll(first), takeAll(second)], [[], []])
  })

  it('limit: as many as it holds are kept, of one more the oldest is lost and counted', () => {
    const ring = new BroadcastRing<number>(4)
    const reader = ring.open(nothing)
    for (let i = 1; i <= 4; i++) ring.publish(i)
    assert.deepEqual(takeAll(reader), [1, 2, 3, 4])
    for (let i = 5; i <= 11; i++) ring.publish(i)
    assert.deepEqual(takeAll(reader), [{ lost: 3 }, 8, 9, 10, 11])
  })

  it('lets go of what all readers have taken, and keeps what one of them has not', async () => {
    const ring = new BroadcastRing<object>(4)
    const [quick, slow] = [ring.open(nothing), ring.open(nothing)]
    const published = Array.from({ length: 3 }, () => {
      const message = {}
      ring.publish(message)
      return new WeakRef(message)
    })
    takeAll(quick)
    slow.take()
    ring.publish({})
    await collectGarbage()
    assert.deepEqual(
      published.map((message) => message.deref()),
      [undefined, {}, {}],
    )
    assert.deepEqual(takeAll(slow), [{}, {}, {}])
  })

  it('wakes readers until they close, and knows whether anybody listens', () => {
    const ring = new BroadcastRing<number>(4)
    let woken = 0
    assert.equal(ring.isHeard, false)
    const reader = ring.open(() => woken++)
    assert.equal(ring.isHeard, true)
    ring.publish(1)
    reader.close()
    ring.publish(2)
    assert.equal(woken, 1)
    assert.equal(ring.isHeard, false)
  })
})
