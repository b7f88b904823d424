import assert from 'node:assert/strict'
import { Bandwidth } from '../../protocol-handler/bandwidth.ts'
import type { Priority } from '../../protocol-handler/work-queue.ts'
import { VirtualClock } from '../clocks.ts'

const RATE = 1_000_000
const CHUNK = 1_048_576
const PROOF = 1_400

describe('protocol-handler/bandwidth', () => {
  let clock: VirtualClock
  let bandwidth: Bandwidth
  /** `peer bytes` in the order in which they began, and when. */
  let begun: [string, number][]
  let sentBytes: number

  beforeEach(() => {
    clock = new VirtualClock()
    bandwidth = new Bandwidth({ bytesPerSecond: RATE }, clock)
    begun = []
    sentBytes = 0
  })

  async function take(priority: Priority, peer: string | undefined, bytes: number): Promise<void> {
    await bandwidth.take(priority, peer, bytes)
    sentBytes += bytes
    begun.push([peer ?? 'own', clock.timeMs])
  }

  it('regression: silent peers, from which answers are waited for, do not keep others from being asked', async () => {
    const narrow = new Bandwidth({ bytesPerSecond: 100_000 }, clock)
    const counts: ((takenBytes: number) => void)[] = []
    const ask = async (bytes: number): Promise<void> => {
      counts.push(await narrow.reserve('repair', bytes))
      begun.push(['own', clock.timeMs])
    }
    for (let i = 0; i < 3; i++) void ask(CHUNK)
    void ask(PROOF)
    await clock.run(60_000)
    const lastMs = begun[3]?.[1] ?? Number.NaN
    assert.ok(lastMs < 8_000, `${lastMs} ms`)
    // What comes late is counted when it comes, once.
    for (const count of counts.slice(0, 3)) count(CHUNK)
    void ask(1)
    await clock.run(120_000)
    const waitedMs = (begun[4]?.[1] ?? Number.NaN) - 60_000
    assert.ok(waitedMs > 25_000 && waitedMs < 35_000, `${waitedMs} ms`)
  })

  it('limit: what a second brings goes out at once, the next byte waits until there is no debt', async () => {
    void take('repair', 'a', RATE)
    void take('repair', 'a', 1)
    void take('repair', 'a', 1)
    await clock.run(0)
    assert.equal(begun.length, 2)
    await clock.run(1)
    assert.equal(begun.length, 3)
  })

  it('the most urgent goes first, among equals one of each peer in turn', async () => {
    await take('read', 'x', 2 * RATE)
    for (const name of ['a', 'a', 'a', 'b', 'c']) void take('repair', name, RATE)
    void take('backfill', 'd', RATE)
    void take('read', 'e', RATE)
    await clock.run(60_000)
    assert.deepEqual(
      begun.map(([name]) => name),
      ['x', 'a', 'b', 'c', 'a', 'a', 'e', 'd'],
    )
  })

  it('what we ask for ourselves has every second turn, however many ask us', async () => {
    await take('read', 'x', 2 * RATE)
    for (const name of ['a', 'b', 'c', 'd']) void take('repair', name, RATE)
    for (let i = 0; i < 3; i++) void take('repair', undefined, RATE)
    await clock.run(60_000)
    assert.deepEqual(
      begun.map(([name]) => name),
      ['x', 'own', 'a', 'own', 'b', 'own', 'c', 'd'],
    )
  })

  it('a challenge does not wait for a debt of others; more of them than half of the rate wait for each other', async () => {
    await take('repair', 'a', 100 * RATE)
    void take('repair', 'a', 1)
    void take('challenge', 'b', PROOF)
    await clock.run(0)
    assert.deepEqual(begun.at(-1), ['b', 0])
    void take('challenge', 'b', RATE / 2)
    void take('challenge', 'c', PROOF)
    await clock.run(0)
    assert.equal(begun.length, 3)
    await clock.run(10)
    assert.equal(begun.length, 4)
  })

  it('what is given back is for the next at once, and what was spent is paid first', async () => {
    await take('repair', undefined, CHUNK)
    void take('repair', 'a', 1)
    bandwidth.spend(RATE)
    await clock.run(500)
    assert.equal(begun.length, 1)
    bandwidth.spend(-RATE)
    await clock.run(500)
    assert.equal(begun.length, 2)
  })

  it('a peer with more waiting than its share of five seconds is behind, one with nothing waiting never', async () => {
    await take('repair', 'x', 2 * RATE)
    void take('repair', 'a', 5 * RATE)
    assert.deepEqual([bandwidth.isBehind('a'), bandwidth.isBehind('b')], [false, false])
    void take('repair', 'a', 1)
    assert.equal(bandwidth.isBehind('a'), true)
    void take('repair', 'b', 2.5 * RATE)
    assert.equal(bandwidth.isBehind('b'), false)
    void take('repair', 'b', 1)
    assert.equal(bandwidth.isBehind('b'), true)
    await clock.run(60_000)
    assert.deepEqual([bandwidth.isBehind('a'), bandwidth.isBehind('b')], [false, false])
  })

  it('a stop lets go all that waits, and what comes after it', async () => {
    await take('repair', 'a', 100 * RATE)
    const waiting = [take('repair', 'a', 1), take('challenge', 'b', RATE), take('challenge', 'b', RATE)]
    bandwidth.stop()
    await Promise.all([...waiting, take('read', 'c', 1)])
  })

  it('under load: the rate holds, challenges go at once, each asker of a kind gets the same, the rest what is left', async () => {
    const seconds = 120
    const endMs = seconds * 1_000
    const sent = new Map<string, number>()
    const ask = async (priority: Priority, peer: string, bytes: number, streams: number): Promise<void> => {
      const one = async (): Promise<void> => {
        while (clock.timeMs < endMs) {
          await take(priority, peer, bytes)
          sent.set(peer, (sent.get(peer) ?? 0) + bytes)
        }
      }
      await Promise.all(Array.from({ length: streams }, one))
    }
    void ask('repair', 'greedy', CHUNK, 32)
    for (let i = 0; i < 5; i++) void ask('repair', `modest ${i}`, CHUNK, 1)
    void ask('read', 'reader', CHUNK, 4)
    const waitsMs: number[] = []
    const challenge = async (): Promise<void> => {
      while (clock.timeMs < endMs) {
        const startedMs = clock.timeMs
        await take('challenge', 'challenger', PROOF)
        waitsMs.push(clock.timeMs - startedMs)
        await clock.sleep(50)
      }
    }
    void challenge()
    await clock.run(endMs)
    assert.ok(sentBytes <= RATE * (seconds + 1) + CHUNK + PROOF, `${sentBytes} bytes in ${seconds} s`)
    assert.ok(sentBytes >= RATE * seconds, `${sentBytes} bytes in ${seconds} s`)
    assert.deepEqual([Math.max(...waitsMs), waitsMs.length >= 20 * seconds], [0, true])
    const counts = ['greedy', ...[0, 1, 2, 3, 4].map((i) => `modest ${i}`)].map((peer) => (sent.get(peer) ?? 0) / CHUNK)
    assert.ok(Math.max(...counts) - Math.min(...counts) <= 2, `${counts}`)
    assert.equal(sent.get('reader'), undefined)
    bandwidth.stop()
  })
})
