import { AnswerRoom } from '../../../protocol-handler/answer-room.ts'
import { MAX_ALL_UNTAKEN_ANSWER_BYTES, MAX_UNTAKEN_ANSWER_BYTES } from '../../../protocol-handler/limits.ts'
import { type BoundName, tested, tried } from './bound.ts'

/* Of streams and connections: tried over real ones. */

const STREAMS_FILE = 'test/integration/hostile-peers.test.ts'
const HALF_OPEN_FILE = 'test/integration/half-open.test.ts'
const HELD = 'limit: 500 of all hosts are held for 5 s and the next is closed at once; then others have their places'

export const STREAMS = {
  MAX_PING_STREAM_MS: tested(
    'test/integration/pings.test.ts',
    'limit: a stream of pings is ended after 30 s, which costs nothing',
  ),
  MAX_REQUEST_MS: tested(
    'test/integration/patience.test.ts',
    'limit: a stream on which no whole request comes for 120 s is ended',
  ),
  MAX_TAKING_MS: tested(
    'test/integration/patience.test.ts',
    'limit: a reader that has not taken an answer after 30 s is cut off',
  ),
  MAX_WAITING_REQUEST_BYTES: tested(
    STREAMS_FILE,
    'limit: 64 KiB of requests may wait for their turn, a byte more ends the stream',
  ),
  MAX_WAITING_ANSWER_BYTES: tested(
    STREAMS_FILE,
    'limit: 4 MiB of answers that nobody asked for may wait, a byte more ends the stream',
  ),
  MAX_STREAMS_PER_PEER: tested(STREAMS_FILE, 'limit: 16 streams of a kind are served, the next is refused'),
  MAX_MUXED_STREAMS: tested(
    STREAMS_FILE,
    'limit: 160 streams on which no protocol is named are held, the next is refused',
  ),
  MAX_STREAM_WINDOW_BYTES: tested(
    'test/protocol-handler/bounded-yamux.test.ts',
    'limit: a frame as long as a window is taken, one byte more ends the connection, in whatever pieces it comes',
  ),
  MAX_UNSENT_BYTES: tested(
    'test/protocol-handler/bounded-yamux.test.ts',
    'limit: what waits to be read may be 24 MiB, not a byte more, though the peer says nothing any more',
  ),
  MAX_ALL_UNSENT_BYTES: tested(
    'test/protocol-handler/bounded-yamux.test.ts',
    'limit: 96 MiB may wait for all peers together; past it the one for which most waits is ended, whoever sends',
  ),
  MAX_UNTAKEN_ANSWER_BYTES: tried((bytes) => {
    const room = new AnswerRoom({ totalBytes: MAX_ALL_UNTAKEN_ANSWER_BYTES, peerBytes: MAX_UNTAKEN_ANSWER_BYTES })
    // What is asked for when all of it but the last byte waits is still made.
    room.hold('peer', bytes - 1)
    return !room.isFull('peer')
  }),
  MAX_ALL_UNTAKEN_ANSWER_BYTES: tried((bytes) => {
    const room = new AnswerRoom({ totalBytes: MAX_ALL_UNTAKEN_ANSWER_BYTES, peerBytes: MAX_UNTAKEN_ANSWER_BYTES })
    for (let peer = 0; peer < 8; peer++) room.hold(`${peer}`, Math.ceil((bytes - 8) / 8))
    return !room.isFull('0')
  }),
  MAX_FRAMES_WHILE_FULL: tested(
    'test/protocol-handler/bounded-yamux.test.ts',
    'limit: 10,000 frames while nothing goes out, one more ends the connection',
  ),
  MAX_HALF_OPEN_CONNECTIONS: tested(HALF_OPEN_FILE, HELD),
  MAX_UPGRADE_MS: tested(HALF_OPEN_FILE, HELD),
  MAX_CONNECTIONS_PER_SECOND_AND_HOST: tested(
    HALF_OPEN_FILE,
    'limit: 50 a second of one host are let in, the next is closed at once, and no other host is kept out',
  ),
  STRANGERS_SHARE: tested(
    'test/integration/peer-node.test.ts',
    'limit: strangers take half of the connections, and nodes of the registry come in all the same',
  ),
  MAX_GOSSIP_BYTES: tested(
    'test/integration/hostile-gossip.test.ts',
    'limit: a message at the bound is heard, one past it and what follows is not',
  ),
  MAX_UNSENT_GOSSIP_BYTES: tested(
    'test/integration/hostile-gossip.test.ts',
    'limit: who reads no gossip is dropped when 1 MiB waits for it, and others hear on',
  ),
  MAX_CHUNK_ANSWER_BYTES: tested(
    'test/integration/peer-node.test.ts',
    'limit: an answer as long as its kind allows is read, of one byte more no byte is kept',
  ),
} satisfies Partial<Record<BoundName, unknown>>
