import assert from 'node:assert/strict'
import type { MessageStream } from '@libp2p/interface'
import { concatBytes } from '../../core/index.ts'
import { guard, UnsentBytes } from '../../protocol-handler/bounded-yamux.ts'
import { ConnectionRates } from '../../protocol-handler/connection-rates.ts'
import {
  MAX_ALL_UNSENT_BYTES,
  MAX_FRAMES_WHILE_FULL,
  MAX_STREAM_WINDOW_BYTES,
  MAX_STREAMS_OPENED_AT_ONCE,
  MAX_UNSENT_BYTES,
} from '../../protocol-handler/limits.ts'
import { SetClock } from '../devnet/set-clock.ts'
import { DATA, frame, PING, SYN, WINDOW_UPDATE } from './attacker.ts'

/** A connection that a test fills and drains. */
class FakeConnection extends EventTarget {
  writeBufferLength = 0
  writableNeedsDrain = false
  abortedWith: string | undefined

  abort(error: Error & { code?: string }): void {
    this.abortedWith ??= error.code
  }

  bring(data: Uint8Array): void {
    this.dispatchEvent(Object.assign(new Event('message'), { data }))
  }

  /** What waits already, and this. */
  send(data: Uint8Array): boolean {
    this.writeBufferLength += data.length
    return false
  }

  drain(): void {
    this.writableNeedsDrain = false
    this.dispatchEvent(new Event('drain'))
  }
}

function guarded(unsent = new UnsentBytes()): FakeConnection {
  const connection = new FakeConnection()
  const opened = new ConnectionRates(new SetClock()).meterStreams()
  guard(connection as unknown as MessageStream, { unsent, opened })
  return connection
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

const pingFrame = frame(PING, SYN, 0, 0xffff_ffff)

describe('protocol-handler/bounded-yamux', () => {
  it('limit: a frame as long as a window is taken, one byte more ends the connection, in whatever pieces it comes', () => {
    for (const pieceBytes of [1, 5, 12, 1_000]) {
      for (const [tooMany, code] of [
        [0, undefined],
        [1, 'PROTOCOL_MESSAGE_INVALID'],
      ] as const) {
        const connection = guarded()
        const bytes = concatBytes(
          pingFrame,
          frame(DATA, 0, 1, 30, new Uint8Array(30).fill(0xff)),
          frame(WINDOW_UPDATE, 0, 1, 0xffff_ffff),
          frame(DATA, 0, 1, MAX_STREAM_WINDOW_BYTES + tooMany),
        )
        for (let at = 0; at < bytes.length; at += pieceBytes) connection.bring(bytes.subarray(at, at + pieceBytes))
        assert.equal(connection.abortedWith, code, `pieces of ${pieceBytes} bytes`)
      }
    }
  })

  it('limit: 10,000 frames while nothing goes out, one more ends the connection', async () => {
    const connection = guarded()
    const pings = concatBytes(...Array.from({ length: MAX_FRAMES_WHILE_FULL }, () => pingFrame))
    connection.bring(pings)
    connection.writableNeedsDrain = true
    connection.bring(pings)
    connection.drain()
    connection.writableNeedsDrain = true
    connection.bring(pings)
    assert.equal(connection.abortedWith, undefined)
    connection.bring(pingFrame)
    await nextTurn()
    assert.equal(connection.abortedWith, 'PROTOCOL_PEER_LIMIT')
  })

  it('limit: 200 streams are opened, by frames of either type; the muxer never sees the one more, nor what comes with it', () => {
    const connection = guarded()
    let seen = 0
    connection.addEventListener('message', () => seen++)
    for (let i = 0; i < MAX_STREAMS_OPENED_AT_ONCE; i++) {
      connection.bring(
        concatBytes(frame(i % 2 ? DATA : WINDOW_UPDATE, SYN, 2 * i + 1, 0), frame(WINDOW_UPDATE, 8, 1, 0)),
      )
    }
    // No stream is opened by a ping.
    connection.bring(pingFrame)
    assert.deepEqual([connection.abortedWith, seen], [undefined, MAX_STREAMS_OPENED_AT_ONCE + 1])
    connection.bring(frame(WINDOW_UPDATE, SYN, 1_001, 0))
    assert.deepEqual([connection.abortedWith, seen], ['PROTOCOL_PEER_LIMIT', MAX_STREAMS_OPENED_AT_ONCE + 1])
  })

  it('limit: what waits to be read may be 24 MiB, not a byte more, though the peer says nothing any more', async () => {
    const connection = guarded()
    connection.send(new Uint8Array(MAX_UNSENT_BYTES))
    await nextTurn()
    assert.equal(connection.abortedWith, undefined)
    connection.send(Uint8Array.of(1))
    await nextTurn()
    assert.equal(connection.abortedWith, 'PROTOCOL_PEER_LIMIT')
  })

  it('limit: 96 MiB may wait for all peers together; past it the one for which most waits is ended, whoever sends', async () => {
    const unsent = new UnsentBytes()
    const [most, ...others] = Array.from({ length: 9 }, () => guarded(unsent))
    assert.ok(most)
    most.send(new Uint8Array(MAX_UNSENT_BYTES))
    const each = (MAX_ALL_UNSENT_BYTES - MAX_UNSENT_BYTES) / others.length
    for (const other of others) other.send(new Uint8Array(each))
    await nextTurn()
    const [sender, gone] = others
    assert.ok(sender && gone)
    // One has read all meanwhile: there is as much room again.
    gone.writeBufferLength = 0
    sender.send(new Uint8Array(each))
    await nextTurn()
    assert.deepEqual(
      [most, ...others].flatMap(({ abortedWith }) => abortedWith ?? []),
      [],
    )
    sender.send(Uint8Array.of(1))
    await nextTurn()
    assert.equal(most.abortedWith, 'PROTOCOL_PEER_LIMIT')
    // It is gone, and counts no longer.
    most.dispatchEvent(new Event('close'))
    gone.send(new Uint8Array(each))
    await nextTurn()
    assert.deepEqual(
      others.flatMap(({ abortedWith }) => abortedWith ?? []),
      [],
    )
  })
})
