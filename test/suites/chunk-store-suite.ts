import assert from 'node:assert/strict'
import {
  type ArchivedPeriod,
  type ChunkStore,
  computeChunkId,
  isArchiveError,
  type PeriodPart,
  toHex,
  VerifiedChunk,
  withLastLength,
} from '../../core/index.ts'
import { makePeriod, noise } from '../storage-worker/synthetic-period.ts'

/** A store of TEST_IDENTITY, empty. */
export interface ChunkStoreUnderTest {
  readonly store: ChunkStore
  /** The same store after a restart, where there is such a thing. */
  reopen?(): Promise<ChunkStore>
  close(): Promise<void>
}

/** What every ChunkStore does. */
export function describeChunkStore(name: string, make: () => Promise<ChunkStoreUnderTest>): void {
  describe(`ChunkStore: ${name}`, () => {
    let subject: ChunkStoreUnderTest
    let store: ChunkStore
    beforeEach(async () => {
      subject = await make()
      store = subject.store
    })
    afterEach(() => subject.close())

    it('gives back what was written', async () => {
      const period = makePeriod(7)
      assert.ok(period.chunks.length > 1)
      await store.writePeriod(period)
      await assertHolds(store, period)
    })

    it('knows nothing of a period that was not written', async () => {
      await store.writePeriod(makePeriod(7))
      assert.equal(await store.readManifest(8), undefined)
      assert.equal(await store.readSummary(8), undefined)
      assert.equal(await store.readChunk(8, 0), undefined)
      assert.equal(await store.readSeals(8), undefined)
      assert.equal(await store.readExecutionResults(8), undefined)
    })

    it('knows no chunk beyond the last', async () => {
      const period = makePeriod(7)
      await store.writePeriod(period)
      for (const index of [period.chunks.length, -1, 0xffff_fffd, 0xffff_ffff, 2 ** 33]) {
        assert.equal(await store.readChunk(7, index), undefined)
      }
    })

    it('holds a period without blocks and without execution results', async () => {
      const period = { ...makePeriod(7, { blocks: 0 }), executionResults: new Uint8Array(0) }
      await store.writePeriod(period)
      await assertHolds(store, period)
    })

    it('has no range while it is empty', async () => {
      assert.equal(await store.readRange(), undefined)
      assert.deepEqual(await list(store, { from: 0, to: 100 }), [])
    })

    it('names the first and last period, whatever the order of writing', async () => {
      for (const number of [5, 300, 2, 256]) await store.writePeriod(makePeriod(number))
      assert.deepEqual(await store.readRange(), { first: 2, last: 300 })
    })

    it('lists summaries ascending and descending, ends included', async () => {
      for (const number of [5, 300, 2, 256, 255]) await store.writePeriod(makePeriod(number))
      assert.deepEqual(await list(store, { from: 0, to: 1e6 }), [2, 5, 255, 256, 300])
      assert.deepEqual(await list(store, { from: 5, to: 256 }), [5, 255, 256])
      assert.deepEqual(await list(store, { from: 5, to: 256, reverse: true }), [256, 255, 5])
      assert.deepEqual(await list(store, { from: 6, to: 254 }), [])
      assert.deepEqual(await list(store, { from: 6, to: 5 }), [])
    })

    it('takes an equal period twice', async () => {
      const period = makePeriod(7)
      await store.writePeriod(period)
      await store.writePeriod(makePeriod(9))
      await store.writePeriod(period)
      await assertHolds(store, period)
    })

    it('error: refuses another period in the place of an archived one, and keeps the old', async () => {
      const period = makePeriod(7)
      await store.writePeriod(period)
      await assert.rejects(store.writePeriod(makePeriod(7, { seed: 'other' })), hasCode('STORE_PERIOD_CONFLICT'))
      await assertHolds(store, period)
    })

    it('error: refuses chunks that do not fit their manifest', async () => {
      const period = makePeriod(7)
      const [first, second] = period.chunks
      assert.ok(first && second)
      const network = { ...period.manifest.network, chainId: 78n }
      const wrong: ArchivedPeriod[] = [
        { ...period, chunks: period.chunks.slice(1) },
        { ...period, chunks: [...period.chunks, first] },
        { ...period, chunks: [first.subarray(1), ...period.chunks.slice(1)] },
        { ...period, summary: { ...period.summary, bodyBytes: period.summary.bodyBytes + 1 } },
        { ...period, summary: { ...period.summary, root: new Uint8Array(32) } },
        { ...period, summary: { ...period.summary, period: 8 } },
        { ...period, manifest: { ...period.manifest, network } },
        makePeriod(7, { identity: { ...store.identity, chunkSizeBytes: 2048 } }),
      ]
      for (const each of wrong) await assert.rejects(store.writePeriod(each), hasCode('STORE_PERIOD_INVALID'))
      assert.equal(await store.readRange(), undefined)
    })

    it('finds chunks by a prefix of their id, of even and odd length', async () => {
      for (let number = 0; number < 20; number++) await store.writePeriod(makePeriod(number))
      const manifest = makePeriod(11).manifest
      const chunk = manifest.chunks[1]
      assert.ok(chunk)
      for (const digits of [6, 7, 63, 64]) {
        const found = await store.findChunks(toHex(chunk.chunkId).slice(0, digits), 10)
        assert.deepEqual(found, [{ chunkId: new Uint8Array(chunk.chunkId), period: 11, index: 1 }])
      }
      assert.equal((await store.findChunks(toHex(chunk.chunkId).slice(0, 1), 2)).length, 2)
      await assert.rejects(store.findChunks('', 1), hasCode('CORE_BYTES_INVALID'))
      await assert.rejects(store.findChunks('xy', 1), hasCode('CORE_BYTES_INVALID'))
    })

    it('deletes a range with its ends, and nothing else', async () => {
      for (let number = 0; number < 40; number++) await store.writePeriod(makePeriod(number))
      await store.deletePeriods(0, 33)
      assert.deepEqual(await store.readRange(), { first: 34, last: 39 })
      assert.deepEqual(await list(store, { from: 0, to: 100 }), [34, 35, 36, 37, 38, 39])
      const gone = makePeriod(33).manifest.chunks[0]
      assert.ok(gone)
      assert.deepEqual(await store.findChunks(toHex(gone.chunkId), 1), [])
      assert.equal(await store.readSeals(33), undefined)
      await assertHolds(store, makePeriod(34))
      await store.writePeriod(makePeriod(33))
      await assertHolds(store, makePeriod(33))
    })

    it('deletes everything and begins anew', async () => {
      for (const number of [1, 2, 3]) await store.writePeriod(makePeriod(number))
      await store.deletePeriods(0, Number.MAX_SAFE_INTEGER)
      assert.equal(await store.readRange(), undefined)
      await store.writePeriod(makePeriod(2))
      assert.deepEqual(await store.readRange(), { first: 2, last: 2 })
    })

    it('writes periods that are given at once', async () => {
      const periods = Array.from({ length: 12 }, (_, i) => makePeriod((i * 7) % 12))
      await Promise.all(periods.map((period) => store.writePeriod(period)))
      for (const period of periods) await assertHolds(store, period)
    })

    describe('of periods in part', () => {
      const period = makePeriod(7)
      const count = period.chunks.length
      const { manifest, seals, executionResults } = period
      const { operations } = period.summary
      const partOf = (...indexes: number[]): PeriodPart => ({
        manifest,
        operations,
        chunks: new Map(indexes.map((index) => [index, period.chunks[index] ?? new Uint8Array(0)])),
      })

      it('drops chunks and keeps all else', async () => {
        await store.writePeriod(period)
        await store.dropChunks(7, [1])
        await assertHoldsPart(store, period, { chunks: without(count, 1), seals: true, executionResults: true })
        await store.dropChunks(7, [1, 2])
        await assertHoldsPart(store, period, { chunks: without(count, 1, 2), seals: true, executionResults: true })
      })

      it('drops SEALS with chunk 0, execution results never, and stays visible without any chunk', async () => {
        await store.writePeriod(makePeriod(6))
        await store.writePeriod(period)
        await store.dropChunks(7, [0])
        await assertHoldsPart(store, period, { chunks: without(count, 0), executionResults: true })
        await store.dropChunks(7, [...manifest.chunks.keys()])
        await store.compactPeriods(0, 9)
        await assertHoldsPart(store, period, { chunks: [], executionResults: true })
        assert.deepEqual(await store.readRange(), { first: 6, last: 7 })
        assert.deepEqual(await list(store, { from: 0, to: 9 }), [6, 7])
        await assertHolds(store, makePeriod(6))
      })

      it('drops nothing of a period that is not there, and knows no chunk beyond the last', async () => {
        await store.dropChunks(7, [0])
        assert.equal(await store.readRange(), undefined)
        await store.writePeriod(period)
        for (const index of [count, -1, 0.5]) {
          await assert.rejects(store.dropChunks(7, [0, index]), hasCode('STORE_PERIOD_INVALID'))
        }
        await store.dropChunks(7, [])
        await assertHolds(store, period)
      })

      it('begins a period with some of its chunks, or with none, and is whole when all are there', async () => {
        await store.writePart({ ...partOf(), operations: 999 })
        await assertHoldsPart(store, period, { chunks: [], operations: 999 })
        await store.writePart(partOf(2, 1))
        await assertHoldsPart(store, period, { chunks: [1, 2], operations: 999 })
        await store.writePart({ ...partOf(0), seals })
        await assertHoldsPart(store, period, { chunks: without(count), seals: true })
        await store.writePart({ ...partOf(), executionResults })
        await assertHolds(store, period)
      })

      it('counts operations when BODY is whole, and knows from then on which SEALS are its own', async () => {
        const isCounted = async () => (await store.readHolding(7))?.isCounted
        await store.writePart({ ...partOf(0), operations: 999 })
        assert.equal(await isCounted(), false)
        await store.writePart({ ...partOf(...without(count, 0)), operations: 999 })
        assert.equal(await isCounted(), true)
        await store.dropChunks(7, [1])
        await assert.rejects(
          store.writePart({ ...partOf(), seals: seals.subarray(0, -64) }),
          hasCode('STORE_PART_INVALID'),
        )
        await store.writePart({ ...partOf(), seals })
        await store.writePart({ ...partOf(1), operations: 999 })
        await assertHoldsPart(store, period, { chunks: without(count), seals: true })
        await store.writePart({ ...partOf(), executionResults })
        await store.dropChunks(7, [0])
        assert.equal(await isCounted(), true)
        await assertHoldsPart(store, period, { chunks: without(count, 0), executionResults: true })
      })

      it('is whole again when what was dropped is written, or the whole period', async () => {
        await store.writePeriod(period)
        await store.dropChunks(7, [0, 2])
        await store.writePart({ ...partOf(0, 2), seals })
        await assertHolds(store, period)
        await store.dropChunks(7, [0])
        await store.writePeriod(period)
        await assertHolds(store, period)
        await store.writePart({ ...partOf(0, 1), operations: 999 })
        await assertHolds(store, period)
      })

      it('deletes a period of which it holds a part', async () => {
        await store.writePeriod(period)
        await store.dropChunks(7, [1])
        await store.deletePeriods(0, 9)
        assert.equal(await store.readRange(), undefined)
        assert.equal(await store.readHolding(7), undefined)
        await store.writePeriod(period)
        await assertHolds(store, period)
      })

      it('error: takes no chunk that is not that of the manifest, and nothing with it', async () => {
        const [first, second] = period.chunks
        assert.ok(first && second)
        const flipped = Uint8Array.from(first)
        flipped[5] = (flipped[5] ?? 0) ^ 1
        for (const [index, chunk] of [
          [0, second],
          [0, first.subarray(1)],
          [0, flipped],
          [count, first],
        ] as const) {
          const part = { ...partOf(1), chunks: new Map([...partOf(1).chunks, [index, chunk]]) }
          await assert.rejects(store.writePart(part), hasCode('STORE_PART_INVALID'))
        }
        assert.equal(await store.readRange(), undefined)
      })

      it('takes the last chunk though the manifest that is stored says another length: the id binds that', async () => {
        const length = period.chunks[count - 1]?.length ?? 0
        for (const bytes of [length - 1, length + 1, 1]) {
          const told = withLastLength(manifest, bytes)
          await store.writePart({ ...partOf(0), manifest: told })
          assert.equal((await store.readManifest(7))?.chunks.at(-1)?.byteLength, bytes)
          await store.writePart({ ...partOf(count - 1), manifest: told })
          await assertHoldsPart(store, period, { chunks: [0, count - 1] })
          await store.writePart({ ...partOf(...manifest.chunks.keys()), manifest: told, seals, executionResults })
          await assertHolds(store, period)
          await store.deletePeriods(7, 7)
          await store.writePart({ ...partOf(0), manifest: told })
          await store.writePeriod(period)
          await assertHolds(store, period)
          await store.deletePeriods(7, 7)
        }
      })

      it('takes chunks that were hashed before, where they belong', async () => {
        const verified = period.chunks.map((chunk, i) => {
          const chunkId = manifest.chunks[i]?.chunkId ?? new Uint8Array()
          return VerifiedChunk.verify(chunk, chunkId) ?? assert.fail()
        })
        const [first, second] = verified
        assert.ok(first && second)
        const misplaced = { ...partOf(), chunks: new Map([[0, second]]) }
        await assert.rejects(store.writePart(misplaced), hasCode('STORE_PART_INVALID'))
        await store.writePart({ ...partOf(), chunks: new Map([[0, first]]) })
        await assertHoldsPart(store, period, { chunks: [0] })
        await store.writePart({ ...partOf(), chunks: new Map(verified.entries()), seals, executionResults })
        await assertHolds(store, period)
      })

      it('error: takes no part of another network, chunk size or manifest', async () => {
        const network = { ...manifest.network, chainId: 78n }
        const other = makePeriod(7, { identity: { ...store.identity, chunkSizeBytes: 2048 } })
        for (const wrong of [{ ...manifest, network }, other.manifest]) {
          await assert.rejects(store.writePart({ ...partOf(), manifest: wrong }), hasCode('STORE_PERIOD_INVALID'))
        }
        await store.writePart(partOf(0))
        const conflicting = { ...partOf(), manifest: makePeriod(7, { seed: 'other' }).manifest }
        await assert.rejects(store.writePart(conflicting), hasCode('STORE_PERIOD_CONFLICT'))
        await assertHoldsPart(store, period, { chunks: [0] })
      })

      it('error: takes no SEALS of another BODY when it can tell, and forgets those that came before', async () => {
        const foreign = makePeriod(8).seals
        await assert.rejects(
          store.writePart({ ...partOf(...manifest.chunks.keys()), seals: foreign }),
          hasCode('STORE_PART_INVALID'),
        )
        assert.equal(await store.readRange(), undefined)
        await store.writePart({ ...partOf(0), seals: foreign, executionResults })
        await store.writePart(partOf(...without(count, 0)))
        await assertHoldsPart(store, period, { chunks: without(count), executionResults: true })
        await assert.rejects(store.writePart({ ...partOf(), seals: foreign }), hasCode('STORE_PART_INVALID'))
        await store.writePart({ ...partOf(), seals })
        await assertHolds(store, period)
      })

      it('error: takes no chunks that are together no BODY', async () => {
        const body = noise('no body', 5000)
        const chunks = [body.subarray(0, 4096), body.subarray(4096)]
        const fake = {
          ...manifest,
          chunks: chunks.map((chunk) => ({ byteLength: chunk.length, chunkId: computeChunkId(chunk) })),
        }
        const parts = chunks.map((chunk, i) => ({ manifest: fake, operations, chunks: new Map([[i, chunk]]) }))
        assert.ok(parts[0] && parts[1])
        await store.writePart(parts[0])
        await assert.rejects(store.writePart(parts[1]), hasCode('STORE_PART_INVALID'))
        assert.equal(await store.readChunk(7, 1), undefined)
      })

      it('holds the same after a restart', async function () {
        await store.writePeriod(makePeriod(3))
        await store.writePeriod(period)
        await store.dropChunks(7, [0])
        await store.writePart({ ...partOf(), manifest: makePeriod(9).manifest })
        if (!subject.reopen) return this.skip()
        store = await subject.reopen()
        await assertHolds(store, makePeriod(3))
        await assertHoldsPart(store, period, { chunks: without(count, 0), executionResults: true })
        await assertHoldsPart(store, makePeriod(9), { chunks: [] })
        await store.writePeriod(makePeriod(9))
        await assertHolds(store, makePeriod(9))
      })
    })

    it('holds the same after a restart', async function () {
      for (const number of [1, 5, 3]) await store.writePeriod(makePeriod(number))
      if (!subject.reopen) return this.skip()
      store = await subject.reopen()
      for (const number of [1, 3, 5]) await assertHolds(store, makePeriod(number))
      assert.deepEqual(await list(store, { from: 0, to: 9 }), [1, 3, 5])
    })
  })
}

