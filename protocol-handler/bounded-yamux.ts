import type { ComponentLogger, MessageStream, StreamMessageEvent, StreamMuxerFactory } from '@libp2p/interface'
import { yamux } from '@libp2p/yamux'
import { ArchiveError, isArchiveError, type TokenBucket } from '../core/index.ts'
import {
  MAX_ALL_UNSENT_BYTES,
  MAX_FRAMES_WHILE_FULL,
  MAX_MUXED_STREAMS,
  MAX_STREAM_WINDOW_BYTES,
  MAX_UNSENT_BYTES,
} from './limits.ts'

const HEADER_BYTES = 12
const TYPE_AT = 1
const FLAGS_AT = 2
const LENGTH_AT = 8
const DATA = 0
const WINDOW_UPDATE = 1
/** In the lower byte of the flags: the frame opens a stream, unless it is a ping. */
const SYN = 1

/**
 * Yamux that bounds what a peer makes us hold: libp2p's takes in a frame of any length, up to 4 GiB, before it looks at
 * the window, and keeps any number of answers to pings and to refused streams for a peer that reads nothing.
 *
 * @param meterStreams - for each connection: how often its peer may open a stream
 */
export function boundedYamux(
  meterStreams: () => TokenBucket,
): (components: { logger: ComponentLogger }) => StreamMuxerFactory {
  const create = yamux({
    maxInboundStreams: MAX_MUXED_STREAMS,
    // Those that come while the connection is still being handed over: a peer may ask for much as soon as it is there.
    maxEarlyStreams: MAX_MUXED_STREAMS,
    streamOptions: { maxStreamWindowSize: MAX_STREAM_WINDOW_BYTES },
  })
  const unsent = new UnsentBytes()
  return () => {
    const factory = create()
    const createStreamMuxer = factory.createStreamMuxer.bind(factory)
    factory.createStreamMuxer = (connection) => {
      guard(connection, { unsent, opened: meterStreams() })
      return createStreamMuxer(connection)
    }
    return factory
  }
}

/**
 * What waits in connections for their peers to read. A peer decides how much is sent to it, by its windows, and may then say
 * nothing more: so it is counted where it is sent.
 */
export class UnsentBytes {
  private readonly connections = new Map<MessageStream, number>()
  private sumBytes = 0

  /** Ends a connection for which too much waits, and the one for which most does when it is too much for all. */
  watch(connection: MessageStream): void {
    const send = connection.send.bind(connection)
    connection.send = (data) => {
      const hasRoom = send(data)
      this.note(connection)
      if (connection.writeBufferLength > MAX_UNSENT_BYTES) end(connection)
      if (this.sumBytes > MAX_ALL_UNSENT_BYTES) this.endLargest()
      return hasRoom
    }
    connection.addEventListener('close', () => {
      this.sumBytes -= this.connections.get(connection) ?? 0
      this.connections.delete(connection)
    })
  }

  private note(connection: MessageStream): void {
    const bytes = connection.writeBufferLength
    this.sumBytes += bytes - (this.connections.get(connection) ?? 0)
    if (bytes > 0) this.connections.set(connection, bytes)
    else this.connections.delete(connection)
  }

  private endLargest(): void {
    // Who has read meanwhile did so unnoticed.
    for (const connection of [...this.connections.keys()]) this.note(connection)
    if (this.sumBytes <= MAX_ALL_UNSENT_BYTES) return
    const [largest] = [...this.connections].sort(([, a], [, b]) => b - a)
    if (!largest) return
    this.sumBytes -= largest[1]
    this.connections.delete(largest[0])
    end(largest[0])
  }
}

/** Not in the middle of what it is sent. */
function end(connection: MessageStream): void {
  queueMicrotask(() => connection.abort(new ArchiveError('PROTOCOL_PEER_LIMIT', 'a peer asks and does not read')))
}

/** Whether a connection was ended because its peer opened streams without end, which no honest one does. */
export function isStreamFlood(error: unknown): boolean {
  return isArchiveError(error, 'PROTOCOL_PEER_LIMIT') && error.context.isStreamFlood === true
}

/**
 * Ends the connection when a frame is longer than any window, the peer goes on asking for more than it takes, or it opens
 * streams one after the other.
 */
export function guard(
  connection: MessageStream,
  { unsent, opened }: { readonly unsent: UnsentBytes; readonly opened: TokenBucket },
): void {
  unsent.watch(connection)
  const frames = new FrameWalk()
  let framesWhileFull = 0
  const onDrain = (): void => {
    framesWhileFull = 0
  }
  connection.addEventListener('drain', onDrain)
  connection.addEventListener('message', (event) => {
    const { headers: headersBefore, streams: streamsBefore } = frames
    frames.walk(event.data)
    const headers = frames.headers - headersBefore
    const streams = frames.streams - streamsBefore
    framesWhileFull = connection.writableNeedsDrain ? framesWhileFull + headers : 0
    if (streams > 0 && !opened.take(streams)) {
      // The muxer does not see them: a thousand are in one read.
      event.stopImmediatePropagation()
      const context = { isStreamFlood: true }
      return connection.abort(new ArchiveError('PROTOCOL_PEER_LIMIT', 'a peer opens too many streams', context))
    }
    if (frames.longestBytes > MAX_STREAM_WINDOW_BYTES) {
      connection.abort(new ArchiveError('PROTOCOL_MESSAGE_INVALID', `a frame of ${frames.longestBytes} bytes`))
    } else if (framesWhileFull > MAX_FRAMES_WHILE_FULL) end(connection)
  })
}

/** Goes from header to header, whatever pieces they come in. */
class FrameWalk {
  longestBytes = 0
  /** Headers that have ended, and how many of them open a stream. */
  headers = 0
  streams = 0
  /** Of one that comes in pieces. */
  private readonly header = new Uint8Array(HEADER_BYTES)
  private headerBytes = 0
  private bodyBytes = 0

  walk(data: StreamMessageEvent['data']): void {
    if (data instanceof Uint8Array) this.walkPiece(data)
    else for (const piece of data) this.walkPiece(piece)
  }

  private walkPiece(data: Uint8Array): void {
    for (let at = 0; at < data.length; ) {
      if (this.bodyBytes > 0) {
        const skipped = Math.min(this.bodyBytes, data.length - at)
        this.bodyBytes -= skipped
        at += skipped
      } else if (this.headerBytes === 0 && at + HEADER_BYTES <= data.length) {
        // As a rule: whoever floods sends hundreds of thousands of them in a second.
        this.take(data, at)
        at += HEADER_BYTES
      } else {
        this.header[this.headerBytes++] = data[at++] ?? 0
        if (this.headerBytes < HEADER_BYTES) continue
        this.headerBytes = 0
        this.take(this.header, 0)
      }
    }
  }

  private take(bytes: Uint8Array, at: number): void {
    const type = bytes[at + TYPE_AT] ?? 0
    this.headers++
    if (type <= WINDOW_UPDATE && ((bytes[at + FLAGS_AT + 1] ?? 0) & SYN) !== 0) this.streams++
    if (type !== DATA) return
    let length = 0
    for (let i = at + LENGTH_AT; i < at + HEADER_BYTES; i++) length = length * 256 + (bytes[i] ?? 0)
    this.bodyBytes = length
    this.longestBytes = Math.max(this.longestBytes, this.bodyBytes)
  }
}
