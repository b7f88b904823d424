import assert from 'node:assert/strict'
import { computeChunkId, concatBytes } from '../../core/index.ts'
import {
  auditRequestCodec,
  type ChunkRequest,
  CONNECTIONS_PER_FLOOD,
  chunkRequestCodec,
  chunkResponseCodec,
  MAX_CONNECTIONS_AT_ONCE_AND_HOST,
  MAX_MUXED_STREAMS,
  MAX_STREAM_WINDOW_BYTES,
  MAX_STREAMS_OPENED_AT_ONCE,
  MAX_STREAMS_PER_PEER,
  MAX_WAITING_ANSWER_BYTES,
  MAX_WAITING_REQUEST_BYTES,
  type StreamService,
} from '../../protocol-handler/index.ts'
import { formatProtocolId } from '../../protocol-handler/network-name.ts'
import { USUAL_PATIENCE } from '../../protocol-handler/serve-stream.ts'
import { PeerClient } from '../../storage-worker/peers/peer-client.ts'
import { SetClock } from '../devnet/set-clock.ts'
import {
  type Attacker,
  DATA,
  frame,
  PING,
  prefixed,
  RST,
  SYN,
  selectProtocol,
  WINDOW_UPDATE,
} from '../protocol-handler/attacker.ts'
import { assertServes, closeHostileStage, openHostileStage } from '../protocol-handler/hostile-stage.ts'
import {
  addressOf,
  CHUNK_ID,
  connect,
  IDENTITY,
  openPeer,
  type Peer,
  type PeerOptions,
  until,
} from '../protocol-handler/open-peer.ts'
import { settle } from '../turns.ts'

const AUDIT = formatProtocolId(IDENTITY, 'audit')
const CHUNK = formatProtocolId(IDENTITY, 'chunk')
const REQUEST = prefixed(auditRequestCodec.encode({ chunkId: CHUNK_ID, leafIndex: 7 }))
const CHUNK_REQUEST = prefixed(chunkRequestCodec.encode({ wanted: 'chunk', chunkId: CHUNK_ID }))

/** 1 MiB for every request; `asked` counts them. */
function countedChunks(): { service: StreamService<ChunkRequest>; asked: () => number } {
  let asked = 0
  const answer = chunkResponseCodec.encode({
    status: 'ok',
    position: { period: 1, index: 0, chunkCount: 1, path: [] },
    data: new Uint8Array(1_048_576),
  })
  return {
    asked: () => asked,
    service: {
      request: chunkRequestCodec,
      priorityOf: () => 'repair',
      answer: async () => {
        asked++
        return [answer]
      },
      refuse: (_, status) => [chunkResponseCodec.encode({ status })],
    },
  }
}

