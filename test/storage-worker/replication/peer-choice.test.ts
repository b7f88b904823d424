import assert from 'node:assert/strict'
import { PeerChoice } from '../../../storage-worker/replication/peer-choice.ts'
import { ManualClock } from '../../clocks.ts'
import { settle } from '../../turns.ts'

function open() {
  const clock = new ManualClock(0)
  const ending = new AbortController()
  const ended = new Promise<undefined>((resolve) => ending.signal.addEventListener('abort', () => resolve(undefined)))
  const asked = new PeerChoice({ clock, random: (maxExclusive) => maxExclusive - 1 })
  return { clock, ending, asked, take: (...peers: string[]) => asked.take(peers, { signal: ending.signal, ended }) }
}

describe('storage-worker/replication/peer-choice', () => {
  it('chooses one of the least busy, by chance', async () => {
    const { asked, take } = open()
    assert.deepEqual([await take('a', 'b'), await take('a', 'b'), await take('a', 'b')], ['b', 'a', 'b'])
    asked.release('b', 'gave')
    asked.release('b', 'gave')
    assert.equal(await take('a', 'b'), 'b')
    assert.equal(await take(), undefined)
  })

  it('limit: eight requests at a time; the ninth waits until one ends, or all is given up', async () => {
    const { asked, take, ending } = open()
    for (let i = 0; i < 8; i++) assert.equal(await take('a'), 'a')
    const taken: (string | undefined)[] = []
    const waiting = [take('a'), take('a')].map((each) => each.then((peer) => taken.push(peer)))
    await settle()
    assert.deepEqual(taken, [])
    asked.release('a', 'gave')
    await settle()
    assert.deepEqual(taken, ['a'])
    ending.abort()
    await Promise.all(waiting)
    assert.deepEqual(taken, ['a', undefined])
    assert.equal(await take('b'), undefined)
  })

  it('limit: a peer that goes on failing is left alone for an hour at most; an answer forgives all', async () => {
    const { clock, asked, take } = open()
    for (const minutes of [1, 2, 4, 8, 16, 32, 60, 60]) {
      await take('a')
      asked.release('a', 'failed')
      clock.advance(minutes * 60_000 - 1)
      assert.equal(asked.isWorthAsking('a'), false, `${minutes}`)
      assert.equal(await take('a'), undefined)
      clock.advance(1)
      assert.equal(asked.isWorthAsking('a'), true, `${minutes}`)
    }
    await take('a')
    asked.release('a', 'gave')
    asked.rest('a')
    clock.advance(60_000)
    assert.equal(asked.isWorthAsking('a'), true)
  })

  it('requests that fail together count once', async () => {
    const { clock, asked, take } = open()
    for (let i = 0; i < 3; i++) await take('a')
    for (let i = 0; i < 3; i++) asked.release('a', 'failed')
    clock.advance(60_000)
    assert.equal(asked.isWorthAsking('a'), true)
  })

  it('limit: lacks what it says it has seven times in a row, and is left alone at the eighth', async () => {
    const { asked, take } = open()
    for (let i = 0; i < 7; i++) {
      await take('a')
      asked.release('a', 'lacked')
    }
    assert.equal(asked.isWorthAsking('a'), true)
    await take('a')
    asked.release('a', 'lacked')
    assert.equal(asked.isWorthAsking('a'), false)
  })

  it('a busy one is passed over for a second, and waited for when there is no other', async () => {
    const { clock, asked, take } = open()
    await take('a')
    asked.release('a', 'busy')
    assert.equal(asked.isWorthAsking('a'), true)
    assert.equal(await take('a', 'b'), 'b')
    let taken: string | undefined
    const waiting = take('a').then((peer) => {
      taken = peer
    })
    clock.advance(999)
    await settle()
    assert.equal(taken, undefined)
    clock.advance(1)
    await waiting
    assert.equal(taken, 'a')
  })

  it('limit: remembers 1,024 peers, and forgets past it who is not being asked', async () => {
    const { asked, take } = open()
    await take('busy')
    for (let i = 1; i < 1_024; i++) asked.rest(`${i}`)
    assert.equal(asked.isWorthAsking('1'), false)
    asked.rest('one more')
    assert.deepEqual([asked.isWorthAsking('1'), asked.isWorthAsking('one more')], [true, false])
    for (let i = 0; i < 7; i++) await take('busy')
    asked.release('busy', 'gave')
    assert.equal(await take('busy'), 'busy')
  })
})