export async function assertHolds(store: ChunkStore, period: ArchivedPeriod): Promise<void> {
  const number = period.manifest.period
  const same = (got: Uint8Array | undefined, want: Uint8Array | undefined) =>
    assert.equal(got && toHex(got), want && toHex(want))
  const manifest = await store.readManifest(number)
  assert.deepEqual(
    manifest?.chunks.map(({ chunkId }) => toHex(chunkId)),
    period.manifest.chunks.map(({ chunkId }) => toHex(chunkId)),
  )
  assert.equal(manifest?.bitmap, period.manifest.bitmap)
  for (const [i, chunk] of period.chunks.entries()) same(await store.readChunk(number, i), chunk)
  same(await store.readSeals(number), period.seals)
  same(await store.readExecutionResults(number), period.executionResults)
  assert.equal(await store.readHolding(number), undefined)
  const { root, ...rest } = period.summary
  const { root: gotRoot, ...gotRest } = (await store.readSummary(number)) ?? {}
  assert.deepEqual(gotRest, rest)
  same(gotRoot, root)
}

/** What is held of a period. */
export interface HeldPart {
  readonly chunks: readonly number[]
  readonly seals?: boolean
  readonly executionResults?: boolean
  /** As is said of the whole; default: as it is. */
  readonly operations?: number
}

