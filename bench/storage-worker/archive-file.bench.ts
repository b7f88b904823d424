import { createHash } from 'node:crypto'
import { open, rm } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { attestExecutions } from '../../archiver/index.ts'
import { type ArchivedPeriod, concatBytes, splitBody, toHex } from '../../core/index.ts'
import { readHeads } from '../../storage-worker/bootstrap/period-links.ts'
import type { Store } from '../../storage-worker/index.ts'
import { encodeBodyKey } from '../../storage-worker/keyspace.ts'
import { BODIES_OPTIONS } from '../../storage-worker/level-options.ts'
import { makePeriod, type SyntheticShape } from '../../test/storage-worker/synthetic-period.ts'
import { BareVerification } from '../archiver/bare-verification.ts'
import type { BenchRow } from '../bench-row.ts'
import { CpuPool, openStore } from '../built.ts'
import { listSealSignatures } from '../replication/seal-signatures.ts'
import { BENCH_IDENTITY, median, withFolder } from './bench-archive.ts'

/*
 * Question: what do export and import of an archive file cost beside a copy of that file, synced, and its SHA-256? Input:
 * MASSA_STORAGE_BENCH_MB (default 128) of full periods whose blocks each hold one large operation, so that signatures are few; and a
 * tenth of it in full periods of small operations, 1 kB each. An import verifies each signature, which no copy does: of the second
 * it is held against as many threads that verify the same signatures and do nothing else. And it puts what it took into LevelDB,
 * which writes each byte twice: of the first it is held against bare puts of the same chunks, synced, a period at a time. Both without
 * and with the root of the file known (`--root`), under which contents of operations need not be hashed against their ids.
 */

const FILE_BYTES = Number(process.env.MASSA_STORAGE_BENCH_MB ?? 128) * 1e6
const THREADS = availableParallelism()
const ROUNDS = 3
const PIECE_BYTES = 1_048_576
const LARGE = { operations: 1, operationBytes: 295_000 }
const SMALL = { operations: 270, operationBytes: 1_000 }

const load = (path: string) => import(new URL(`../../dist/storage-worker/archive-file/${path}`, import.meta.url).href)
const { describeExport, joinExport, readExport } = (await load(
  'export-periods.js',
)) as typeof import('../../storage-worker/archive-file/export-periods.ts')
const { writeArchiveFile } = (await load(
  'write-file.js',
)) as typeof import('../../storage-worker/archive-file/write-file.ts')
const { importArchiveFile } = (await load(
  'import-file.js',
)) as typeof import('../../storage-worker/archive-file/import-file.ts')
const { openFileSource } = (await load(
  'byte-source.js',
)) as typeof import('../../storage-worker/archive-file/byte-source.ts')

export async function run(): Promise<BenchRow[]> {
  const large = await withFolder((folder) => compare(folder, { name: 'large operations', ...LARGE, bytes: FILE_BYTES }))
  const small = await withFolder((folder) => compare(folder, { name: 'small ones', ...SMALL, bytes: FILE_BYTES / 10 }))
  return [...large, ...small]
}

interface Input {
  readonly name: string
  readonly operations: number
  readonly operationBytes: number
  readonly bytes: number
}

async function compare(folder: string, input: Input): Promise<BenchRow[]> {
  const store = await openBenchStore(join(folder, 'data'))
  const signatures = await fill(store, input)
  const verification = new BareVerification(signatures, THREADS)
  // As the command line has it: one is kept free for archiving.
  const cpu = new CpuPool({ threads: THREADS + 1 })
  const seconds = {
    export: [] as number[],
    import: [] as number[],
    rooted: [] as number[],
    copy: [] as number[],
    verify: [] as number[],
    put: [] as number[],
  }
  let bytes = 0
  let root = ''
  for (let round = 0; round < ROUNDS; round++) {
    const path = join(folder, `round-${round}.mhs`)
    seconds.export.push(
      await measure(async () => {
        const head = await describeExport(store.chunks, {})
        const options = { head, networkName: 'bench', target: { path } }
        const written = await writeArchiveFile(options, joinExport(readExport(store.chunks, head)))
        bytes = written.bytes
        root = toHex(written.root)
      }),
    )
    seconds.copy.push(await measure(() => copyAndHash(path, `${path}.copy`)))
    for (const kind of ['import', 'rooted'] as const) {
      const dataDir = join(folder, `${kind}-${round}`)
      const other = await openBenchStore(dataDir)
      const source = await openFileSource(path)
      const modules = { store: other.chunks, cpu }
      const options = kind === 'rooted' ? { root } : {}
      seconds[kind].push(
        await measure(async () => {
          await importArchiveFile(source, options, modules, () => undefined, new AbortController().signal)
        }),
      )
      await source.close()
      await other.close()
      await rm(dataDir, { recursive: true })
    }
    seconds.put.push(await putBare(store, join(folder, `put-${round}`)))
    seconds.verify.push(await verification.run())
    for (const name of [path, `${path}.copy`, join(folder, `put-${round}`)]) await rm(name, { recursive: true })
  }
  await verification.close()
  await cpu.close()
  await store.close()
  const what = `of ${(bytes / 1e6).toFixed(0)} MB, full periods of ${input.name}`
  const copy = { seconds: median(seconds.copy), name: 'copy, synced, and its SHA-256' }
  const put = { seconds: median(seconds.put), name: 'bare puts of its chunks into LevelDB, synced' }
  const bare = {
    seconds: median(seconds.verify),
    name: `bare Ed25519 of its ${signatures.length} signatures, ${THREADS} threads`,
  }
  return [
    makeRow(`export ${what}`, median(seconds.export), copy, bytes),
    makeRow(`import ${what}, ${THREADS} threads`, median(seconds.import), copy, bytes),
    makeRow('the same import, the root of the file known', median(seconds.rooted), copy, bytes),
    input.operations === 1
      ? makeRow('the same import, the root of the file known', median(seconds.rooted), put, bytes)
      : makeRow('the same import', median(seconds.import), bare, bytes),
  ]
}

