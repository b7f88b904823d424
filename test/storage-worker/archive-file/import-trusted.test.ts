import assert from 'node:assert/strict'
import { attestExecutions } from '../../../archiver/attestation.ts'
import { findForgedSignature } from '../../../archiver/signature-list.ts'
import {
  type ArchivedPeriod,
  computeChunkId,
  computeEraRoot,
  concatBytes,
  isArchiveError,
  splitBody,
} from '../../../core/index.ts'
import type { FileCpu } from '../../../storage-worker/archive-file/check-period.ts'
import { type ImportOptions, importArchiveFile } from '../../../storage-worker/archive-file/import-file.ts'
import { listSealSignatures } from '../../../storage-worker/archive-file/seal-signatures.ts'
import { makeEmptyPeriod } from '../../../storage-worker/bootstrap/made-period.ts'
import { readHeads } from '../../../storage-worker/bootstrap/period-links.ts'
import { joinSeals } from '../../../storage-worker/sealed-body.ts'
import { buildFile } from '../../core/archive-file/whole-file.ts'
import { IDENTITY, openStore } from '../bootstrap/made-archive.ts'
import { fileOf, periodsOf, quickCpu, sourceOf } from './made-file.ts'

const { network } = IDENTITY
/** Blocks in the first 9 periods, none in the others. */
const PERIODS = Array.from({ length: 130 }, (_, period): ArchivedPeriod => {
  const [made] = period <= 8 ? periodsOf(period, period) : [makeEmptyPeriod(IDENTITY, period)]
  return { ...(made ?? assert.fail()), executionResults: attestExecutions(new Map(), { network, period }) }
})

function rootOfEra(periods: readonly ArchivedPeriod[]): Uint8Array {
  const era = periods.slice(0, 128).map(({ summary }) => summary)
  const totalBytes = BigInt(era.reduce((sum, { bodyBytes }) => sum + bodyBytes, 0))
  const totalChunks = BigInt(era.reduce((sum, { chunks }) => sum + chunks, 0))
  return computeEraRoot(
    { network, era: 0, totalBytes, totalChunks },
    era.map(({ root }) => root),
  )
}

const ROOT = rootOfEra(PERIODS)
const TRUSTED = { eraRoots: new Map([[0, ROOT]]) }

/** Into an empty archive. @returns what it said, what is archived then, and of which periods contents were hashed against ids */
async function importAll(file: Uint8Array, options: ImportOptions) {
  const store = await openStore()
  const hashed = new Set<number>()
  const cpu: FileCpu = {
    ...quickCpu,
    verifyRecords: (records, of) => {
      for (const { slot } of records) hashed.add(slot.period)
      return quickCpu.verifyRecords(records, of)
    },
  }
  const { signal } = new AbortController()
  const imported = importArchiveFile(sourceOf(file), options, { store, cpu }, () => undefined, signal)
  const error = await imported.then(
    () => undefined,
    (error: unknown) => error,
  )
  const left: number[] = []
  for await (const { period } of store.listSummaries({ from: 0, to: 200 })) left.push(period)
  return { store, hashed: [...hashed], left, error, report: error === undefined ? await imported : undefined }
}

/** Period 7 with something else in it. */
function withChanged(change: (period: ArchivedPeriod) => ArchivedPeriod): ArchivedPeriod[] {
  return PERIODS.map((each) => (each.summary.period === 7 ? change(each) : each))
}

function flip(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice()
  copy[at] = (copy[at] ?? 0) ^ 1
  return copy
}

