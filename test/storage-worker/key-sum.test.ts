import assert from 'node:assert/strict'
import { KeySum, sumPlaces } from '../../storage-worker/key-sum.ts'
import { placeKeys } from '../../storage-worker/period-index.ts'
import { makePeriod } from './synthetic-period.ts'

const { manifest } = makePeriod(7)
const KEYS = placeKeys(manifest)

describe('storage-worker/key-sum', () => {
  it('is that of the keys, in any order and in parts', () => {
    assert.ok(KEYS.length > 1)
    const whole = sumOf(KEYS.toReversed())
    assert.ok(sumPlaces(manifest).equals(whole))
    const parts = sumOf(KEYS.slice(0, 1))
    const { count, low, high } = sumOf(KEYS.slice(1))
    parts.addParts(count, low, high)
    assert.ok(parts.equals(whole))
  })

  it('is another one for any flipped bit, a missing key and one too many', () => {
    const whole = sumOf(KEYS)
    const [first] = KEYS
    assert.ok(first)
    for (let bit = 0; bit < 8 * first.length; bit++) {
      const torn = Uint8Array.from(first)
      torn[bit >> 3] = (torn[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      assert.ok(!sumOf([torn, ...KEYS.slice(1)]).equals(whole), `bit ${bit}`)
    }
    assert.ok(!sumOf(KEYS.slice(1)).equals(whole))
    assert.ok(!sumOf([...KEYS, first]).equals(whole))
  })
})

function sumOf(keys: readonly Uint8Array[]): KeySum {
  const sum = new KeySum()
  for (const key of keys) sum.add(key)
  return sum
}
