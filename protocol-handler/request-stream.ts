import { ArchiveError } from '../core/index.ts'
import type { FramedStream } from './framed-stream.ts'

/** A reader that buffers 4 MiB bears three answers of 1 MiB (facts: stack 2.3). */
export const MAX_IN_FLIGHT = 3

/** Requests on one stream that is kept: up to three at a time, answered in their order. */
export class RequestStream {
  private readonly frames: FramedStream
  private open = true
  private count = 0
  private turn: Promise<unknown> = Promise.resolve()

  constructor(frames: FramedStream) {
    this.frames = frames
  }

  /** Requests that wait for their answers. */
  get inFlight(): number {
    return this.count
  }

  get closed(): Promise<void> {
    return this.frames.closed
  }

  get isOpen(): boolean {
    return this.open && this.frames.isOpen
  }

  /**
   * Sends a request and reads the frames of its answer.
   *
   * After any failure the stream is at an end: nobody knows whose answer comes next.
   *
   * @param frameCount frames that the answer has: one, or one for each id that was asked for
   * @throws ArchiveError PROTOCOL_PEER_UNREACHABLE, PROTOCOL_MESSAGE_INVALID
   */
  async request(bytes: Uint8Array, frameCount: number, deadlineMs: number): Promise<Uint8Array[]> {
    this.count++
    try {
      const sent = this.frames.write(bytes, deadlineMs)
      const before = this.turn
      const answered = before.then(async () => {
        await sent
        return await this.readFrames(frameCount, deadlineMs)
      })
      this.turn = answered
      const [, answer] = await Promise.all([sent, answered])
      return answer
    } catch (error) {
      this.open = false
      this.frames.abort(error)
      throw error
    } finally {
      this.count--
    }
  }

  /** Requests that wait for their answers fail. */
  async close(deadlineMs: number): Promise<void> {
    this.open = false
    if (this.count > 0) this.frames.abort(new ArchiveError('PROTOCOL_PEER_UNREACHABLE', 'this node ends the stream'))
    else await this.frames.close(deadlineMs)
  }

  private async readFrames(count: number, deadlineMs: number): Promise<Uint8Array[]> {
    const answer: Uint8Array[] = []
    for (let i = 0; i < count; i++) {
      const frame = await this.frames.read(deadlineMs)
      if (!frame) throw new ArchiveError('PROTOCOL_PEER_UNREACHABLE', 'the peer ended the stream before it answered')
      answer.push(frame)
    }
    return answer
  }
}