/** Exactly this part and nothing else of the period. */
export async function assertHoldsPart(store: ChunkStore, period: ArchivedPeriod, held: HeldPart): Promise<void> {
  const { manifest, summary } = period
  const number = manifest.period
  const { chunks, seals = false, executionResults = false, operations = summary.operations } = held
  const missingChunks = [...manifest.chunks.keys()].filter((index) => !chunks.includes(index))
  const hex = (bytes: Uint8Array | undefined) => bytes && toHex(bytes)
  const { isCounted: _, ...holding } = (await store.readHolding(number)) ?? {}
  assert.deepEqual(holding, {
    operations,
    missingChunks,
    hasSeals: seals,
    hasExecutionResults: executionResults,
  })
  assert.equal((await store.readManifest(number))?.bitmap, manifest.bitmap)
  for (const [index, chunk] of period.chunks.entries()) {
    const isHeld = chunks.includes(index)
    assert.equal(hex(await store.readChunk(number, index)), isHeld ? hex(chunk) : undefined, `chunk ${index}`)
    const places = await store.findChunks(toHex(manifest.chunks[index]?.chunkId ?? new Uint8Array(0)), 9)
    assert.deepEqual(
      places.map((place) => [place.period, place.index]),
      isHeld ? [[number, index]] : [],
    )
  }
  assert.equal(hex(await store.readSeals(number)), seals ? hex(period.seals) : undefined)
  assert.equal(
    hex(await store.readExecutionResults(number)),
    executionResults ? hex(period.executionResults) : undefined,
  )
  const { root, ...rest } = (await store.readSummary(number)) ?? {}
  const { root: wantedRoot, ...wanted } = summary
  assert.equal(hex(root), hex(wantedRoot))
  const heldChunks = missingChunks.length === 0 ? {} : { heldChunks: chunks.length }
  assert.deepEqual(rest, { ...wanted, operations, ...heldChunks })
}

/** 0 to count - 1 without some. */
export function without(count: number, ...indexes: number[]): number[] {
  return Array.from({ length: count }, (_, index) => index).filter((index) => !indexes.includes(index))
}

async function list(store: ChunkStore, range: { from: number; to: number; reverse?: boolean }): Promise<number[]> {
  const periods: number[] = []
  for await (const summary of store.listSummaries(range)) periods.push(summary.period)
  return periods
}

export function hasCode(code: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(isArchiveError(error), String(error))
    assert.equal(error.code, code)
    return true
  }
}
