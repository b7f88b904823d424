import assert from 'node:assert/strict'
import { describeBootstrap } from '../../cli/describe-bootstrap.ts'

describe('cli/describe-bootstrap', () => {
  const running = {
    state: 'running',
    wantedPeriods: 8_400,
    donePeriods: 1_260,
    bodyBytes: 1_200_000_000,
    periodsPerSecond: 35,
    etaMs: 204_000,
  }

  it('shows a bar, what is done of what is wanted, the rate and how long it will take', () => {
    assert.equal(
      describeBootstrap(running),
      '[###-----------------] periods 1260 of 8400, 1.20 GB, 35 periods/s, about 3 min 24 s',
    )
    assert.equal(
      describeBootstrap({ ...running, periodsPerSecond: 0.25, etaMs: null }),
      '[###-----------------] periods 1260 of 8400, 1.20 GB, 0.3 periods/s',
    )
    assert.match(describeBootstrap({ ...running, donePeriods: 8_399 }) ?? '', /^\[#{19}-\]/)
  })

  it('says what it waits for, in a sentence that it knows, or by its name', () => {
    assert.match(describeBootstrap({ ...running, waitsFor: 'peers' }) ?? '', /1\.20 GB, waits for a peer that has what/)
    assert.match(
      describeBootstrap({ ...running, waitsFor: 'older' }) ?? '',
      /waits for a peer that began earlier: none/,
    )
    assert.match(describeBootstrap({ ...running, waitsFor: 'rain' }) ?? '', /, waits for rain$/)
  })

  it('says how what comes is checked', () => {
    const show = (...checked: { by: string; firstEra?: number; lastEra?: number }[]) => {
      return describeBootstrap({ ...running, checked })?.split(' 24 s')[1]
    }
    assert.equal(show(), '')
    assert.equal(show({ by: 'links' }), ', linked by block ids, no anchor yet')
    const twelve = { by: 'anchor', firstEra: 12, lastEra: 12 }
    assert.equal(show({ by: 'links' }, twelve), ', under the anchored root of era 12')
    assert.equal(show({ ...twelve, firstEra: 3 }), ', under the anchored roots of eras 3 to 12')
  })

  it('says nothing when there is nothing to be fetched', () => {
    for (const answer of [undefined, null, { ...running, state: 'done' }]) {
      assert.equal(describeBootstrap(answer), undefined)
    }
  })
})