function makeRow(
  question: string,
  seconds: number,
  baseline: { seconds: number; name: string },
  bytes: number,
): BenchRow {
  const rate = (spent: number) => `${(bytes / 1e6 / spent).toFixed(0)} MB/s`
  const ratio = baseline.seconds / seconds
  return {
    question,
    measured: rate(seconds),
    baseline: `${rate(baseline.seconds)} ${baseline.name}`,
    ratio,
    goal: '>= 0.5',
    holds: ratio >= 0.5,
  }
}

function openBenchStore(dataDir: string): Promise<Store> {
  return openStore({ dataDir, identity: BENCH_IDENTITY })
}

/** Periods of 32 blocks that name one another. @returns all signatures, see `BareVerification` */
async function fill(store: Store, { bytes, ...shape }: Input): Promise<Uint8Array[]> {
  const signatures: Uint8Array[] = []
  let written = 0
  let parents: SyntheticShape['parents']
  for (let number = 1; written < bytes; number++) {
    const named = parents ? { parents } : {}
    const made = makePeriod(number, { ...shape, identity: BENCH_IDENTITY, blocks: 32, isSigned: true, ...named })
    const executionResults = attestExecutions(new Map(), made.manifest)
    await store.chunks.writePeriod({ ...made, executionResults })
    signatures.push(...listSealSignatures(made))
    parents = listBlockIds(made)
    written += made.summary.bodyBytes
  }
  return signatures
}

function listBlockIds({ chunks }: ArchivedPeriod): Uint8Array[] {
  return readHeads(splitBody(concatBytes(...chunks)).slots).flatMap((head) => (head ? [head.id] : []))
}

/** What the store is made of, without it. @returns seconds */
async function putBare(store: Store, location: string): Promise<number> {
  const level = new ClassicLevel<Uint8Array, Uint8Array>(location, {
    keyEncoding: 'view',
    valueEncoding: 'view',
    ...BODIES_OPTIONS,
  })
  await level.open()
  let seconds = 0
  for await (const { period } of store.chunks.listSummaries({ from: 0, to: Number.MAX_SAFE_INTEGER })) {
    const manifest = await store.chunks.readManifest(period)
    const chunks = await Promise.all((manifest?.chunks ?? []).map((_, index) => store.chunks.readChunk(period, index)))
    seconds += await measure(async () => {
      const batch = level.batch()
      for (const [index, chunk] of chunks.entries()) batch.put(encodeBodyKey(period, index), chunk ?? new Uint8Array())
      await batch.write({ sync: true } as object)
    })
  }
  await level.close()
  return seconds
}

async function measure(task: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await task()
  return (performance.now() - started) / 1000
}

async function copyAndHash(from: string, to: string): Promise<void> {
  const [source, target] = [await open(from), await open(to, 'w')]
  const hash = createHash('sha256')
  const piece = Buffer.allocUnsafe(PIECE_BYTES)
  for (;;) {
    const { bytesRead } = await source.read(piece, 0, PIECE_BYTES)
    if (bytesRead === 0) break
    const bytes = piece.subarray(0, bytesRead)
    hash.update(bytes)
    await target.write(bytes)
  }
  hash.digest()
  await target.sync()
  await source.close()
  await target.close()
}
