import assert from 'node:assert/strict'
import fc from 'fast-check'
import { computeEditDistance, findNearestKey } from '../../config/nearest-key.ts'

describe('config/nearest-key', () => {
  it('counts insertions, deletions and replacements', () => {
    assert.equal(computeEditDistance('kitten', 'sitting'), 3)
    assert.equal(computeEditDistance('', 'abc'), 3)
    assert.equal(computeEditDistance('abc', 'abc'), 0)
  })

  it('is a metric: zero only for equals, symmetric, triangle inequality', () => {
    const word = fc.string({ maxLength: 8 })
    fc.assert(
      fc.property(word, word, word, (a, b, c) => {
        const ab = computeEditDistance(a, b)
        assert.equal(ab === 0, a === b)
        assert.equal(ab, computeEditDistance(b, a))
        assert.ok(ab <= computeEditDistance(a, c) + computeEditDistance(c, b))
      }),
    )
  })

  it('prefers the right name in another table to another name in this one', () => {
    assert.equal(findNearestKey('bind', ['log', 'node', 'api.bind']), 'api.bind')
  })

  it('limit: a third of the letters may be wrong, and no more', () => {
    assert.equal(findNearestKey('abcdef', ['abcdxy']), 'abcdxy')
    assert.equal(findNearestKey('abcdef', ['abcxyz']), undefined)
    assert.equal(findNearestKey('foo', ['api.bind', 'enabled']), undefined)
    assert.equal(findNearestKey('storage_gb', ['enabled', 'allocated_storage_gb']), 'allocated_storage_gb')
  })
})
