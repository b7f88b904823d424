import assert from 'node:assert/strict'
import { pickShare, REGISTERED_SHARE, SHARE, STRANGER_SHARE } from '../../../daemon/peers/shares.ts'
import { PeerLimits } from '../../../protocol-handler/index.ts'
import { SetClock } from '../../devnet/set-clock.ts'

const SMALL_CHUNK_BYTES = 90_000
const SECONDS = 60

describe('daemon/peers/shares', () => {
  it('strangers get least; who is registered gets more, but not where nobody can tell', () => {
    assert.equal(pickShare({ hasRegistry: true, isRegistered: false }), STRANGER_SHARE)
    assert.equal(pickShare({ hasRegistry: true, isRegistered: true }), REGISTERED_SHARE)
    for (const isRegistered of [true, false]) {
      assert.equal(pickShare({ hasRegistry: false, isRegistered }), SHARE)
    }
  })

  it('a registered peer gets its bytes a second in small chunks, each with SEALS', () => {
    const clock = new SetClock()
    const limits = new PeerLimits(REGISTERED_SHARE, clock)
    let sentBytes = 0
    for (let second = 0; second < SECONDS; second++, clock.timeMs += 1_000) {
      while (limits.admit('peer') === 'serve') {
        if (limits.admit('peer') !== 'serve') break
        limits.onCost('peer', SMALL_CHUNK_BYTES)
        sentBytes += SMALL_CHUNK_BYTES
      }
    }
    assert.ok(sentBytes >= SECONDS * REGISTERED_SHARE.bytesPerSecond, `${sentBytes} bytes`)
  })
})
