import { ArchiveError } from '../core/index.ts'
import type { RequestStream } from './request-stream.ts'
import { MAX_IN_FLIGHT } from './request-stream.ts'

/** Streams of one kind to one peer: opened once and kept, since a new one for each chunk takes 18 times as long at 50 ms. */
const MAX_STREAMS = 4

export type PooledStream = Pick<RequestStream, 'inFlight' | 'isOpen' | 'closed' | 'request' | 'close'>

interface Waiting {
  readonly run: (stream: PooledStream) => void
  readonly fail: (error: unknown) => void
}

/**
 * Long-lived streams of one kind to one peer (facts: stack 2.2).
 *
 * A request takes a stream that is idle, else one that is opened for it; when there are as many as may be it shares the
 * least busy one; when all are full it waits.
 */
export class RequestPool {
  private readonly open: () => Promise<PooledStream>
  private readonly onEmpty: () => void
  private readonly streams = new Set<PooledStream>()
  private readonly waiting: Waiting[] = []
  private opening = 0
  private maxStreams = MAX_STREAMS
  private isClosed = false

  /** @param onEmpty there is no stream any more and nobody waits: the pool may be forgotten */
  constructor(open: () => Promise<PooledStream>, onEmpty: () => void) {
    this.open = open
    this.onEmpty = onEmpty
  }

  /**
   * @param options `deadlineMs` counts from the time when the answer is this request's turn
   * @throws ArchiveError as `RequestStream.request` and `open`; PROTOCOL_PEER_UNREACHABLE after `close`
   */
  request(bytes: Uint8Array, options: { readonly frames: number; readonly deadlineMs: number }): Promise<Uint8Array[]> {
    if (this.isClosed) return Promise.reject(closedError())
    return new Promise((resolve, reject) => {
      const run = (stream: PooledStream): void => {
        const answer = stream.request(bytes, options.frames, options.deadlineMs)
        void answer.then(resolve, reject).finally(() => this.next())
      }
      this.waiting.push({ run, fail: reject })
      this.next()
    })
  }

  /** Ends the streams; who waits or asks from now on is refused. */
  async close(deadlineMs: number): Promise<void> {
    this.isClosed = true
    this.failAll(closedError())
    await Promise.all(Array.from(this.streams, (stream) => stream.close(deadlineMs)))
  }

  private next(): void {
    for (const stream of this.streams) if (!stream.isOpen) this.drop(stream)
    while (this.waiting.length > 0) {
      const stream = this.pick()
      if (!stream) break
      this.waiting.shift()?.run(stream)
    }
    while (this.opening < this.waiting.length && this.mayOpen()) void this.openOne()
    if (this.streams.size === 0 && this.opening === 0 && this.waiting.length === 0) this.onEmpty()
  }

  /** The least busy stream, unless it is better to open one more. */
  private pick(): PooledStream | undefined {
    const [least] = [...this.streams].sort((a, b) => a.inFlight - b.inFlight)
    if (!least || least.inFlight >= MAX_IN_FLIGHT) return undefined
    return least.inFlight === 0 || !this.mayOpen() ? least : undefined
  }

  private mayOpen(): boolean {
    return !this.isClosed && this.streams.size + this.opening < this.maxStreams
  }

  private async openOne(): Promise<void> {
    this.opening++
    try {
      this.add(await this.open())
    } catch (error) {
      // A peer that takes no further stream is not asked for one again; without any it is not there.
      this.maxStreams = Math.max(1, this.streams.size)
      if (this.streams.size === 0 && this.opening === 1) this.failAll(error)
    } finally {
      this.opening--
      this.next()
    }
  }

  private add(stream: PooledStream): void {
    if (this.isClosed) return void stream.close(0)
    this.streams.add(stream)
    void stream.closed.then(() => this.next())
  }

  /** One that the peer has ended its half of is not of use any more. */
  private drop(stream: PooledStream): void {
    this.streams.delete(stream)
    void stream.close(0)
  }

  private failAll(error: unknown): void {
    for (const { fail } of this.waiting.splice(0)) fail(error)
  }
}

function closedError(): ArchiveError {
  return new ArchiveError('PROTOCOL_PEER_UNREACHABLE', 'this node is ending')
}
