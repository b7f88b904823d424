import assert from 'node:assert/strict'
import {
  BlockFinder,
  type BlockPlace,
  isArchiveError,
  parseBody,
  parseSeals,
  splitBody,
  THREAD_COUNT,
} from '../../core/index.ts'
import { makePeriod } from '../storage-worker/synthetic-period.ts'
import { makeSmallPeriod } from './small-body.ts'

/** All that it finds in chunks of so many bytes. */
function findAll(body: Uint8Array, chunkBytes: number): (BlockPlace | undefined)[] {
  const finder = new BlockFinder()
  for (let at = 0; at < body.length; at += chunkBytes) {
    finder.pass(body.subarray(at, at + chunkBytes), at + chunkBytes >= body.length)
  }
  return Array.from({ length: THREAD_COUNT }, (_, thread) => finder.placeOf(thread))
}

describe('core/block-finder', () => {
  const small = makeSmallPeriod()
  const { chunks, seals } = makePeriod(7, { blocks: 32, operations: 3, operationBytes: 200 })
  const full = { body: Buffer.concat(chunks), seals }

  for (const [name, { body, seals: sealed }] of Object.entries({ small, full })) {
    it(`finds what the parsers find, however the chunks are cut: ${name}`, () => {
      const parsed = parseBody(body)
      const records = splitBody(body).slots.map((slot) => (slot.kind === 'block' ? slot.record : undefined))
      const expectedSeals = parseSeals(sealed, parsed)
      for (const chunkBytes of [26, 27, 31, 64, 100, 1_024, body.length - 1, body.length]) {
        const places = findAll(body, chunkBytes)
        const found = places.map((place) => place && body.subarray(place.start, place.end))
        assert.deepEqual(
          found.map((record) => record && Buffer.from(record)),
          records.map((record) => record && Buffer.from(record)),
        )
        const foundSeals = places.flatMap((place) => (place ? [sealed.subarray(place.sealsStart, place.sealsEnd)] : []))
        assert.deepEqual(
          foundSeals.map((part) => Buffer.from(part)),
          expectedSeals.map((part) => Buffer.from(part)),
        )
      }
    })
  }

  it('knows a block as soon as its last byte has come, and none behind it', () => {
    const finder = new BlockFinder()
    const [, second] = findAll(full.body, full.body.length)
    assert.ok(second)
    finder.pass(full.body.subarray(0, second.end - 1), false)
    assert.deepEqual([finder.hasPassed(0), finder.hasPassed(1)], [true, false])
    finder.pass(full.body.subarray(second.end - 1, second.end + 11), false)
    assert.deepEqual([finder.hasPassed(1), finder.hasPassed(2)], [true, false])
    assert.deepEqual(finder.placeOf(1), second)
    assert.equal(finder.placeOf(2), undefined)
  })

  it('error: a BODY that ends before its last slot, of another format, or with another flag', () => {
    for (let length = 26; length < small.body.length; length++) assertRefused(small.body.subarray(0, length))
    assertRefused(small.body.with(0, 9))
    assertRefused(small.body.with(26, 9))
  })

  function assertRefused(body: Uint8Array): void {
    assert.throws(
      () => new BlockFinder().pass(body, true),
      (error) => isArchiveError(error, 'CORE_BODY_INVALID'),
    )
  }
})
