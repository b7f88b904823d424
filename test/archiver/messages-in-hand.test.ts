import assert from 'node:assert/strict'
import { MessagesInHand } from '../../archiver/messages-in-hand.ts'

const FULL_BLOCK_BYTES = 800_000

describe('archiver/messages-in-hand', () => {
  it('limit: takes 64 small blocks', () => {
    const inHand = new MessagesInHand()
    for (let i = 0; i < 63; i++) inHand.add(new Promise(() => undefined), 7_000)
    assert.equal(inHand.isFull, false)
    inHand.add(new Promise(() => undefined), 7_000)
    assert.equal(inHand.isFull, true)
  })

  it('limit: takes 15 full blocks, 12 MB', () => {
    const inHand = new MessagesInHand()
    for (let i = 0; i < 14; i++) inHand.add(new Promise(() => undefined), FULL_BLOCK_BYTES)
    assert.equal(inHand.isFull, false)
    inHand.add(new Promise(() => undefined), FULL_BLOCK_BYTES)
    assert.equal(inHand.isFull, true)
  })

  it('has room again as soon as one is done, whichever it is and however it ends', async () => {
    for (const last of [0, 63]) {
      for (const outcome of ['done', 'failed'] as const) {
        const inHand = new MessagesInHand()
        const ends = Array.from({ length: 64 }, () => {
          const { promise, resolve, reject } = withResolvers()
          inHand.add(promise, 7_000)
          return outcome === 'done' ? resolve : () => reject(new Error('no disk'))
        })
        const room = inHand.untilRoom()
        ends[last]?.()
        await room
        assert.equal(inHand.isFull, false)
      }
    }
  })

  it('waits until one block less keeps it from being full, by number and by size', async () => {
    const inHand = new MessagesInHand()
    const large = withResolvers()
    inHand.add(large.promise, 12_000_000)
    const small = withResolvers()
    inHand.add(small.promise, 7_000)
    let hasRoom = false
    const room = inHand.untilRoom().then(() => {
      hasRoom = true
    })
    small.resolve()
    await small.promise
    await Promise.resolve()
    assert.equal(hasRoom, false)
    large.resolve()
    await room
  })

  it('is empty when all are settled', async () => {
    const inHand = new MessagesInHand()
    const { promise, reject } = withResolvers()
    inHand.add(promise, 7_000)
    const empty = inHand.untilEmpty()
    reject(new Error('no disk'))
    await empty
  })
})

function withResolvers(): { promise: Promise<void>; resolve: () => void; reject: (error: Error) => void } {
  let resolve: () => void = () => undefined
  let reject: (error: Error) => void = () => undefined
  const promise = new Promise<void>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}
