import assert from 'node:assert/strict'
import { setMaxListeners } from 'node:events'
import { ArchiveError } from '../../../core/index.ts'
import {
  type AskLimits,
  PacedPeers,
  type PeerArchive,
  type Question,
} from '../../../storage-worker/bootstrap/paced-peers.ts'
import type { Fetched } from '../../../storage-worker/peers/peer-client.ts'
import { AutoClock } from '../../clocks.ts'

const MINUTES_10 = 600_000

describe('storage-worker/bootstrap/paced-peers', () => {
  function open(
    peers: readonly PeerArchive[],
    limits: AskLimits | (() => AskLimits) = { requestsInFlight: 2, requestsPerSecond: 10, bytesPerSecond: 100 },
  ) {
    const clock = new AutoClock()
    const wrong: string[] = []
    const failures: unknown[] = []
    const asked = new PacedPeers(
      {
        listPeers: () => peers,
        onWrong: (peer) => wrong.push(peer),
        onFailure: (error) => failures.push(error),
        clock,
      },
      limits,
    )
    return { asked, clock, wrong, failures }
  }
  const has = (peer: string, firstPeriod = 0, endPeriod = 10): PeerArchive => ({ peer, firstPeriod, endPeriod })
  const { signal } = new AbortController()
  setMaxListeners(0, signal)

  function question(answers: Record<string, Fetched<number>>, more: Partial<Question<number>> = {}) {
    const order: string[] = []
    const one: Question<number> = {
      name: 'it',
      period: 5,
      send: async (peer) => {
        order.push(peer)
        return answers[peer] ?? { status: 'notHeld' }
      },
      sizeOf: (value) => value,
      ...more,
    }
    return { one, order }
  }
  const ok = (value: number): Fetched<number> => ({ status: 'ok', value })

  it('asks those that say they have it, the preferred one first, then those that were asked for least', async () => {
    const { asked } = open([has('a'), has('b'), has('early', 0, 5), has('late', 6), has('c', 5, 6)])
    assert.deepEqual(asked.listFor(5), ['a', 'b', 'c'])
    const { one, order } = question({ a: ok(7), b: ok(5), c: ok(9) })
    assert.deepEqual(await asked.ask({ ...one, prefer: 'c' }, signal), { peer: 'c', value: 9 })
    assert.deepEqual(await asked.ask(one, signal), { peer: 'a', value: 7 })
    assert.deepEqual(await asked.ask(one, signal), { peer: 'b', value: 5 })
    assert.deepEqual(await asked.ask(one, signal), { peer: 'b', value: 5 })
    assert.deepEqual(order, ['c', 'a', 'b', 'b'])
    assert.deepEqual(asked.listFor(5), ['a', 'c', 'b'])
  })

  it('limit: when the limits change those of a peer that was asked do, too', async () => {
    const slow = { requestsInFlight: 2, requestsPerSecond: 1, bytesPerSecond: 1_000 }
    let limits = slow
    const { asked, clock } = open([has('a')], () => limits)
    const askMany = async (count: number): Promise<number> => {
      const beganMs = clock.monotonicMs()
      for (let i = 0; i < count; i++) await asked.ask(question({ a: ok(1) }).one, signal)
      return clock.monotonicMs() - beganMs
    }
    assert.equal(await askMany(6), 3_000)
    limits = { ...slow, requestsPerSecond: 100 }
    assert.equal(await askMany(6), 0)
    limits = slow
    assert.equal(await askMany(6), 3_000)
  })

  it('who lacks it or refuses is not asked for it for ten minutes, and for other things at once', async () => {
    const { asked, clock } = open([has('a'), has('b')])
    const { one, order } = question({ a: { status: 'refused' }, b: { status: 'notHeld' } })
    assert.equal(await asked.ask(one, signal), undefined)
    assert.equal(await asked.ask(one, signal), undefined)
    assert.deepEqual(order, ['a', 'b'])
    await asked.ask({ ...one, name: 'other' }, signal)
    assert.equal(order.length, 4)
    clock.timeMs += MINUTES_10 - 1
    await asked.ask(one, signal)
    assert.equal(order.length, 4)
    clock.timeMs += 1
    await asked.ask(one, signal)
    assert.equal(order.length, 6)
  })

  it('who gives what is wrong pays, and is asked for nothing for ten minutes', async () => {
    const { asked, clock, wrong } = open([has('a'), has('b')])
    const { one, order } = question(
      { a: ok(1), b: ok(2) },
      { judge: async (value) => (value === 2 ? 'right' : 'wrong') },
    )
    assert.deepEqual(await asked.ask(one, signal), { peer: 'b', value: 2 })
    assert.deepEqual([order, wrong], [['a', 'b'], ['a']])
    assert.deepEqual(asked.listFor(5), ['b'])
    clock.timeMs += MINUTES_10
    assert.equal(asked.listFor(5).length, 2)
  })

  it('who gives what does not fit does not pay, and is not asked for it again for ten minutes', async () => {
    const { asked, wrong } = open([has('a'), has('b')])
    const { one, order } = question(
      { a: ok(1), b: ok(2) },
      { judge: async (_, peer) => (peer === 'b' ? 'right' : 'unfit') },
    )
    for (let i = 0; i < 2; i++) assert.deepEqual(await asked.ask(one, signal), { peer: 'b', value: 2 })
    assert.deepEqual([order, wrong], [['a', 'b', 'b'], []])
  })

  it('who breaks the protocol is not asked either; who is away is, later', async () => {
    const { asked, clock, failures, wrong } = open([has('a')])
    const failing = (code: 'PROTOCOL_ANSWER_WRONG' | 'PROTOCOL_PEER_UNREACHABLE') =>
      question({}, { send: () => Promise.reject(new ArchiveError(code, 'injected')) }).one
    assert.equal(await asked.ask(failing('PROTOCOL_PEER_UNREACHABLE'), signal), undefined)
    const { one } = question({ a: ok(3) })
    const startMs = clock.timeMs
    assert.equal((await asked.ask(one, signal))?.value, 3)
    assert.equal(clock.timeMs - startMs, 30_000)
    assert.equal(await asked.ask(failing('PROTOCOL_ANSWER_WRONG'), signal), undefined)
    assert.deepEqual(asked.listFor(5), [])
    assert.equal(failures.length, 2)
    assert.deepEqual(wrong, [])
  })

  it('hostile peer: silent strangers are asked last once they did not answer, ever more seldom and once at a time', async () => {
    const silent = Array.from({ length: 8 }, (_, i) => has(`silent ${i}`))
    const { asked, clock } = open([...silent, has('honest')], {
      requestsInFlight: 4,
      requestsPerSecond: 1_000,
      bytesPerSecond: 1_000_000,
    })
    const asks = new Map<string, number>()
    const send = async (peer: string): Promise<Fetched<number>> => {
      asks.set(peer, (asks.get(peer) ?? 0) + 1)
      await clock.sleep(peer === 'honest' ? 50 : 30_000)
      if (peer !== 'honest') throw new ArchiveError('PROTOCOL_PEER_UNREACHABLE', 'injected')
      return ok(1)
    }
    const askMany = async (count: number): Promise<number> => {
      const beganMs = clock.monotonicMs()
      await Promise.all(
        Array.from({ length: count }, (_, i) => asked.ask({ ...question({}).one, name: `${i}`, send }, signal)),
      )
      return clock.monotonicMs() - beganMs
    }
    const asksOf = () => silent.map(({ peer }) => asks.get(peer))
    // Each is waited for alone for three seconds.
    assert.equal(await askMany(1), 8 * 3_000 + 50)
    assert.deepEqual(asksOf(), Array(8).fill(1))
    // All time-outs and rests are over: they come last, as long as the honest one may be asked.
    await clock.sleep(60_000)
    assert.equal(await askMany(4), 50)
    assert.deepEqual(asksOf(), Array(8).fill(1))
    await askMany(30)
    assert.deepEqual(asksOf(), Array(8).fill(2))
    // The second rest is twice as long.
    await clock.sleep(30_000 + 59_999)
    const { one } = question({})
    assert.equal(await asked.ask({ ...one, send, prefer: 'silent 1' }, signal).then((answer) => answer?.peer), 'honest')
    assert.deepEqual(asksOf(), Array(8).fill(2))
  })

  it('who gave something before is waited for alone, and late answers are given to nobody', async () => {
    const { asked, clock } = open([has('a'), has('b')])
    const order: string[] = []
    const judged: string[] = []
    const one: Question<number> = {
      ...question({}).one,
      prefer: 'a',
      send: async (peer) => {
        order.push(peer)
        await clock.sleep(peer === 'a' ? 10_000 : 50)
        return ok(peer === 'a' ? 1 : 2)
      },
      judge: async (_, peer) => {
        judged.push(peer)
        return 'right'
      },
    }
    assert.deepEqual(await asked.ask(one, signal), { peer: 'b', value: 2 })
    await clock.sleep(10_000)
    assert.deepEqual(await asked.ask(one, signal), { peer: 'a', value: 1 })
    assert.deepEqual(order, ['a', 'b', 'a'])
    assert.deepEqual(judged, ['b', 'a'])
  })

  it('a question does not wait for a peer that rests for longer than a question may take', async () => {
    const { asked, clock } = open([has('a'), has('b')])
    const { one } = question(
      {},
      {
        send: async (peer) => {
          if (peer === 'a') throw new ArchiveError('PROTOCOL_PEER_UNREACHABLE', 'injected')
          return { status: 'notHeld' }
        },
      },
    )
    const waits: number[] = []
    for (let i = 0; i < 4; i++) {
      const beganMs = clock.monotonicMs()
      await asked.ask({ ...one, name: `${i}` }, signal)
      waits.push(clock.monotonicMs() - beganMs)
    }
    assert.deepEqual(waits, [0, 30_000, 0, 0])
  })

  it('hostile peer: silent strangers hold up one question each for 3 s: who gave nothing yet gets one at a time', async () => {
    const silent = Array.from({ length: 60 }, (_, i) => has(`silent ${i}`))
    const limits = { requestsInFlight: 8, requestsPerSecond: 1_000, bytesPerSecond: 1_000_000 }
    const { asked, clock } = open([...silent, has('a'), has('b')], limits)
    const asks: string[] = []
    const send = async (peer: string): Promise<Fetched<number>> => {
      asks.push(peer)
      await clock.sleep(peer.startsWith('silent') ? 30_000 : 50)
      return ok(1)
    }
    const beganMs = clock.monotonicMs()
    await Promise.all(
      Array.from({ length: 124 }, (_, i) => asked.ask({ ...question({}).one, name: `${i}`, send }, signal)),
    )
    assert.equal(asks.filter((peer) => peer.startsWith('silent')).length, 60)
    // The 60 that were held up go to two peers, eight at a time to each.
    assert.equal(clock.monotonicMs() - beganMs, 3_000 + 4 * 50)
  })

  it('limit: so many requests are in flight to one peer, and the next one waits for an answer', async () => {
    const { asked } = open([has('a')])
    await asked.ask(question({ a: ok(1) }).one, signal)
    const answer: (() => void)[] = []
    const one = question({}, { send: () => new Promise((resolve) => answer.push(() => resolve(ok(1)))) }).one
    const all = [1, 2, 3].map(() => asked.ask(one, signal))
    const turn = () => new Promise((resolve) => setImmediate(resolve))
    await turn()
    assert.equal(answer.length, 2)
    answer[0]?.()
    await all[0]
    await turn()
    assert.equal(answer.length, 3)
    for (const give of answer) give()
    await Promise.all(all)
  })

  it('limit: a burst of two seconds, then as many requests, or bytes, as a second may have', async () => {
    for (const [size, firstWait] of [
      [0, 21],
      [100, 3],
    ] as const) {
      const { asked, clock } = open([has('a')])
      const startMs = clock.timeMs
      const { one } = question({ a: ok(size) })
      for (let i = 1; i < firstWait; i++) await asked.ask(one, signal)
      assert.equal(clock.timeMs, startMs)
      await asked.ask(one, signal)
      await asked.ask(one, signal)
      assert.ok(clock.timeMs > startMs)
    }
  })

  it('a question waits a minute for peers that are busy, and no longer', async () => {
    const { asked, clock } = open([has('a')])
    const startMs = clock.timeMs
    const { one, order } = question({ a: { status: 'busy' } })
    assert.equal(await asked.ask(one, signal), undefined)
    assert.ok(clock.timeMs - startMs >= 60_000 && clock.timeMs - startMs < 70_000)
    assert.ok(order.length <= 61, `${order.length}`)
  })

  it('who is ending waits for no answer', async () => {
    const { asked } = open([has('a')])
    const ending = new AbortController()
    const { one } = question({}, { send: () => new Promise(() => undefined) })
    const waiting = [1, 2, 3].map(() => asked.ask(one, ending.signal))
    ending.abort()
    assert.deepEqual(await Promise.all(waiting), [undefined, undefined, undefined])
    assert.equal(await asked.ask(one, ending.signal), undefined)
  })
})
