import assert from 'node:assert/strict'
import type { MessageStream } from '@libp2p/interface'
import { concatBytes } from '../../core/index.ts'
import { guard } from '../../protocol-handler/bounded-yamux.ts'
import { MAX_FRAMES_WHILE_FULL, MAX_STREAM_WINDOW_BYTES, MAX_UNSENT_BYTES } from '../../protocol-handler/limits.ts'
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

  drain(): void {
    this.writableNeedsDrain = false
    this.dispatchEvent(new Event('drain'))
  }
}

function guarded(): FakeConnection {
  const connection = new FakeConnection()
  guard(connection as unknown as MessageStream)
  return connection
}

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

  it('limit: 10,000 frames while nothing goes out, one more ends the connection', () => {
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
    assert.equal(connection.abortedWith, 'PROTOCOL_PEER_LIMIT')
  })

  it('limit: what waits to be read may be 24 MiB, not a byte more', () => {
    const connection = guarded()
    connection.writeBufferLength = MAX_UNSENT_BYTES
    connection.bring(pingFrame)
    assert.equal(connection.abortedWith, undefined)
    connection.writeBufferLength++
    connection.bring(pingFrame)
    assert.equal(connection.abortedWith, 'PROTOCOL_PEER_LIMIT')
  })
})
