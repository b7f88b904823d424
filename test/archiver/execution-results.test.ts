import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  encodeExecution,
  encodePeriodExecutions,
  executionFromOutput,
  executionFromQueries,
  parseExecution,
  readPeriodExecutions,
  type SlotExecution,
} from '../../archiver/execution-results.ts'
import { ByteReader, ByteWriter, formatOperationId, THREAD_COUNT, toU64 } from '../../core/index.ts'
import { hasCode } from '../suites/chunk-store-suite.ts'

const operationIds = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((hash) => formatOperationId(Uint8Array.of(0, ...hash)))
const texts = fc.string({ maxLength: 60, unit: 'grapheme' })
const executions: fc.Arbitrary<SlotExecution> = fc.record({
  source: fc.constantFrom('stream' as const, 'query' as const, 'peer' as const),
  complete: fc.boolean(),
  trailHash: texts,
  outcomes: fc.uniqueArray(
    fc.record(
      {
        operationId: operationIds,
        outcome: fc.constantFrom('success' as const, 'failed' as const, 'unknown' as const),
      },
      { noNullPrototype: true },
    ),
    { maxLength: 6, selector: ({ operationId }) => operationId },
  ),
  events: fc.uniqueArray(
    fc.record(
      {
        indexInSlot: fc.nat(0xffff_ffff),
        callStack: fc.array(texts, { maxLength: 3 }),
        operationId: texts,
        failed: fc.boolean(),
        data: fc.uint8Array({ maxLength: 200 }),
      },
      { noNullPrototype: true },
    ),
    { maxLength: 6, selector: ({ indexInSlot }) => indexInSlot },
  ),
})

const SAMPLE: SlotExecution = {
  source: 'stream',
  complete: true,
  trailHash: 'trail',
  outcomes: [{ operationId: formatOperationId(new Uint8Array(33)), outcome: 'failed' }],
  events: [{ indexInSlot: 7, callStack: ['AU1', 'AS1'], operationId: '', failed: true, data: Uint8Array.of(1, 2) }],
}

/** As they stand before their attestation. */
function parsePeriod(bytes: Uint8Array) {
  const reader = new ByteReader(bytes)
  const executions = readPeriodExecutions(reader)
  reader.end()
  return executions
}

