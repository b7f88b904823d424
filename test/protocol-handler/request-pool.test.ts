import assert from 'node:assert/strict'
import { ArchiveError } from '../../core/index.ts'
import { type PooledStream, RequestPool } from '../../protocol-handler/request-pool.ts'
import { settle } from '../turns.ts'

const OPTIONS = { frames: 1, deadlineMs: 1_000 }

interface Asked {
  readonly byte: number
  readonly answer: () => void
}

/** A stream whose answers come when a test says so. */
class FakeStream implements PooledStream {
  readonly asked: Asked[] = []
  readonly closed: Promise<void>
  isOpen = true
  closes = 0
  private readonly fails = new Set<(error: unknown) => void>()
  private onClosed: () => void = () => {}

  constructor() {
    this.closed = new Promise((resolve) => {
      this.onClosed = resolve
    })
  }

  get inFlight(): number {
    return this.fails.size
  }

  request([byte = 0]: Uint8Array): Promise<Uint8Array[]> {
    return new Promise((resolve, reject) => {
      this.fails.add(reject)
      const answer = (): void => {
        this.fails.delete(reject)
        resolve([Uint8Array.of(byte)])
      }
      this.asked.push({ byte, answer })
    })
  }

  async close(): Promise<void> {
    this.closes++
    this.die()
  }

  /** As a reset does: what is in flight fails. */
  die(): void {
    this.isOpen = false
    for (const fail of this.fails) fail(new ArchiveError('PROTOCOL_PEER_UNREACHABLE', 'reset'))
    this.fails.clear()
    this.onClosed()
  }
}

/** A pool whose streams are opened when a test says so. */
function makePool() {
  const streams: FakeStream[] = []
  const openings: { open: () => void; fail: () => void }[] = []
  let empties = 0
  const pool = new RequestPool(
    () =>
      new Promise<PooledStream>((resolve, reject) => {
        openings.push({
          open: () => {
            const stream = new FakeStream()
            streams.push(stream)
            resolve(stream)
          },
          fail: () => reject(new ArchiveError('PROTOCOL_PEER_UNREACHABLE', 'refused')),
        })
      }),
    () => empties++,
  )
  /** Of `count` requests: the byte that was answered, or a code. */
  const ask = (count: number): Promise<(number | string | undefined)[]> =>
    Promise.all(
      Array.from({ length: count }, (_, i) =>
        pool.request(Uint8Array.of(i), OPTIONS).then(
          ([answer]) => answer?.[0],
          (error: ArchiveError) => error.code,
        ),
      ),
    )
  /** Opens what is being opened; `opens` from the first on. */
  const openNext = async (count: number): Promise<void> => {
    for (const { open } of openings.splice(0, count)) open()
    await settle()
  }
  return { pool, streams, openings, ask, openNext, empties: () => empties }
}

function bytesOf(streams: readonly FakeStream[]): number[][] {
  return streams.map(({ asked }) => asked.map(({ byte }) => byte))
}

const GONE = 'PROTOCOL_PEER_UNREACHABLE'

describe('protocol-handler/request-pool', () => {
  it('one after the other goes over one stream', async () => {
    const { ask, streams, openNext } = makePool()
    for (let i = 0; i < 3; i++) {
      const answers = ask(1)
      await openNext(1)
      streams[0]?.asked.at(-1)?.answer()
      assert.deepEqual(await answers, [0])
    }
    assert.equal(streams.length, 1)
  })

  it('limit: four streams, three requests on each; the thirteenth waits for an answer', async () => {
    const { ask, streams, openings, openNext } = makePool()
    const answers = ask(13)
    assert.equal(openings.length, 4)
    await openNext(4)
    assert.equal(openings.length, 0)
    assert.deepEqual(
      streams.map(({ inFlight }) => inFlight),
      [3, 3, 3, 3],
    )
    streams[2]?.asked[0]?.answer()
    await settle()
    assert.equal(streams[2]?.asked.at(-1)?.byte, 12)
    for (const { asked } of streams) for (const { answer } of asked) answer()
    assert.deepEqual(
      await answers,
      Array.from({ length: 13 }, (_, i) => i),
    )
  })

  it('opening fails and there is no stream: all who wait are told, and the next request begins anew', async () => {
    const { ask, openings, openNext, streams, empties } = makePool()
    const answers = ask(6)
    for (const { fail } of openings.splice(0)) fail()
    assert.deepEqual(await answers, [GONE, GONE, GONE, GONE, GONE, GONE])
    assert.equal(empties(), 1)
    const again = ask(1)
    await openNext(1)
    streams[0]?.asked[0]?.answer()
    assert.deepEqual(await again, [0])
  })

  it('opening fails while another stream serves: who waits goes over that one, and no further is tried', async () => {
    const { ask, openings, openNext, streams } = makePool()
    const answers = ask(5)
    await openNext(1)
    for (const { fail } of openings.splice(0)) fail()
    await settle()
    assert.deepEqual(bytesOf(streams), [[0, 1, 2]])
    for (let i = 0; i < 5; i++) {
      streams[0]?.asked[i]?.answer()
      await settle()
    }
    assert.deepEqual(await answers, [0, 1, 2, 3, 4])
    assert.equal(openings.length, 0)
  })

  it('a stream that dies with three in flight: these three fail, who waits goes over a new one', async () => {
    const { ask, openings, openNext, streams } = makePool()
    const answers = ask(13)
    await openNext(4)
    const lost = bytesOf(streams)[1] ?? []
    assert.equal(lost.length, 3)
    streams[1]?.die()
    await settle()
    assert.equal(openings.length, 1)
    await openNext(1)
    assert.deepEqual(bytesOf(streams)[4], [12])
    for (const { asked } of streams) for (const { answer } of asked) answer()
    const expected = Array.from({ length: 13 }, (_, i) => (lost.includes(i) ? GONE : i))
    assert.deepEqual(await answers, expected)
  })

  it('close: who is in flight, waits, or asks later is refused; a stream that opens too late is ended', async () => {
    const { pool, ask, openNext, streams } = makePool()
    const answers = ask(5)
    await openNext(1)
    await pool.close(100)
    assert.deepEqual(await answers, [GONE, GONE, GONE, GONE, GONE])
    assert.deepEqual(await ask(1), [GONE])
    await openNext(3)
    assert.ok(streams.length === 4 && streams.every(({ closes }) => closes > 0))
  })

  it('it is empty, and may be forgotten, when the last stream of a peer that went is closed', async () => {
    const { ask, openNext, streams, empties } = makePool()
    const answers = ask(2)
    await openNext(2)
    for (const { asked } of streams) asked[0]?.answer()
    await answers
    assert.equal(empties(), 0)
    streams[0]?.die()
    await settle()
    assert.equal(empties(), 0)
    streams[1]?.die()
    await settle()
    assert.ok(empties() > 0)
  })

  it('a stream whose half the peer has ended is left for a new one', async () => {
    const { ask, openNext, streams } = makePool()
    const first = ask(1)
    await openNext(1)
    streams[0]?.asked[0]?.answer()
    await first
    if (streams[0]) streams[0].isOpen = false
    const second = ask(1)
    await openNext(1)
    streams[1]?.asked[0]?.answer()
    assert.deepEqual(await second, [0])
    assert.equal(streams[0]?.closes, 1)
  })
})
