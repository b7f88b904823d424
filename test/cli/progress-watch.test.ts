import assert from 'node:assert/strict'
import { ProgressWatch } from '../../cli/progress-watch.ts'

describe('cli/progress-watch', () => {
  it('waits as long as anything of what is seen changes', () => {
    const watch = new ProgressWatch(100)
    assert.equal(watch.goesOn([0, undefined], 1_000), true)
    assert.equal(watch.goesOn([0, undefined], 1_099), true)
    assert.equal(watch.goesOn([0, 1], 1_199), true)
    assert.equal(watch.goesOn([5, 1], 1_298), true)
    assert.equal(watch.goesOn([5, 1], 1_397), true)
  })

  it('gives up when all of it stands still for the limit', () => {
    const watch = new ProgressWatch(100)
    watch.goesOn([7, 3], 0)
    assert.equal(watch.goesOn([7, 3], 99), true)
    assert.equal(watch.goesOn([7, 3], 100), false)
  })
})
