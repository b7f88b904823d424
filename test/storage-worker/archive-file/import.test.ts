import assert from 'node:assert/strict'
import { attestExecutions, markFromFile, parseAttestedExecutions } from '../../../archiver/attestation.ts'
import { type ArchivedPeriod, type ChunkStore, isArchiveError, type Period, toHex } from '../../../core/index.ts'
import {
  type ImportModules,
  type ImportOptions,
  type ImportReport,
  importArchiveFile,
} from '../../../storage-worker/archive-file/import-file.ts'
import { openSource } from '../../../storage-worker/archive-file/open-source.ts'
import { chainOf } from '../../archiver/made-chain.ts'
import { buildFile } from '../../core/archive-file/whole-file.ts'
import { describeBriefly, openStore } from '../bootstrap/made-archive.ts'
import { makePeriod, TEST_IDENTITY } from '../synthetic-period.ts'
import { openTestStore, TempFolders } from '../temp-store.ts'
import { CHAIN, fileOf, periodsOf, quickCpu, serveFile, sourceOf, wholePeriod } from './made-file.ts'

interface Importing extends ImportOptions, Partial<Omit<ImportModules, 'store'>> {
  readonly signal?: AbortSignal
  readonly onProgress?: (done: number) => void
}

/** @param file - periods, or bytes */
function importInto(
  store: ChunkStore,
  file: readonly ArchivedPeriod[] | Uint8Array,
  options: Importing = {},
): Promise<ImportReport> {
  const { signal = new AbortController().signal, onProgress, cpu = quickCpu, ...rest } = options
  const bytes = file instanceof Uint8Array ? file : fileOf(file)
  return importArchiveFile(sourceOf(bytes), rest, { ...rest, store, cpu }, ({ done }) => onProgress?.(done), signal)
}

async function listPeriods(store: ChunkStore): Promise<Period[]> {
  const periods: Period[] = []
  for await (const { period } of store.listSummaries({ from: 0, to: Number.MAX_SAFE_INTEGER })) periods.push(period)
  return periods
}

/** As an import leaves it. */
function imported(period: ArchivedPeriod): ArchivedPeriod {
  return { ...period, executionResults: markFromFile(period.executionResults) }
}

async function assertHolds(store: ChunkStore, periods: readonly ArchivedPeriod[]): Promise<void> {
  assert.deepEqual(await describeBriefly(store), await describeBriefly(await openStore(periods)))
}

/** Another chain of the same network. */
const OTHER = chainOf('another', 12)

const refusedWith = (code: Parameters<typeof isArchiveError>[1]) => (error: unknown) => isArchiveError(error, code)