describe('storage-worker/import under trusted era roots', () => {
  it('verifies what a trusted root binds by chunks and signatures, and hashes no contents', async () => {
    const { report, hashed, store } = await importAll(fileOf(PERIODS), TRUSTED)
    assert.ok(report)
    const { imported, rooted, unproven } = report
    assert.deepEqual([imported, rooted, unproven, hashed], [130, 128, [{ from: 128, to: 129 }], []])
    assert.deepEqual(await store.readSeals(7), PERIODS[7]?.seals)
    assert.deepEqual(await store.readChunk(7, 0), PERIODS[7]?.chunks[0])
  })

  it('says nothing of an era that is not whole in the file: it is verified by ids', async () => {
    const { report, hashed } = await importAll(fileOf(PERIODS.slice(0, 100)), TRUSTED)
    assert.deepEqual([report?.rooted, report?.unproven, hashed.length], [0, [{ from: 0, to: 99 }], 9])
  })

  it('forger: a signature of another thing is found, since no root binds it', async () => {
    const { error, left } = await importAll(
      fileOf(withChanged((period) => ({ ...period, seals: flip(period.seals, period.seals.length - 9) }))),
      TRUSTED,
    )
    assert.ok(isArchiveError(error, 'CORE_ARCHIVE_FILE_INVALID') && error.context.period === 7, `${error}`)
    assert.match(error.message, /^seals of period 7 have a signature in thread \d+ that does not verify/)
    assert.ok((left[0] ?? 0) > 7, `${left[0]}`)
  })

  it('forger: another operation under the true root: its chunk has not the id that the root binds', async () => {
    const file = withChanged((period) => {
      const [first = assert.fail(), ...others] = period.chunks
      return { ...period, chunks: [flip(first, first.length - 9), ...others] }
    })
    const { error, left } = await importAll(fileOf(file), TRUSTED)
    assert.ok(isArchiveError(error, 'CORE_ARCHIVE_FILE_INVALID') && error.context.period === 7, `${error}`)
    assert.match(error.message, /^chunk 0 of period 7 has not the id that the manifest says/)
    assert.ok((left[0] ?? 0) > 7, `${left[0]}`)
  })

  it('forger: another operation with a manifest of its own, or totals of another era: nothing is written', async () => {
    const other = withChanged((period) => {
      const { manifest, chunks } = period
      const [first = assert.fail(), ...others] = chunks
      const [entry = assert.fail(), ...entries] = manifest.chunks
      const chunk = flip(first, first.length - 9)
      const chunkId = computeChunkId(chunk)
      return {
        ...period,
        chunks: [chunk, ...others],
        manifest: { ...manifest, chunks: [{ ...entry, chunkId }, ...entries] },
      }
    })
    const totals = buildFile(IDENTITY, PERIODS, (era) => ({ ...era, totalBytes: era.totalBytes + 1n }))
    for (const file of [fileOf(other), totals]) {
      const { error, left } = await importAll(file, TRUSTED)
      assert.ok(isArchiveError(error, 'STORE_FILE_ERA_OTHER') && error.context.era === 0, `${error}`)
      assert.deepEqual(left, [])
    }
  })

  it('error: the root of another era, or of another chain', async () => {
    const { error, left } = await importAll(fileOf(PERIODS), { eraRoots: new Map([[0, flip(ROOT, 3)]]) })
    assert.ok(isArchiveError(error, 'STORE_FILE_ERA_OTHER'), `${error}`)
    assert.deepEqual(left, [])
    const { report } = await importAll(fileOf(PERIODS), { eraRoots: new Map([[1, ROOT]]) })
    assert.equal(report?.rooted, 0)
  })

  it('lists of a BODY every signature that its blocks ask for', () => {
    for (const { chunks, seals, summary } of periodsOf(0, 8)) {
      const body = splitBody(concatBytes(...chunks))
      const blocks = listSealSignatures(joinSeals(seals, body) ?? assert.fail(), readHeads(body.slots))
      const list = concatBytes(...blocks.map((block) => block.list))
      assert.equal(list.length, 130 * (summary.blocks + summary.operations))
      assert.equal(findForgedSignature(list), -1)
      assert.equal(findForgedSignature(flip(list, list.length - 1)), list.length / 130 - 1)
    }
  })
})
