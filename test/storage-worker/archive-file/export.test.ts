import assert from 'node:assert/strict'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { markFromFile } from '../../../archiver/attestation.ts'
import {
  type ArchivedPeriod,
  type ChunkStore,
  computeAddress,
  concatBytes,
  formatAddress,
  isArchiveError,
  parseBody,
  toHex,
} from '../../../core/index.ts'
import { listOperations, type OperationRow } from '../../../storage-worker/archive-file/export-operations.ts'
import { describeExport, joinExport, readExport } from '../../../storage-worker/archive-file/export-periods.ts'
import { formatCsvField, formatCsvRow, ROW_FORMATS } from '../../../storage-worker/archive-file/operation-table.ts'
import { type WriteFileOptions, writeArchiveFile } from '../../../storage-worker/archive-file/write-file.ts'
import { openStore } from '../bootstrap/made-archive.ts'
import { TempFolders } from '../temp-store.ts'
import { fileOf, periodsOf } from './made-file.ts'

const folders = new TempFolders()

async function exportTo(
  store: ChunkStore,
  target: WriteFileOptions['target'],
  range: { from?: number; to?: number } = {},
) {
  const head = await describeExport(store, range)
  return writeArchiveFile({ head, networkName: 'chain77', target }, joinExport(readExport(store, head)))
}

async function collectRows(store: ChunkStore, options: Parameters<typeof listOperations>[1]): Promise<OperationRow[]> {
  const rows: OperationRow[] = []
  for await (const some of listOperations(store, options)) rows.push(...some.rows)
  return rows
}

/** The operations of a period, in the order of BODY. */
function operationsOf(period: ArchivedPeriod) {
  const { slots } = parseBody(concatBytes(...period.chunks))
  return slots.flatMap((slot) => (slot.kind === 'block' ? slot.record.operations : []))
}

describe('storage-worker/export', () => {
  afterEach(() => folders.clean())

  it('writes the bytes of the format, under the name of the file, and nothing beside it', async () => {
    const folder = await folders.make()
    const store = await openStore(periodsOf(2, 7))
    const written = await exportTo(store, { folder }, { from: 3, to: 6 })
    const name = `massa-chain77-3-6-${toHex(written.root).slice(0, 8)}.mhs`
    assert.deepEqual(await readdir(folder), [name])
    assert.equal(written.path, join(folder, name))
    const bytes = new Uint8Array(await readFile(written.path))
    assert.equal(toHex(bytes), toHex(fileOf(periodsOf(3, 6))))
    assert.deepEqual([written.bytes, written.periods, written.isBegunAnew], [bytes.length, 4, false])
  })

  it('takes all that is archived where no ends are given', async () => {
    const folder = await folders.make()
    const { periods, path } = await exportTo(await openStore(periodsOf(2, 4)), { path: join(folder, 'mine') })
    assert.deepEqual([periods, path], [3, join(folder, 'mine')])
  })

  it('says nothing in the file of where execution results came from before', async () => {
    const [period] = periodsOf(4, 4)
    assert.ok(period)
    const marked = { ...period, executionResults: markFromFile(period.executionResults) }
    const store = await openStore([marked])
    const folder = await folders.make()
    const { path } = await exportTo(store, { folder })
    assert.equal(toHex(new Uint8Array(await readFile(path))), toHex(fileOf([period])))
  })

  it('error: refuses what is not all here, naming the first period', async () => {
    const store = await openStore([...periodsOf(2, 3), ...periodsOf(5, 7)])
    await store.dropChunks(7, [0])
    const cases: readonly (readonly [{ from?: number; to?: number }, number])[] = [
      [{}, 4],
      [{ from: 5 }, 7],
      [{ from: 0, to: 3 }, 0],
      [{ from: 6, to: 9 }, 7],
      [{ from: 90 }, 90],
    ]
    for (const [range, period] of cases) {
      await assert.rejects(
        describeExport(store, range),
        (error) => isArchiveError(error, 'STORE_EXPORT_INCOMPLETE') && error.context.period === period,
      )
    }
    await assert.rejects(describeExport(await openStore(), {}), (error) =>
      isArchiveError(error, 'STORE_EXPORT_INCOMPLETE'),
    )
  })

  it('error: leaves nothing behind when it fails, and no file that was there is touched', async () => {
    const folder = await folders.make()
    const store = await openStore(periodsOf(2, 5))
    const head = await describeExport(store, {})
    const broken = async function* () {
      for await (const period of joinExport(readExport(store, head))) {
        if (period.manifest.period === 4) throw new Error('gone')
        yield period
      }
    }
    await assert.rejects(writeArchiveFile({ head, networkName: 'x', target: { folder } }, broken()), {
      message: 'gone',
    })
    assert.deepEqual(await readdir(folder), [])
    const path = join(folder, 'there')
    await writeFile(path, 'before')
    await assert.rejects(exportTo(store, { path }), (error) => isArchiveError(error, 'STORE_FILE_EXISTS'))
    await assert.rejects(exportTo(store, { path: join(folder, 'no', 'such') }), (error) =>
      isArchiveError(error, 'STORE_FILE_NOT_WRITTEN'),
    )
    assert.equal(await readFile(path, 'utf8'), 'before')
  })

  it('begins anew, and says so, where an export was interrupted', async () => {
    const folder = await folders.make()
    await writeFile(join(folder, 'massa-chain77-2-3.mhs.part'), 'half')
    const { isBegunAnew, path } = await exportTo(await openStore(periodsOf(2, 3)), { folder })
    assert.equal(isBegunAnew, true)
    assert.deepEqual(await readdir(folder), [path.slice(folder.length + 1)])
    assert.equal(toHex(new Uint8Array(await readFile(path))), toHex(fileOf(periodsOf(2, 3))))
  })

  it('lists every operation of the chain in order, or those of an address', async () => {
    const periods = periodsOf(3, 6)
    const store = await openStore(periods)
    const rows = await collectRows(store, {})
    const operations = periods.flatMap(operationsOf)
    assert.ok(operations.length > 20)
    assert.equal(rows.length, operations.length)
    const creators = operations.map(({ publicKey }) => formatAddress(computeAddress(publicKey)))
    assert.deepEqual(
      rows.map(({ creator }) => creator),
      creators,
    )
    const address = rows.find(({ target }) => target !== null)?.target ?? assert.fail('no operation has a target')
    const own = rows.filter(({ creator, target }) => creator === address || target === address)
    assert.deepEqual(await collectRows(store, { address }), own)
    assert.ok(own.length < rows.length)
    await assert.rejects(collectRows(store, { address: 'AU1' }), (error) =>
      isArchiveError(error, 'CORE_BASE58_INVALID'),
    )
  })

  it('writes rows of as many columns as the header, quoted as RFC 4180, and no formulas', async () => {
    const [row] = await collectRows(await openStore(periodsOf(3, 3)), {})
    assert.ok(row)
    assert.equal(formatCsvRow(row).split(',').length, ROW_FORMATS.csv.head[0].split(',').length)
    assert.equal(formatCsvField('a,"b"\n'), '"a,""b""\n"')
    for (const text of ['=1+1', '+1', '-1', '@SUM(A1)', '\tx']) assert.equal(formatCsvField(text), `'${text}`)
    assert.equal(formatCsvField('=HYPERLINK("x","y")'), `"'=HYPERLINK(""x"",""y"")"`)
    assert.equal(formatCsvField('AU12'), 'AU12')
  })
})
