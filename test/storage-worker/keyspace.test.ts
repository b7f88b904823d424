import assert from 'node:assert/strict'
import fc from 'fast-check'
import { compareBytes } from '../../core/index.ts'
import {
  decodeBodyKey,
  decodeSlotKey,
  describePlace,
  EXECUTION_RESULTS,
  encodeBodyKey,
  encodeIndexKey,
  encodeSlotKey,
  KEYSPACES,
  keyspaceRange,
  MANIFEST,
  SEALS,
} from '../../storage-worker/keyspace.ts'

describe('storage-worker/keyspace', () => {
  it('numbers every keyspace once, ascending', () => {
    const numbers = Object.values(KEYSPACES).map(({ number }) => number)
    assert.deepEqual(
      numbers,
      [...new Set(numbers)].sort((a, b) => a - b),
    )
    assert.ok(numbers.every((number) => number < 255))
  })

  it('limit: a key of the index that its table may hold', () => {
    assert.equal(encodeIndexKey('journal', new Uint8Array(247)).length, 248)
    assert.throws(() => encodeIndexKey('journal', new Uint8Array(248)), { code: 'STORE_KEY_TOO_LONG' })
  })

  it('keeps the names and numbers that archives on disk have', () => {
    assert.deepEqual(
      Object.values(KEYSPACES).map(({ number, database, name }) => `${number} ${database} ${name}`),
      [
        '0 bodies storage_chunks',
        '1 index merkle_roots',
        '2 index period_summaries',
        '3 index pending_periods',
        '4 index spool_blocks',
        '5 index finals',
        '6 index quarantine',
        '7 index executions',
        '8 index marks',
        '9 index journal',
        '10 index storage_nodes',
        '11 index challenge_history',
        '12 index operation_journal',
        '13 index placements',
        '14 index reward_history',
        '15 index draw_signatures',
      ],
    )
  })

  it('orders bodies by period, then chunk; the manifest last', () => {
    const place = fc.tuple(
      fc.maxSafeNat(),
      fc.oneof(fc.nat(0xffff_ffff), fc.constantFrom(EXECUTION_RESULTS, SEALS, MANIFEST)),
    )
    fc.assert(
      fc.property(place, place, ([periodA, a], [periodB, b]) => {
        const want = Math.sign(periodA - periodB) || Math.sign(a - b)
        assert.equal(compareBytes(encodeBodyKey(periodA, a), encodeBodyKey(periodB, b)), want)
        assert.deepEqual(decodeBodyKey(encodeBodyKey(periodA, a)), { period: periodA, n: a })
      }),
    )
    assert.ok(EXECUTION_RESULTS < SEALS && SEALS < MANIFEST)
    assert.equal(decodeBodyKey(new Uint8Array(11)), undefined)
    assert.equal(decodeBodyKey(new Uint8Array(12).fill(0xff)), undefined)
  })

  it('takes slots to keys and back', () => {
    for (const slot of [
      { period: 0, thread: 0 },
      { period: 2 ** 40, thread: 31 },
    ]) {
      assert.deepEqual(decodeSlotKey(encodeSlotKey(slot), 0), slot)
    }
  })

  it('bounds a keyspace by its number and the next', () => {
    assert.deepEqual(keyspaceRange('marks'), { gte: Uint8Array.of(8), lt: Uint8Array.of(9) })
  })

  it('calls places what people call them', () => {
    assert.deepEqual([0, 16_383, EXECUTION_RESULTS, SEALS, MANIFEST].map(describePlace), [
      'chunk 0',
      'chunk 16383',
      'execution results',
      'seals',
      'manifest',
    ])
  })
})
