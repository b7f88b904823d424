import type { Stream } from '@libp2p/interface'
import { type LengthPrefixedStream, lpStream } from '@libp2p/utils'
import { ArchiveError, ByteWriter } from '../core/index.ts'

/** A length of 28 bits in LEB128: more than any message has. */
const MAX_LENGTH_BYTES = 4

/** One message; in pieces it is those, one behind the other, so that a chunk need not be copied to be sent. */
export type Frame = Uint8Array | readonly Uint8Array[]

export function frameBytes(frame: Frame): number {
  return frame instanceof Uint8Array ? frame.length : frame.reduce((sum, { length }) => sum + length, 0)
}

/** Messages on one libp2p stream: each has its length before it, none is longer than the kind allows. */
export class FramedStream {
  /** Resolves when nothing is sent or received any more, in good order or not. */
  readonly closed: Promise<void>
  private readonly stream: Stream
  private readonly frames: LengthPrefixedStream<Stream>

  /** `maxFrameBytes` of a message that is read, `maxWaitingBytes` of all that wait to be: a peer that sends more is cut off. */
  constructor(stream: Stream, bounds: { readonly maxFrameBytes: number; readonly maxWaitingBytes: number }) {
    this.stream = stream
    this.frames = lpStream(stream, {
      maxDataLength: bounds.maxFrameBytes,
      maxBufferSize: bounds.maxWaitingBytes,
      lengthDecoder: decodeLength,
    })
    this.closed = new Promise((resolve) => {
      if (stream.status !== 'open' && stream.status !== 'closing') resolve()
      stream.addEventListener('close', () => resolve())
    })
  }

  /** Both sides may still send. */
  get isOpen(): boolean {
    return this.stream.status === 'open' && this.stream.remoteWriteStatus === 'writable'
  }

  /**
   * The next message, whole: a peer that drips is cut off at the deadline.
   *
   * @returns undefined when the peer has ended the stream
   * @throws ArchiveError PROTOCOL_MESSAGE_INVALID for a length past the bound, PROTOCOL_PEER_UNREACHABLE otherwise
   */
  async read(deadlineMs: number): Promise<Uint8Array | undefined> {
    try {
      const frame = await this.within(deadlineMs, () => this.frames.read())
      return frame.subarray()
    } catch (error) {
      if (error instanceof Error && error.name === 'UnexpectedEOFError') return undefined
      throw wrap(error, 'no whole message came')
    }
  }

  /**
   * Resolves when the connection has taken all bytes: who writes the next message then holds one at a time. At the deadline
   * the peer is cut off.
   *
   * @throws ArchiveError PROTOCOL_PEER_UNREACHABLE
   */
  async write(frame: Frame, deadlineMs: number): Promise<void> {
    try {
      await this.within(deadlineMs, async () => {
        if (frame instanceof Uint8Array) await this.frames.write(frame)
        else this.sendPieces(frame)
        // libp2p tells of room in the window as soon as there is any; it may be one byte, and then another.
        while (this.stream.writeBufferLength > 0 || this.stream.writableNeedsDrain) await this.nextRoom()
      })
    } catch (error) {
      throw wrap(error, 'the peer takes no message')
    }
  }

  /** Ends it in good order, or abruptly when the peer does not follow. */
  async close(deadlineMs: number): Promise<void> {
    try {
      await this.stream.close({ signal: AbortSignal.timeout(deadlineMs) })
    } catch (error) {
      this.abort(error)
    }
  }

  abort(reason: unknown): void {
    this.stream.abort(reason instanceof Error ? reason : new Error(String(reason)))
  }

  private sendPieces([first = new Uint8Array(), ...rest]: readonly Uint8Array[]): void {
    const length = frameBytes([first, ...rest])
    this.stream.send(new ByteWriter(first.length + MAX_LENGTH_BYTES).varint(length).raw(first).finish())
    for (const piece of rest) this.stream.send(piece)
  }

  /** A timer that ends the stream: a signal would be listened to anew for each packet of a message. */
  private async within<T>(deadlineMs: number, work: () => Promise<T>): Promise<T> {
    const timer = setTimeout(() => this.abort(new Error(`not within ${deadlineMs} ms`)), deadlineMs)
    try {
      return await work()
    } finally {
      clearTimeout(timer)
    }
  }

  /** Resolves when something was taken. */
  private nextRoom(): Promise<void> {
    const { stream } = this
    return new Promise((resolve, reject) => {
      const end = (error?: Error): void => {
        stream.removeEventListener('drain', onRoom)
        stream.removeEventListener('idle', onRoom)
        stream.removeEventListener('close', onClose)
        if (error) reject(error)
        else resolve()
      }
      const onRoom = (): void => end()
      const onClose = (): void => end(new Error('the stream was closed'))
      if (stream.status !== 'open') return onClose()
      stream.addEventListener('drain', onRoom)
      stream.addEventListener('idle', onRoom)
      stream.addEventListener('close', onClose)
    })
  }
}

class LengthError extends Error {
  override readonly name = 'LengthError'
}

/** A RangeError asks the reader for one byte more; anything else ends the stream: lengths do not go on for ever. */
function decodeLength(data: { readonly byteLength: number; get(index: number): number }): number {
  let length = 0
  for (let i = 0; i < data.byteLength; i++) {
    if (i >= MAX_LENGTH_BYTES) throw new LengthError(`a length of more than ${MAX_LENGTH_BYTES} bytes`)
    const byte = data.get(i)
    length += (byte & 0x7f) * 2 ** (7 * i)
    if (byte >= 0x80) continue
    if (byte === 0 && i > 0) throw new LengthError('a length that is not minimal')
    return length
  }
  throw new RangeError('more bytes are needed')
}

const INVALID_NAMES = new Set([
  'LengthError',
  'InvalidMessageLengthError',
  'InvalidDataLengthError',
  'InvalidDataLengthLengthError',
])

function wrap(error: unknown, what: string): ArchiveError {
  const { name, message } = error instanceof Error ? error : { name: '', message: String(error) }
  const code = INVALID_NAMES.has(name) ? 'PROTOCOL_MESSAGE_INVALID' : 'PROTOCOL_PEER_UNREACHABLE'
  return new ArchiveError(code, `${what}: ${message}`, {}, error)
}
