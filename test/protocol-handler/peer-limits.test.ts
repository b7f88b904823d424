import assert from 'node:assert/strict'
import { PeerLimits } from '../../protocol-handler/peer-limits.ts'
import { SetClock } from '../devnet/set-clock.ts'

const SHARE = { requestsPerSecond: 10, bytesPerSecond: 1_000, openStreams: 3 }

function timesOf(limits: PeerLimits, count: number): Record<string, number> {
  const times: Record<string, number> = {}
  for (let i = 0; i < count; i++) {
    const admission = limits.admit('peer')
    times[admission] = (times[admission] ?? 0) + 1
  }
  return times
}

describe('protocol-handler/peer-limits', () => {
  it('limit: requests past the burst are answered with busy, then ignored, then cut', () => {
    const limits = new PeerLimits(SHARE, new SetClock())
    assert.deepEqual(timesOf(limits, 50), { serve: 50 })
    assert.deepEqual(timesOf(limits, 20), { busy: 20 })
    assert.deepEqual(timesOf(limits, 80), { ignore: 80 })
    assert.deepEqual(timesOf(limits, 3), { cut: 3 })
    assert.equal(limits.admit('another'), 'serve')
  })

  it('whoever waits is served again, and its refusals are forgotten', () => {
    const clock = new SetClock()
    const limits = new PeerLimits(SHARE, clock)
    timesOf(limits, 71)
    assert.equal(limits.admit('peer'), 'ignore')
    clock.timeMs += 100
    assert.equal(limits.admit('peer'), 'serve')
    assert.equal(limits.admit('peer'), 'busy')
  })

  it('limit: bytes that were sent count: at the burst served, one past it not until they are paid', () => {
    const clock = new SetClock()
    const limits = new PeerLimits(SHARE, clock)
    limits.onCost('peer', 5_000)
    assert.equal(limits.admit('peer'), 'serve')
    limits.onCost('peer', 1)
    assert.equal(limits.admit('peer'), 'busy')
    clock.timeMs += 1
    assert.equal(limits.admit('peer'), 'serve')
  })

  it('limit: as many streams as the share, one more is refused until one is closed', () => {
    const limits = new PeerLimits(SHARE, new SetClock())
    assert.deepEqual(
      [1, 2, 3, 4].map(() => limits.openStream('peer')),
      [true, true, true, false],
    )
    limits.closeStream('peer')
    assert.equal(limits.openStream('peer'), true)
    limits.closeStream('nobody')
  })

  it('a peer whose share changes has the new one from then on, and its streams are still counted', () => {
    let share = SHARE
    const limits = new PeerLimits(() => share, new SetClock())
    for (let i = 0; i < 3; i++) assert.equal(limits.openStream('peer'), true)
    assert.deepEqual(timesOf(limits, 51), { serve: 50, busy: 1 })
    share = { ...SHARE, requestsPerSecond: 1, openStreams: 4 }
    assert.deepEqual(timesOf(limits, 6), { serve: 5, busy: 1 })
    assert.deepEqual([limits.openStream('peer'), limits.openStream('peer')], [true, false])
  })

  it('strangers do not make it forget the streams of a peer', () => {
    const limits = new PeerLimits(SHARE, new SetClock())
    for (let i = 0; i < 3; i++) limits.openStream('peer')
    for (let i = 0; i < 5_000; i++) limits.admit(`stranger ${i}`)
    assert.equal(limits.openStream('peer'), false)
  })
})
