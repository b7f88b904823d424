import assert from 'node:assert/strict'
import { TokenBucket } from '../../core/index.ts'
import { SetClock } from '../devnet/set-clock.ts'

describe('core/token-bucket', () => {
  it('limit: a burst is served, one more is not, and comes with time', () => {
    const clock = new SetClock()
    const bucket = new TokenBucket({ perSecond: 10, burst: 5 }, clock)
    for (let i = 0; i < 5; i++) assert.equal(bucket.take(), true)
    assert.equal(bucket.take(), false)
    clock.timeMs += 99
    assert.equal(bucket.take(), false)
    clock.timeMs += 1
    assert.equal(bucket.take(), true)
    assert.equal(bucket.take(), false)
  })

  it('keeps no more than its burst, and neither gains nor loses when the wall clock is set', () => {
    const clock = new SetClock()
    const bucket = new TokenBucket({ perSecond: 10, burst: 5 }, clock)
    clock.timeMs += 3_600_000
    assert.equal(bucket.take(6), false)
    assert.equal(bucket.take(4), true)
    assert.equal(bucket.take(), true)
    for (const jumpMs of [-150_000, 150_000]) {
      clock.jumpMs = jumpMs
      assert.equal(bucket.take(), false)
      clock.timeMs += 100
      assert.equal(bucket.take(), true)
    }
  })

  it('a debt is told in milliseconds and keeps others waiting until it is paid', () => {
    const clock = new SetClock()
    const bucket = new TokenBucket({ perSecond: 1_000, burst: 500 }, clock)
    assert.equal(bucket.takeOnCredit(500), 0)
    assert.equal(bucket.takeOnCredit(2_000), 2_000)
    clock.timeMs += 1_999
    assert.equal(bucket.take(0), false)
    clock.timeMs += 1
    assert.equal(bucket.take(0), true)
  })
})