describe('storage-worker/import', () => {
  it('makes an empty archive what was exported, and says that nothing proves it', async () => {
    const store = await openStore()
    const periods = periodsOf(0, 8)
    const report = await importInto(store, periods)
    await assertHolds(store, periods.map(imported))
    const { first, last, imported: written, held, unproven } = report
    assert.deepEqual([first, last, written, held, unproven], [0, 8, 9, 0, [{ from: 0, to: 8 }]])
  })

  it('marks execution results as from a file, with the signature of who saw them', async () => {
    const store = await openStore()
    await importInto(store, periodsOf(4, 5))
    const manifest = await store.readManifest(5)
    const results = await store.readExecutionResults(5)
    assert.ok(manifest && results)
    const { isFromFile, attestation, executions } = parseAttestedExecutions(results, manifest)
    assert.deepEqual([isFromFile, attestation !== undefined, executions[1]?.trailHash], [true, true, '5'])
  })

  it('proves by what is archived above what comes below it, and what is empty by what is archived below', async () => {
    const store = await openStore([...periodsOf(0, 5), ...periodsOf(12, 24)])
    const order: Period[] = []
    const {
      imported: written,
      held,
      unproven,
    } = await importInto(store, periodsOf(3, 14), {
      onImported: async (period) => {
        order.push(period)
      },
    })
    assert.deepEqual([written, held, unproven], [6, 6, []])
    assert.deepEqual(order, [11, 10, 9, 8, 7, 6])
    await assertHolds(store, [...periodsOf(0, 5), ...periodsOf(6, 11).map(imported), ...periodsOf(12, 24)])
  })

  it('says of the lowest periods of a file which empty slots nothing proves', async () => {
    const store = await openStore(periodsOf(14, 24))
    const { unproven } = await importInto(store, periodsOf(6, 13))
    assert.equal(unproven.length, 1)
    const [{ from, to } = assert.fail()] = unproven
    assert.ok(from === 6 && to < 13, `${from} to ${to}`)
    assert.deepEqual((await importInto(store, periodsOf(0, 5))).unproven, [])
  })

  it('completes what is held in part, and leaves what is whole as it is', async () => {
    const store = await openStore(periodsOf(0, 8))
    await store.dropChunks(5, [0])
    const results = await store.readExecutionResults(5)
    const { imported: written, held } = await importInto(store, periodsOf(0, 8))
    assert.deepEqual([written, held], [1, 8])
    assert.equal(await store.readHolding(5), undefined)
    assert.deepEqual(await store.readExecutionResults(5), results)
    await assertHolds(store, periodsOf(0, 8))
  })

  it('goes on where it was interrupted, and reads nothing twice', async () => {
    const store = await openStore(periodsOf(20, 24))
    const aborting = new AbortController()
    const onProgress = (done: number) => done === 1 && aborting.abort(new DOMException('SIGINT', 'AbortError'))
    await assert.rejects(importInto(store, periodsOf(0, 19), { signal: aborting.signal, onProgress }), {
      name: 'AbortError',
    })
    const left = (await listPeriods(store))[0] ?? 0
    assert.ok(left > 0 && left < 20, `${left}`)
    const source = sourceOf(fileOf(periodsOf(0, 19)))
    const modules = { store, cpu: quickCpu }
    const report = await importArchiveFile(source, {}, modules, () => undefined, new AbortController().signal)
    assert.deepEqual([report.imported, report.held, report.unproven], [left, 20 - left, []])
    assert.equal(source.reads.length, 3 + left)
    await assertHolds(store, [...periodsOf(0, 19).map(imported), ...periodsOf(20, 24)])
  })

  it('keeps little in memory: blocks that prove empty slots are looked for where they stand', async () => {
    const store = await openStore(periodsOf(20, 24))
    const { unproven } = await importInto(store, periodsOf(0, 19), { maxWaitingBytes: 1 })
    assert.deepEqual(unproven, [])
    await assertHolds(store, [...periodsOf(0, 19).map(imported), ...periodsOf(20, 24)])
  })

  it('error: a period that is archived with another content: nothing is written, and it is named', async () => {
    const other = wholePeriod(OTHER, 5)
    const store = await openStore([other])
    await assert.rejects(importInto(store, periodsOf(3, 8)), (error) => {
      return isArchiveError(error, 'STORE_PERIOD_CONFLICT') && error.context.period === 5
    })
    assert.deepEqual(await listPeriods(store), [5])
  })

  it('forger: another chain below what is archived: not one period of it is written', async () => {
    const store = await openStore(periodsOf(9, 24))
    const forged = [6, 7, 8].map((period) => wholePeriod(OTHER, period))
    await assert.rejects(importInto(store, forged), refusedWith('STORE_FILE_UNLINKED'))
    assert.deepEqual((await listPeriods(store))[0], 9)
  })

  it('forger: a block left out below true periods: it is missed before its period is written', async () => {
    const thread = CHAIN.blockAt(5, 7) ? 7 : 8
    const without = wholePeriod(CHAIN, 5, (slot, at) => (at === thread ? { kind: 'miss' } : slot))
    const store = await openStore(periodsOf(12, 24))
    const file = [...periodsOf(0, 4), without, ...periodsOf(6, 11)]
    await assert.rejects(importInto(store, file), refusedWith('STORE_FILE_UNLINKED'))
    assert.ok(((await listPeriods(store))[0] ?? 0) > 5)
  })

  it('forger: another chain above what is archived is refused before anything of it is written', async () => {
    const store = await openStore(periodsOf(0, 8))
    const forged = [9, 10, 11, 12].map((period) => wholePeriod(OTHER, period))
    await assert.rejects(importInto(store, forged), refusedWith('STORE_FILE_UNLINKED'))
    assert.equal((await listPeriods(store)).at(-1), 8)
    await importInto(store, periodsOf(9, 24))
    assert.equal((await listPeriods(store)).at(-1), 24)
  })

  it('error: a damaged period ends it; what stands above it is there, and nothing of it or below', async () => {
    const file = fileOf(periodsOf(0, 8))
    const at = Buffer.from(file).indexOf(Buffer.from(periodsOf(4, 4)[0]?.chunks[0] ?? '')) + 9
    file[at] = (file[at] ?? 0) ^ 1
    const store = await openStore(periodsOf(9, 24))
    await assert.rejects(importInto(store, file), (error) => {
      return isArchiveError(error, 'CORE_ARCHIVE_FILE_INVALID') && error.context.period === 4
    })
    const periods = await listPeriods(store)
    assert.deepEqual(
      periods,
      Array.from({ length: periods.length }, (_, i) => 25 - periods.length + i),
    )
    assert.ok((periods[0] ?? 0) > 4)
  })

  it('takes a file from a server; where that breaks off, what came is whole, and the next import goes on below it', async () => {
    const store = await openStore(periodsOf(13, 24))
    let asked = 0
    const server = await serveFile(fileOf(periodsOf(0, 12)), (request) => {
      // Beside end, index, identity and some periods.
      if (++asked !== 10) return false
      request.socket.destroy()
      return true
    })
    const { signal } = new AbortController()
    const take = async () => {
      const source = await openSource(server.url, signal)
      return importArchiveFile(source, {}, { store, cpu: quickCpu }, () => undefined, signal)
    }
    try {
      await assert.rejects(take(), refusedWith('STORE_FILE_UNREACHABLE'))
      const left = (await listPeriods(store))[0] ?? 0
      await assertHolds(store, [...periodsOf(left, 12).map(imported), ...periodsOf(13, 24)])
      assert.deepEqual([(await take()).imported, (await listPeriods(store))[0]], [left, 0])
    } finally {
      await server.stop()
    }
  })

  it('error: a file of another network, of another root than was asked for, or no file', async () => {
    const store = await openStore()
    const root = 'ab'.repeat(32)
    await assert.rejects(importInto(store, periodsOf(0, 1), { root }), refusedWith('STORE_FILE_ROOT_OTHER'))
    const foreign = buildFile(TEST_IDENTITY, [makePeriod(0)])
    await assert.rejects(importInto(store, foreign), refusedWith('STORE_IDENTITY_MISMATCH'))
    await assert.rejects(importInto(store, new Uint8Array(500)), refusedWith('CORE_ARCHIVE_FILE_INVALID'))
    assert.deepEqual(await listPeriods(store), [])
  })

  it('takes what no id binds only where somebody vouches for the root of the file', async () => {
    const executionResults = attestExecutions(new Map(), { network: TEST_IDENTITY.network, period: 5 })
    const file = buildFile(TEST_IDENTITY, [{ ...makePeriod(5, { isSigned: true, isUnbound: true }), executionResults }])
    const store = await openStore([], TEST_IDENTITY)
    await assert.rejects(importInto(store, file), refusedWith('STORE_FILE_UNBOUND'))
    const root = toHex(file.slice(-36, -4))
    assert.equal((await importInto(store, file, { root })).imported, 1)
  })

  it('beside a sidecar that runs it takes what is below and between, and nothing else', async () => {
    const store = await openStore([...periodsOf(4, 6), ...periodsOf(10, 12)])
    for (const periods of [periodsOf(10, 14), periodsOf(0, 2)]) {
      await assert.rejects(importInto(store, periods, { isRunning: true }), refusedWith('API_IMPORT_APART'))
    }
    assert.equal((await importInto(store, periodsOf(0, 12), { isRunning: true })).imported, 7)
  })

  it('limit: ends where the quota does, and goes on when there is more', async () => {
    const folders = new TempFolders()
    const dataDir = await folders.make()
    const periods = periodsOf(0, 12)
    const identity = { network: periods[0]?.manifest.network ?? assert.fail(), chunkSizeBytes: 1_048_576 }
    const small = await openTestStore(dataDir, { identity, quotaGb: 0.000_1 })
    await assert.rejects(importInto(small.chunks, periods), refusedWith('STORE_QUOTA_FULL'))
    const before = (await listPeriods(small.chunks)).length
    assert.ok(before < 13, `${before}`)
    await small.close()
    const large = await openTestStore(dataDir, { identity, quotaGb: 1 })
    assert.equal((await importInto(large.chunks, periods)).imported, 13 - before)
    await large.close()
    await folders.clean()
  })
})
