import assert from 'node:assert/strict'
import { describeClock } from '../../cli/describe-clock.ts'
import { NODE_SOFTWARE } from '../../devnet/node/node-identity.ts'

describe('cli/describe-clock', () => {
  it('limit: two seconds before or behind the node are none, one ms more is', () => {
    const isRight = (skewMs: number) => describeClock('MAIN.2.5', skewMs).ok
    assert.deepEqual([0, 2_000, -2_000, 2_001, -2_001].map(isRight), [true, true, true, false, false])
    assert.match(describeClock('MAIN.2.5', -9_000).detail, /^9000 ms/)
  })

  it('a devnet has a time of its own: nothing is to be set by it', () => {
    const { ok, fix } = describeClock(NODE_SOFTWARE, -94_000_000_000)
    assert.deepEqual([ok, fix], [true, undefined])
  })
})