describe('archiver/execution-results', () => {
  it('what is encoded parses back, outcomes by id and events by index in their slot', () => {
    fc.assert(
      fc.property(executions, (execution) => {
        const parsed = parseExecution(encodeExecution(execution))
        assert.deepEqual(
          new Map(parsed.outcomes.map(({ operationId, outcome }) => [operationId, outcome])),
          new Map(execution.outcomes.map(({ operationId, outcome }) => [operationId, outcome])),
        )
        assert.deepEqual(parsed, {
          ...execution,
          outcomes: parsed.outcomes,
          events: execution.events.toSorted((a, b) => a.indexInSlot - b.indexInSlot),
        })
      }),
      { numRuns: 200 },
    )
  })

  it('the order in which a node lists outcomes and events leaves no trace in the bytes', () => {
    fc.assert(
      fc.property(executions, (execution) => {
        const reversed = {
          ...execution,
          outcomes: execution.outcomes.toReversed(),
          events: execution.events.toReversed(),
        }
        assert.deepEqual(encodeExecution(reversed), encodeExecution(execution))
      }),
    )
  })

  it('a period holds the results of each thread, or nothing of it', () => {
    const bytes = encodePeriodExecutions(
      new Map([
        [0, encodeExecution(SAMPLE)],
        [31, encodeExecution(SAMPLE)],
      ]),
    )
    const parsed = parsePeriod(bytes)
    assert.equal(parsed.length, THREAD_COUNT)
    assert.deepEqual(
      parsed.flatMap((execution, thread) => (execution ? [thread] : [])),
      [0, 31],
    )
    assert.deepEqual(parsed[31], SAMPLE)
    assert.deepEqual(parsePeriod(encodePeriodExecutions(new Map())), new Array(THREAD_COUNT).fill(undefined))
  })

  describe('error: refuses', () => {
    const good = encodeExecution(SAMPLE)
    const refused = (bytes: Uint8Array) => assert.throws(() => parseExecution(bytes), hasCode('CORE_BYTES_INVALID'))

    it('every beginning that is not the whole, and a trailing byte', () => {
      for (let length = 0; length < good.length; length++) refused(good.subarray(0, length))
      refused(Uint8Array.of(...good, 0))
      const period = encodePeriodExecutions(new Map([[3, good]]))
      for (const bytes of [period.subarray(0, -1), Uint8Array.of(...period, 0), new Uint8Array(0)]) {
        assert.throws(() => parsePeriod(bytes), hasCode('CORE_BYTES_INVALID'))
      }
    })

    it('a format or source that is not known', () => {
      refused(good.with(0, 2))
      refused(good.with(1, 3))
      assert.throws(() => parsePeriod(encodePeriodExecutions(new Map()).with(0, 2)), hasCode('CORE_BYTES_INVALID'))
    })

    it('limit: lists and texts past their bounds, before anything is made of them', () => {
      const head = () => new ByteWriter(64).u8(1).u8(0).u8(1).string('')
      refused(head().u32(100_001).finish())
      refused(head().u32(0).u32(1_000_001).finish())
      refused(head().u32(0).u32(1).u32(0).u8(0).string('').u32(1025).finish())
      refused(
        head()
          .u32(0)
          .u32(1)
          .u32(0)
          .u8(0)
          .string('')
          .u32(0)
          .u32(1024 * 1024 + 1)
          .finish(),
      )
      refused(new ByteWriter(2048).u8(1).u8(0).u8(1).string('x'.repeat(1025)).u32(0).u32(0).finish())
      const longest = { ...SAMPLE, trailHash: 'x'.repeat(1024) }
      assert.deepEqual(parseExecution(encodeExecution(longest)), longest)
    })

    it('limit: an event of 1 MiB is taken, and 8 MiB of one slot; a byte more of either is not', () => {
      const MIB = 1024 * 1024
      const of = (sizes: readonly number[]): SlotExecution => ({
        source: 'stream',
        complete: true,
        trailHash: '',
        outcomes: [],
        events: sizes.map((bytes, indexInSlot) => {
          return { indexInSlot, callStack: [], operationId: '', failed: false, data: new Uint8Array(bytes) }
        }),
      })
      assert.deepEqual(parseExecution(encodeExecution(of([MIB]))), of([MIB]))
      assert.throws(() => encodeExecution(of([MIB + 1])), hasCode('CORE_BYTES_INVALID'))
      const seven = Array.from({ length: 7 }, () => MIB)
      const restBytes = 8 * MIB - encodeExecution(of([...seven, 0])).length
      assert.equal(encodeExecution(of([...seven, restBytes])).length, 8 * MIB)
      assert.throws(() => encodeExecution(of([...seven, restBytes + 1])), hasCode('CORE_BYTES_INVALID'))
    })

    it('or gives the same again: no damaged byte makes it throw anything else', () => {
      fc.assert(
        fc.property(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
          const damaged = good.with(at, (good[at] ?? 0) ^ change)
          try {
            parseExecution(damaged)
          } catch (error) {
            assert.ok(hasCode('CORE_BYTES_INVALID')(error))
          }
        }),
        { numRuns: 500 },
      )
    })
  })

  it('queries are complete only when every outcome is known and no event was left out', () => {
    const [a, b] = [1, 2].map((n) => formatOperationId(new Uint8Array(33).fill(n, 1)))
    const known = new Map([[a ?? '', 'success' as const]])
    const half = new Map([...known, [b ?? '', 'unknown' as const]])
    assert.equal(executionFromQueries(known, [], true).complete, true)
    assert.equal(executionFromQueries(known, [], false).complete, false)
    assert.equal(executionFromQueries(half, [], true).complete, false)
    assert.equal(executionFromQueries(known, [], true).source, 'query')
  })

  it('a FINAL message of the stream gives outcomes, events and the trail hash', () => {
    const operationId = formatOperationId(new Uint8Array(33).fill(5, 1))
    const execution = executionFromOutput({
      stateChanges: {
        executedOpsChanges: [{ operationId, value: { status: 2 } }],
        executionTrailHashChange: { set: { value: 'hash' } },
      },
      events: [{ context: { indexInSlot: toU64(4n), callStack: ['AS1'], isFailure: true }, data: Uint8Array.of(9) }],
    })
    assert.deepEqual(execution, {
      source: 'stream',
      complete: true,
      trailHash: 'hash',
      outcomes: [{ operationId, outcome: 'failed' }],
      events: [{ indexInSlot: 4, callStack: ['AS1'], operationId: '', failed: true, data: Uint8Array.of(9) }],
    })
  })
})
