import type { RequestStream } from './request-stream.ts'
import { MAX_IN_FLIGHT } from './request-stream.ts'

/** Streams of one kind to one peer: opened once and kept, since a new one for each chunk takes 18 times as long at 50 ms. */
const MAX_STREAMS = 4

/**
 * Long-lived streams to peers (facts: stack 2.2). A request takes the least busy one; when all are busy it waits.
 *
 * `key` is a peer and a kind of stream.
 */
export class RequestPool {
  private readonly open: (key: string) => Promise<RequestStream>
  private readonly streams = new Map<string, Set<RequestStream>>()
  private readonly opening = new Map<string, number>()
  private readonly waiting = new Map<string, (() => void)[]>()

  constructor(open: (key: string) => Promise<RequestStream>) {
    this.open = open
  }

  /** @throws ArchiveError as `RequestStream.request` and `open` */
  async request(
    key: string,
    bytes: Uint8Array,
    options: { frames: number; deadlineMs: number },
  ): Promise<Uint8Array[]> {
    for (;;) {
      const stream = await this.pick(key)
      // Another may have taken the last place while this one waited for it.
      if (stream.inFlight >= MAX_IN_FLIGHT || !stream.isOpen) continue
      try {
        return await stream.request(bytes, options.frames, options.deadlineMs)
      } finally {
        if (!stream.isOpen) this.streams.get(key)?.delete(stream)
        this.waiting.get(key)?.shift()?.()
      }
    }
  }

  async close(deadlineMs: number): Promise<void> {
    const all = [...this.streams.values()].flatMap((streams) => [...streams])
    this.streams.clear()
    await Promise.all(all.map((stream) => stream.close(deadlineMs)))
  }

  private async pick(key: string): Promise<RequestStream> {
    const streams = this.streams.get(key) ?? new Set<RequestStream>()
    this.streams.set(key, streams)
    for (const stream of streams) if (!stream.isOpen) streams.delete(stream)
    const least = [...streams].sort((a, b) => a.inFlight - b.inFlight)[0]
    const opening = this.opening.get(key) ?? 0
    if (least && (least.inFlight === 0 || streams.size + opening >= MAX_STREAMS) && least.inFlight < MAX_IN_FLIGHT) {
      return least
    }
    if (streams.size + opening < MAX_STREAMS) return await this.add(key, streams)
    await new Promise<void>((resolve) => {
      const waiters = this.waiting.get(key) ?? []
      waiters.push(resolve)
      this.waiting.set(key, waiters)
    })
    return await this.pick(key)
  }

  private async add(key: string, streams: Set<RequestStream>): Promise<RequestStream> {
    this.opening.set(key, (this.opening.get(key) ?? 0) + 1)
    try {
      const stream = await this.open(key)
      streams.add(stream)
      return stream
    } finally {
      this.opening.set(key, (this.opening.get(key) ?? 1) - 1)
      this.waiting.get(key)?.shift()?.()
    }
  }
}
