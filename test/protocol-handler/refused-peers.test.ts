import assert from 'node:assert/strict'
import { MAX_REFUSED_PEERS, REFUSED_MS } from '../../protocol-handler/limits.ts'
import { RefusedPeers } from '../../protocol-handler/refused-peers.ts'
import { SetClock } from '../devnet/set-clock.ts'

describe('protocol-handler/refused-peers', () => {
  it('limit: a peer is kept away for ten minutes, and not a moment longer, whatever the wall clock says', () => {
    const clock = new SetClock()
    const refused = new RefusedPeers(clock)
    refused.refuse('a')
    clock.timeMs += REFUSED_MS - 1
    clock.jumpMs = REFUSED_MS
    assert.deepEqual([refused.isRefused('a'), refused.isRefused('b')], [true, false])
    clock.timeMs += 1
    assert.equal(refused.isRefused('a'), false)
  })

  it('limit: 10,000 peers are kept away, with one more the earliest is forgotten', () => {
    const refused = new RefusedPeers(new SetClock())
    for (let i = 0; i < MAX_REFUSED_PEERS; i++) refused.refuse(`${i}`)
    assert.equal(refused.isRefused('0'), true)
    refused.refuse('0')
    refused.refuse('one more')
    assert.deepEqual(
      ['0', '1', '2', 'one more'].map((peer) => refused.isRefused(peer)),
      [true, false, true, true],
    )
  })
})