describe('hostile peers over real streams', () => {
  let victim: Peer
  let honest: Peer
  let attacker: Attacker

  const open = async (options?: PeerOptions): Promise<void> => {
    ;({ victim, honest, attacker } = await openHostileStage(options))
  }
  const serves = (): Promise<void> => assertServes(victim, honest)

  afterEach(closeHostileStage)

  describe('streams', () => {
    const lengths: [string, number[]][] = [
      ['that never ends', [0x80, 0x80, 0x80, 0x80, 0x80]],
      ['that is not minimal', [0xa3, 0x00]],
      ['one past the bound', [auditRequestCodec.maxBytes + 1]],
      ['of 256 MiB', [0xff, 0xff, 0xff, 0x7f]],
    ]
    for (const [name, bytes] of lengths) {
      it(`a length ${name}: the stream is reset and it costs the sender`, async () => {
        await open()
        const stream = await attacker.open(AUDIT)
        const seen = attacker.watch(stream)
        stream.send(REQUEST)
        await until(() => seen.bytes > 1_024, 'the answer')
        stream.send(Uint8Array.from(bytes))
        await until(() => seen.isOver, 'the reset')
        assert.deepEqual(victim.offences, [[attacker.peer, 'reject']])
        await serves()
      })
    }

    it('a request that drips is cut off, however steadily it drips', async () => {
      await open({ patience: { ...USUAL_PATIENCE, idleMs: 300 } })
      const stream = await attacker.open(AUDIT)
      const seen = attacker.watch(stream)
      for (const byte of REQUEST) {
        if (stream.status !== 'open') break
        stream.send(Uint8Array.of(byte))
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      await until(() => seen.isOver, 'the reset')
      assert.equal(seen.bytes, 0)
      await serves()
    })

    it('a reader that takes nothing is cut off, and no third answer is made for it', async () => {
      await open({ patience: { ...USUAL_PATIENCE, writeMs: 300 } })
      const { service, asked } = countedChunks()
      await victim.node.serve('chunk', service)
      const stream = await attacker.open(CHUNK)
      const seen = attacker.watch(stream)
      stream.pause()
      for (let i = 0; i < 100; i++) stream.send(CHUNK_REQUEST)
      await until(() => seen.isOver, 'the reset')
      assert.equal(asked(), 2)
      await serves()
    })

    it('a reader that gives room for a few bytes at a time has two answers at a time', async () => {
      await open()
      const { service, asked } = countedChunks()
      await victim.node.serve('chunk', service)
      const stream = await attacker.open(CHUNK)
      stream.pause()
      attacker.ignoreWindow(stream)
      for (let i = 0; i < 100; i++) stream.send(CHUNK_REQUEST)
      await until(() => asked() > 0)
      for (let i = 0; i < 100; i++) {
        attacker.bare.send(frame(WINDOW_UPDATE, 0, Number(stream.id), 64))
        await settle(3)
      }
      await serves()
      assert.equal(asked(), 2)
    })

    it('a reader that goes on asking while its connection is full is cut off', async () => {
      await open()
      const { service, asked } = countedChunks()
      await victim.node.serve('chunk', service)
      const stream = await attacker.open(CHUNK)
      attacker.bare.pause()
      attacker.bare.send(frame(WINDOW_UPDATE, 0, Number(stream.id), 1_000 * 1_048_576))
      for (let i = 0; i < 100; i++) stream.send(CHUNK_REQUEST)
      const pings = concatBytes(...Array.from({ length: 1_000 }, () => frame(PING, SYN, 0, 1)))
      const limit = Date.now() + 10_000
      while (victim.node.peers.includes(attacker.peer)) {
        assert.ok(Date.now() < limit, 'it is not cut off within 10 s')
        if (attacker.bare.status === 'open') attacker.bare.send(pings)
        await serves()
      }
      // As many as the kernel takes, and two more.
      assert.ok(asked() < 50, `${asked()} answers`)
      await serves()
    })

    it('10,000 streams: those past the share are refused, their owner is banned, and others are served', async () => {
      await open({ share: { openStreams: 4 } })
      const select = selectProtocol(AUDIT)
      let most = 0
      for (let i = 0; i < 10_000 && attacker.bare.status === 'open'; i++) {
        const id = 100_001 + 2 * i
        attacker.bare.send(concatBytes(frame(WINDOW_UPDATE, SYN, id, 0), frame(DATA, 0, id, select.length, select)))
        if (i % 500 !== 0) continue
        most = Math.max(most, victim.limits.streamsOf(attacker.peer))
        await serves()
      }
      await until(() => !victim.node.peers.includes(attacker.peer), 'the ban')
      assert.ok(most <= 4, `${most} streams`)
      assert.ok(victim.scores.isBanned(attacker.peer))
      await until(() => victim.limits.streamsOf(attacker.peer) === 0)
      await serves()
    })

    it('streams opened and reset in a loop: the connection ends, which costs the peer and its host, and others are served', async () => {
      await open({ clock: new SetClock() })
      const select = selectProtocol('/nobody/1')
      const openAndReset = (i: number): Uint8Array => {
        const id = 100_001 + 2 * i
        return concatBytes(
          frame(WINDOW_UPDATE, SYN, id, 0),
          frame(DATA, 0, id, select.length, select),
          frame(WINDOW_UPDATE, RST, id, 0),
        )
      }
      attacker.bare.send(
        concatBytes(...Array.from({ length: MAX_STREAMS_OPENED_AT_ONCE + 1 }, (_, i) => openAndReset(i))),
      )
      await until(() => attacker.bare.status !== 'open', 'the end of the connection')
      assert.deepEqual(victim.offences, [[attacker.peer, 'limit']])
      // Beside the honest one, the attacker and what that pays.
      const left = MAX_CONNECTIONS_AT_ONCE_AND_HOST - 2 - CONNECTIONS_PER_FLOOD
      assert.equal(Array.from({ length: left }, () => victim.connections.admit('127.0.0.1')).every(Boolean), true)
      assert.equal(victim.connections.admit('127.0.0.1'), false)
      await serves()
    })

    it('limit: 16 streams of a kind are served, the next is refused', async () => {
      await open()
      const streams = await Promise.all(Array.from({ length: MAX_STREAMS_PER_PEER }, () => attacker.open(AUDIT)))
      const seen = streams.map((stream) => attacker.watch(stream))
      for (const stream of streams) stream.send(REQUEST)
      await until(() => seen.every(({ bytes }) => bytes > 1_024), 'the answers')
      const refused = { isOver: true }
      const seenPast = await attacker.open(AUDIT).then(
        (past) => attacker.watch(past),
        () => refused,
      )
      await until(() => seenPast.isOver, 'the reset')
      assert.ok(seen.every(({ isOver }) => !isOver))
      await serves()
    })

    it('limit: 160 streams on which no protocol is named are held, the next is refused', async () => {
      await open()
      const silent = (count: number, from: number): Uint8Array =>
        concatBytes(...Array.from({ length: count }, (_, i) => frame(WINDOW_UPDATE, SYN, 100_001 + 2 * (from + i), 0)))
      attacker.bare.send(silent(MAX_MUXED_STREAMS - 1, 0))
      const last = await attacker.open(AUDIT)
      const seen = attacker.watch(last)
      last.send(REQUEST)
      await until(() => seen.bytes > 1_024, 'the answer')
      await assert.rejects(attacker.open(AUDIT))
      await serves()
    })

    it('limit: 64 KiB of requests may wait for their turn, a byte more ends the stream', async () => {
      await open()
      let asked = 0
      await victim.node.serve('chunk', {
        ...countedChunks().service,
        answer: () => {
          asked++
          return new Promise(() => {})
        },
      })
      const stream = await attacker.open(CHUNK)
      const seen = attacker.watch(stream)
      stream.send(CHUNK_REQUEST)
      await until(() => asked === 1)
      stream.send(new Uint8Array(MAX_WAITING_REQUEST_BYTES))
      const other = attacker.watch(await attacker.open(AUDIT))
      await serves()
      assert.deepEqual([seen.isOver, other.isOver], [false, false])
      stream.send(new Uint8Array(1))
      await until(() => seen.isOver, 'the reset')
      await serves()
    })

    it('limit: 4 MiB of answers that nobody asked for may wait, a byte more ends the stream', async () => {
      await open()
      const inbound = await attacker.listenTo(AUDIT)
      await until(() => victim.node.peers.includes(attacker.peer), 'the connection')
      const answer = victim.node.request(attacker.peer, 'audit', {
        bytes: REQUEST.subarray(1),
        maxAnswerBytes: 1_024,
        frames: 1,
        deadlineMs: 10_000,
      })
      const stream = await inbound.stream
      const seen = attacker.watch(stream)
      stream.send(prefixed(new Uint8Array(10)))
      assert.equal((await answer)[0]?.length, 10)
      stream.send(new Uint8Array(MAX_WAITING_ANSWER_BYTES))
      await until(() => stream.writeBufferLength === 0, 'all to be taken')
      await serves()
      assert.equal(seen.isOver, false)
      stream.send(new Uint8Array(1))
      await until(() => seen.isOver, 'the reset')
      await serves()
    })

    it('too many requests a second: busy, then no answer, then the stream is reset', async () => {
      await open({ share: { requestsPerSecond: 10 }, clock: new SetClock() })
      const stream = await attacker.open(AUDIT)
      const seen = attacker.watch(stream)
      stream.send(REQUEST)
      await until(() => seen.bytes > 1_024, 'the answer')
      const okBytes = seen.bytes
      const busyBytes = prefixed(Uint8Array.of(1, 2)).length
      for (let i = 1; i < 50 + 20 + 80; i++) stream.send(REQUEST)
      // The ignored ones have been read when another stream is answered, since that comes after them.
      await until(() => seen.bytes === 50 * okBytes + 20 * busyBytes, 'busy')
      assert.equal(seen.isOver, false)
      assert.deepEqual(victim.offences, [])
      stream.send(REQUEST)
      await until(() => seen.isOver, 'the reset')
      assert.equal(seen.bytes, 50 * okBytes + 20 * busyBytes)
      assert.deepEqual(victim.offences, [[attacker.peer, 'limit']])
      await serves()
    })

    it('an allocation bomb in the length of a frame ends the connection before its bytes come', async () => {
      await open()
      const stream = await attacker.open(AUDIT)
      attacker.bare.send(frame(DATA, 0, Number(stream.id), MAX_STREAM_WINDOW_BYTES + 1))
      await until(() => attacker.bare.status !== 'open', 'the end of the connection')
      await serves()
    })

    it("another network's protocol is not spoken", async () => {
      await open()
      const network = { ...IDENTITY.network, chainId: 78n }
      await assert.rejects(attacker.open(formatProtocolId({ ...IDENTITY, network }, 'audit')))
      await assert.rejects(attacker.open(formatProtocolId({ ...IDENTITY, chunkSizeBytes: 4_096 }, 'audit')))
      await serves()
    })

    it('wrong chunk: the asker bans whoever sent it, cuts it off and does not let it in again', async () => {
      await open()
      const liar = await openPeer('liar')
      await liar.node.serve('chunk', countedChunks().service)
      const client = new PeerClient(victim.node, (peer, offence) => victim.node.penalise(peer, offence), {
        clock: new SetClock(),
      })
      const chunkId = computeChunkId(Uint8Array.of(1))
      await connect(victim, liar)
      await assert.rejects(client.fetchChunk(liar.node.peer, chunkId), { code: 'PROTOCOL_ANSWER_WRONG' })
      assert.deepEqual(victim.offences, [[liar.node.peer, 'wrongChunk']])
      assert.equal(victim.node.peers.includes(liar.node.peer), false)
      await liar.node.dial(addressOf(victim)).catch(() => undefined)
      await assert.rejects(client.fetchChunk(liar.node.peer, chunkId), { code: 'PROTOCOL_PEER_UNREACHABLE' })
      await serves()
    })
  })
})
