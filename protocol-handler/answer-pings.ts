import type { Stream } from '@libp2p/interface'
import { ArchiveError, isArchiveError } from '../core/index.ts'
import { MAX_PING_STREAM_MS } from './limits.ts'

export const PING_PROTOCOL = '/ipfs/ping/1.0.0'
/** Of libp2p's specification: more of a peer are refused, and it opens one. */
export const PING_STREAMS = { maxInboundStreams: 2, maxOutboundStreams: 1 }

/**
 * Sends pings back until the peer ends the stream or its time is over. libp2p's own responder sends back whatever comes, as
 * fast as it comes.
 *
 * @param admits - whether so many bytes more may be sent back
 * @throws ArchiveError PROTOCOL_PEER_LIMIT, with the stream reset
 */
export async function answerPings(stream: Stream, admits: (bytes: number) => boolean): Promise<void> {
  const timer = setTimeout(() => stream.abort(new Error('pings go on and on')), MAX_PING_STREAM_MS)
  try {
    for await (const data of stream) {
      if (!admits(data.byteLength)) throw new ArchiveError('PROTOCOL_PEER_LIMIT', 'too many pings')
      stream.send(data)
    }
    await stream.close({ signal: AbortSignal.timeout(MAX_PING_STREAM_MS) })
  } catch (error) {
    stream.abort(error instanceof Error ? error : new Error(String(error)))
    if (isArchiveError(error)) throw error
  } finally {
    clearTimeout(timer)
  }
}
