import assert from 'node:assert/strict'
import fc from 'fast-check'
import { fromBase64, isArchiveError, toBase64, toHex } from '../../core/index.ts'

describe('core/base64', () => {
  it('writes what Node writes, and reads it again', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const text = toBase64(bytes)
        assert.equal(text, Buffer.from(bytes).toString('base64'))
        assert.equal(toHex(fromBase64(text)), toHex(bytes))
      }),
    )
  })

  it('every text has one meaning: what it reads it writes the same', () => {
    const letter = fc.constantFrom(...'AZaz09+/=Bb')
    let read = 0
    fc.assert(
      fc.property(fc.string({ unit: letter, maxLength: 12 }), (text) => {
        try {
          assert.equal(toBase64(fromBase64(text)), text)
          read++
        } catch (error) {
          assert(isArchiveError(error, 'CORE_BYTES_INVALID'), String(error))
        }
      }),
      { numRuns: 500, seed: 1 },
    )
    assert(read > 20, `${read}`)
  })

  for (const text of [
    'A',
    'AA',
    'AAA',
    'AB==',
    'AAB=',
    'A===',
    '====',
    'AA=A',
    'AA-_',
    'AA\n=',
    'AAAé',
    ' AAA',
    'AAAAA',
  ]) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.throws(
        () => fromBase64(text),
        (error) => isArchiveError(error, 'CORE_BYTES_INVALID'),
      )
    })
  }
})
