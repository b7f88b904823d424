import assert from 'node:assert/strict'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createApi, listen } from '../../api/index.ts'
import { attestExecutions } from '../../archiver/attestation.ts'
import { exportArchive } from '../../cli/commands/export.ts'
import { importFile } from '../../cli/commands/import.ts'
import { verifyFile } from '../../cli/commands/verify-file.ts'
import type { Context } from '../../cli/context.ts'
import { EXIT_CODES, exitCodeOf } from '../../cli/exit-codes.ts'
import { isArchiveError, toHex } from '../../core/index.ts'
import { writeApiToken } from '../../storage-worker/api-token.ts'
import { makeEmptyPeriod } from '../../storage-worker/bootstrap/made-period.ts'
import { listDataDirNames } from '../../storage-worker/index.ts'
import { fileOf, periodsOf, quickCpu } from '../storage-worker/archive-file/made-file.ts'
import { IDENTITY } from '../storage-worker/bootstrap/made-archive.ts'
import { openTestStore, TempFolders } from '../storage-worker/temp-store.ts'
import { makeCommand } from './command-place.ts'

const { signal } = new AbortController()
const PERIODS = periodsOf(3, 5)
const ROOT_OF_4 = PERIODS[1]?.summary.root ?? new Uint8Array()

describe('cli: archive files', () => {
  const folders = new TempFolders()
  let dataDir: string

  before(async () => {
    dataDir = await folders.make()
    const store = await openTestStore(dataDir, { identity: IDENTITY })
    for (const period of PERIODS) await store.chunks.writePeriod(period)
    await store.close()
  })
  after(() => folders.clean())

  /** A command that is called in `cwd`. */
  function commandIn(cwd: string, json = true) {
    const { context, printed } = makeCommand(dataDir, {}, { json })
    return { context: { ...context, cwd } as Context, printed }
  }

  it('export writes a file that verify finds sound, and of which it finds each damage', async () => {
    const cwd = await folders.make()
    const exporting = commandIn(cwd)
    assert.equal(await exportArchive(exporting.context, { format: 'mhs' }, signal), EXIT_CODES.ok.code)
    const { path, root, periods, from, to } = JSON.parse(exporting.printed.stdout)
    assert.deepEqual([periods, from, to], [3, 3, 5])
    const bytes = await readFile(path)
    assert.equal(toHex(bytes), toHex(fileOf(PERIODS)))

    const sound = commandIn(cwd)
    assert.equal(await verifyFile(sound.context, { file: path, cpu: quickCpu }, signal), EXIT_CODES.ok.code)
    assert.equal(JSON.parse(sound.printed.stdout).root, root)
    bytes[5_000] = (bytes[5_000] ?? 0) ^ 1
    await writeFile(join(cwd, 'flipped.mhs'), bytes)
    const damaged = commandIn(cwd, false)
    assert.equal(
      await verifyFile(damaged.context, { file: 'flipped.mhs', cpu: quickCpu }, signal),
      EXIT_CODES.invalid.code,
    )
    assert.match(damaged.printed.stdout, /^DAMAGED chunk 0 of period 3 is not as it was written/)
  })

  it('export asks the sidecar that has the archive open: the same bytes, the same rows', async () => {
    const cwd = await folders.make()
    const alone = commandIn(cwd)
    await exportArchive(alone.context, { format: 'ndjson' }, signal)
    const store = await openTestStore(dataDir, { identity: IDENTITY })
    const server = createApi({
      dataDirNames: await listDataDirNames(dataDir),
      status: async () => ({ problems: [] }),
      query: { store, threads: 1 },
    })
    try {
      await store.announce(await listen(server, { host: '127.0.0.1', port: 0 }))
      const { context, printed } = commandIn(cwd)
      await exportArchive(context, { format: 'mhs', out: 'asked.mhs' }, signal)
      assert.equal(JSON.parse(printed.stdout).path, join(cwd, 'asked.mhs'))
      assert.equal(toHex(await readFile(join(cwd, 'asked.mhs'))), toHex(fileOf(PERIODS)))
      const rows = commandIn(cwd)
      await exportArchive(rows.context, { format: 'ndjson' }, signal)
      assert.equal(rows.printed.stdout, alone.printed.stdout)
      await assert.rejects(exportArchive(context, { format: 'mhs', to: 9 }, signal), (error) =>
        isArchiveError(error, 'STORE_EXPORT_INCOMPLETE'),
      )
    } finally {
      await server.close()
      await store.close()
    }
  })

  it('export prints a table with a header, or writes it to a file', async () => {
    const cwd = await folders.make()
    const { context, printed } = commandIn(cwd, false)
    await exportArchive(context, { format: 'csv', from: 4, to: 4 }, signal)
    const lines = printed.stdout.split('\r\n')
    assert.match(lines[0] ?? '', /^period,thread,block,operation,type,creator,target,/)
    assert.equal(lines.length, 1 + (PERIODS[1]?.summary.operations ?? 0) + 1)
    await exportArchive(context, { format: 'csv', from: 4, to: 4, out: 'rows.csv' }, signal)
    assert.equal(await readFile(join(cwd, 'rows.csv'), 'utf8'), lines.join('\r\n'))
  })

  it('import makes an archive where there is none, for the network that is configured, and says what proves nothing', async () => {
    const cwd = await folders.make()
    const file = join(cwd, 'some.mhs')
    await writeFile(file, fileOf(PERIODS))
    const into = (dataDir: string, flags: Record<string, string | number>) => {
      const { context, printed } = makeCommand(dataDir, flags, { json: false })
      return { context: { ...context, cwd } as Context, printed }
    }
    const { network } = IDENTITY
    const flags = {
      'node.chain_id': String(network.chainId),
      'node.genesis_timestamp_ms': String(network.genesisTimestampMs),
    }
    const another = into(join(cwd, 'another'), {})
    await assert.rejects(importFile(another.context, { file, cpu: quickCpu }, signal), (error) =>
      isArchiveError(error, 'STORE_IDENTITY_MISMATCH'),
    )
    assert.deepEqual(await readdir(cwd), ['some.mhs'])
    const made = into(join(cwd, 'made'), flags)
    const options = { file: 'some.mhs', cpu: quickCpu }
    assert.equal(await importFile(made.context, options, signal), EXIT_CODES.ok.code)
    assert.equal(made.printed.stdout, 'Imported 3 periods of 3 to 5.\n')
    assert.match(made.printed.stderr, /nothing that is archived proves periods 3 to 5/)
    assert.match(made.printed.stderr, /retention_periods = 1/)
    const vouched = into(join(cwd, 'vouched'), flags)
    const root = toHex(fileOf(PERIODS).slice(-36, -4))
    await importFile(vouched.context, { ...options, root }, signal)
    const [, how] = vouched.printed.stdout.split('\n')
    assert.equal(how, '3 periods by chunks under a trusted root, and signatures; 0 periods by ids and signatures.')
    assert.doesNotMatch(vouched.printed.stderr, /nothing that is archived proves/)
    const store = await openTestStore(join(cwd, 'made'), { identity: IDENTITY })
    assert.equal(toHex((await store.chunks.readSummary(4))?.root ?? new Uint8Array()), toHex(ROOT_OF_4))
    await store.close()
  })

  it('import has the sidecar do it that has the archive open, for whoever may read its data directory', async () => {
    const cwd = await folders.make()
    const dataDir = await folders.make()
    const file = join(cwd, 'some.mhs')
    await writeFile(file, fileOf(PERIODS))
    const store = await openTestStore(dataDir, { identity: IDENTITY })
    for (const period of periodsOf(5, 8)) await store.chunks.writePeriod(period)
    const imported: number[] = []
    const server = createApi({
      dataDirNames: await listDataDirNames(dataDir),
      status: async () => ({ problems: [] }),
      query: { store, threads: 1 },
      imports: { store: store.chunks, cpu: quickCpu, onImported: async (period) => void imported.push(period) },
      token: await writeApiToken(dataDir),
    })
    try {
      await store.announce(await listen(server, { host: '127.0.0.1', port: 0 }))
      const { context, printed } = makeCommand(dataDir)
      assert.equal(await importFile({ ...context, cwd } as Context, { file }, signal), EXIT_CODES.ok.code)
      const { held, unproven } = JSON.parse(printed.stdout)
      assert.deepEqual([imported, held, unproven.length], [[4, 3], 1, 1])
      const network = IDENTITY.network
      const era = Array.from({ length: 128 }, (_, i) => {
        const executionResults = attestExecutions(new Map(), { network, period: 128 + i })
        return { ...makeEmptyPeriod(IDENTITY, 128 + i), executionResults }
      })
      await writeFile(join(cwd, 'era.mhs'), fileOf(era))
      const trusting = { file: 'era.mhs', trustRoot: new Map([[1, new Uint8Array(32)]]) }
      await assert.rejects(importFile({ ...context, cwd } as Context, trusting, signal), (error) =>
        isArchiveError(error, 'STORE_FILE_ERA_OTHER'),
      )
      const asked: number[] = []
      const anchoring = {
        file: 'era.mhs',
        findAnchors: async (eras: readonly number[]) => {
          asked.push(...eras)
          return new Map([[1, new Uint8Array(32)]])
        },
      }
      await assert.rejects(importFile({ ...context, cwd } as Context, anchoring, signal), (error) =>
        isArchiveError(error, 'STORE_FILE_ERA_OTHER'),
      )
      assert.deepEqual(asked, [1])
      await writeFile(join(dataDir, 'api.token'), 'another')
      await assert.rejects(importFile({ ...context, cwd } as Context, { file }, signal), (error) =>
        isArchiveError(error, 'API_TOKEN_WRONG'),
      )
    } finally {
      await server.close()
      await store.close()
    }
  })

  it('error: says what of the command line or the file is wrong, by the exit code', async () => {
    const cwd = await folders.make()
    const { context } = commandIn(cwd)
    const address = 'AU12UN5gcQ5gck2oCtw8YWEX9FcSXAxFVosCJiv7rXYK8qi68t268'
    const cases: readonly (readonly [() => Promise<number>, number])[] = [
      [() => exportArchive(context, { format: 'mhs', address }, signal), EXIT_CODES.usage.code],
      [() => exportArchive(context, { format: 'csv', from: 5, to: 4 }, signal), EXIT_CODES.usage.code],
      [() => exportArchive(context, { format: 'csv', address: 'AU1' }, signal), EXIT_CODES.usage.code],
      [() => exportArchive(context, { format: 'mhs', to: 6 }, signal), EXIT_CODES.notFound.code],
      [() => verifyFile(context, { file: 'none.mhs' }, signal), EXIT_CODES.notFound.code],
      [() => verifyFile(context, { file: 'none.mhs', repair: true }, signal), EXIT_CODES.usage.code],
    ]
    for (const [run, code] of cases) await assert.rejects(run, (error) => exitCodeOf(error) === code)
  })
})
