import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import type { ArchivedPeriod, PeriodPart } from '../../core/index.ts'
import { type LevelChunkStore, type Store, verifyArchive } from '../../storage-worker/index.ts'
import { assertHolds, assertHoldsPart } from '../suites/chunk-store-suite.ts'
import { makePeriod } from './synthetic-period.ts'
import { openTestStore, TempFolders } from './temp-store.ts'

const SEED = Number(process.env.MASSA_STORAGE_TEST_SEED ?? 1)
const RUNS = Number(process.env.MASSA_STORAGE_PROPERTY_RUNS ?? 12)
const LAST = 5
/** Not period 0, whose blocks have no parents: all have the same number of chunks. */
const FIRST = 1
const PERIODS = new Map(Array.from({ length: LAST }, (_, i) => [FIRST + i, makePeriod(FIRST + i)]))
const CHUNKS = PERIODS.get(FIRST)?.chunks.length ?? 0

interface Model {
  readonly chunks: Set<number>
  seals: boolean
  executionResults: boolean
  operations: number
}

type Step =
  | { readonly kind: 'write'; readonly period: number }
  | { readonly kind: 'drop'; readonly period: number; readonly indexes: readonly number[] }
  | {
      readonly kind: 'part'
      readonly period: number
      readonly indexes: readonly number[]
      readonly seals: boolean
      readonly executionResults: boolean
    }
  | { readonly kind: 'delete'; readonly period: number; readonly to: number }
  | { readonly kind: 'reopen' }
  | { readonly kind: 'compact' }

const period = fc.integer({ min: FIRST, max: LAST })
const indexes = fc.uniqueArray(fc.nat({ max: CHUNKS - 1 }), { maxLength: CHUNKS })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('write' as const), period }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('drop' as const), period, indexes }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('part' as const),
      period,
      indexes,
      seals: fc.boolean(),
      executionResults: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), period, to: period }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'reopen' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'compact' as const }) },
)

describe('storage-worker: periods in part', () => {
  const folders = new TempFolders()
  afterEach(() => folders.clean())

  it(`holds what a simple model holds after any steps, and verify finds nothing (seed ${SEED})`, async function () {
    this.timeout(120_000)
    const property = fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), async (steps) => {
      const dataDir = await folders.make()
      let store: Store = await openTestStore(dataDir)
      const model = new Map<number, Model>()
      try {
        for (const each of steps) {
          if (each.kind === 'reopen') {
            await store.close()
            store = await openTestStore(dataDir)
          } else {
            await apply(store.chunks, each)
            applyToModel(model, each)
          }
          await assertModel(store.chunks, model)
          await assertSound(store.chunks, model, 0)
        }
        // Through tables.
        await assertSound(store.chunks, model, 1)
      } finally {
        await store.close()
      }
    })
    await fc.assert(property, { seed: SEED, numRuns: RUNS })
  })
})

async function apply(store: LevelChunkStore, each: Exclude<Step, { kind: 'reopen' }>): Promise<void> {
  if (each.kind === 'compact') return store.compactPeriods(FIRST, LAST)
  const whole = at(each.period)
  if (each.kind === 'write') await store.writePeriod(whole)
  else if (each.kind === 'drop') await store.dropChunks(each.period, each.indexes)
  else if (each.kind === 'delete') await store.deletePeriods(each.period, each.to)
  else await store.writePart(makePart(whole, each))
}

/** Says a wrong number of operations: it counts only until BODY is whole. */
function makePart(whole: ArchivedPeriod, each: Extract<Step, { kind: 'part' }>): PeriodPart {
  const { manifest, chunks, seals, executionResults } = whole
  return {
    manifest,
    operations: 999,
    chunks: new Map(each.indexes.map((index) => [index, chunks[index] ?? new Uint8Array(0)])),
    ...(each.seals ? { seals } : {}),
    ...(each.executionResults ? { executionResults } : {}),
  }
}

function applyToModel(model: Map<number, Model>, each: Exclude<Step, { kind: 'reopen' }>): void {
  if (each.kind === 'compact') return
  const held = model.get(each.period)
  const { operations } = at(each.period).summary
  if (each.kind === 'write') {
    model.set(each.period, { chunks: new Set(all()), seals: true, executionResults: true, operations })
  } else if (each.kind === 'drop') {
    for (const index of each.indexes) held?.chunks.delete(index)
    if (held && each.indexes.includes(0)) held.seals = false
  } else if (each.kind === 'delete') {
    for (let number = each.period; number <= each.to; number++) model.delete(number)
  } else {
    const next = held ?? { chunks: new Set<number>(), seals: false, executionResults: false, operations: 999 }
    for (const index of each.indexes) next.chunks.add(index)
    next.seals ||= each.seals
    next.executionResults ||= each.executionResults
    if (next.chunks.size === CHUNKS) next.operations = operations
    model.set(each.period, next)
  }
}

async function assertModel(store: LevelChunkStore, model: ReadonlyMap<number, Model>): Promise<void> {
  for (let number = FIRST; number <= LAST; number++) {
    const held = model.get(number)
    if (!held) {
      assert.equal(await store.readManifest(number), undefined)
      assert.equal(await store.readSummary(number), undefined)
      assert.deepEqual(await store.listPlacesOf(number), [])
    } else if (isWhole(held)) await assertHolds(store, at(number))
    else await assertHoldsPart(store, at(number), { ...held, chunks: [...held.chunks] })
  }
}

async function assertSound(store: LevelChunkStore, model: ReadonlyMap<number, Model>, threads: number): Promise<void> {
  const { damages, periods, chunks } = await verifyArchive(store, { deep: true, threads })
  assert.deepEqual(damages, [])
  assert.equal(periods, model.size)
  assert.equal(
    chunks,
    [...model.values()].reduce((sum, held) => sum + held.chunks.size, 0),
  )
}

function isWhole(held: Model): boolean {
  return held.chunks.size === CHUNKS && held.seals && held.executionResults
}

function all(): number[] {
  return Array.from({ length: CHUNKS }, (_, index) => index)
}

function at(number: number): ArchivedPeriod {
  const whole = PERIODS.get(number)
  assert.ok(whole)
  return whole
}
