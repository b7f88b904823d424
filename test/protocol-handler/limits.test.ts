import assert from 'node:assert/strict'
import type { Test } from 'mocha'
import * as limits from '../../protocol-handler/limits.ts'
import { LoadedTests } from '../loaded-tests.ts'
import type { BoundName, TestedBound, TriedBound } from './bounds/bound.ts'
import { MEMORY } from './bounds/memory.ts'
import { MESSAGES } from './bounds/messages.ts'
import { RATES } from './bounds/rates.ts'
import { STREAMS } from './bounds/streams.ts'
import { SAMPLES } from './sample-messages.ts'

/** Of the longest request: each kind has a bound of its own, which none passes. */
const BY_OTHERS = ['MAX_REQUEST_BYTES'] as const

/** A bound without a case does not compile. */
const BOUNDS: Record<Exclude<BoundName, (typeof BY_OTHERS)[number]>, TriedBound | TestedBound> = {
  ...MESSAGES,
  ...RATES,
  ...MEMORY,
  ...STREAMS,
}
const SIZES = new Map<string, number>(Object.entries(limits))

describe('protocol-handler/limits', () => {
  for (const [name, bound] of Object.entries(BOUNDS)) {
    it(`limit: ${name}: at it and one past it`, async function () {
      if ('file' in bound) {
        const loaded = new LoadedTests(this.test as Test)
        assert.ok(await loaded.has(bound.file, bound.title), `${bound.file} has no test "${bound.title}"`)
        return
      }
      const size = SIZES.get(name) ?? assert.fail(name)
      assert.deepEqual([await bound.takes(size), await bound.takes(size + bound.step)], [true, false])
    })
  }

  it('limit: MAX_REQUEST_BYTES: every request is shorter', () => {
    const requests = SAMPLES.filter(({ codec }) => /Request$|^Challenge$/.test(codec.name))
    assert.equal(requests.length, 9)
    for (const { codec } of requests) assert.ok(codec.maxBytes <= limits.MAX_REQUEST_BYTES, codec.name)
  })
})
