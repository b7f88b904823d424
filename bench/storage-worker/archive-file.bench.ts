import { createHash } from 'node:crypto'
import { open, rm } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { attestExecutions } from '../../archiver/index.ts'
import { type ArchivedPeriod, concatBytes, splitBody } from '../../core/index.ts'
import { readHeads } from '../../storage-worker/bootstrap/period-links.ts'
import type { Store } from '../../storage-worker/index.ts'
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
 * it is held against as many threads that verify the same signatures and do nothing else.
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
  const seconds = { export: [] as number[], import: [] as number[], copy: [] as number[], verify: [] as number[] }
  let bytes = 0
  for (let round = 0; round < ROUNDS; round++) {
    const path = join(folder, `round-${round}.mhs`)
    seconds.export.push(
      await measure(async () => {
        const head = await describeExport(store.chunks, {})
        const options = { head, networkName: 'bench', target: { path } }
        bytes = (await writeArchiveFile(options, joinExport(readExport(store.chunks, head)))).bytes
      }),
    )
    seconds.copy.push(await measure(() => copyAndHash(path, `${path}.copy`)))
    const other = await openBenchStore(join(folder, `other-${round}`))
    const source = await openFileSource(path)
    const modules = { store: other.chunks, cpu }
    seconds.import.push(
      await measure(async () => {
        await importArchiveFile(source, {}, modules, () => undefined, new AbortController().signal)
      }),
    )
    await source.close()
    await other.close()
    seconds.verify.push(await verification.run())
    for (const name of [path, `${path}.copy`, join(folder, `other-${round}`)]) await rm(name, { recursive: true })
  }
  await verification.close()
  await cpu.close()
  await store.close()
  const what = `of ${(bytes / 1e6).toFixed(0)} MB, full periods of ${input.name}`
  const copy = { seconds: median(seconds.copy), name: 'copy, synced, and its SHA-256' }
  const bare = {
    seconds: median(seconds.verify),
    name: `bare Ed25519 of its ${signatures.length} signatures, ${THREADS} threads`,
  }
  return [
    makeRow(`export ${what}`, median(seconds.export), copy, bytes),
    makeRow(`import ${what}, ${THREADS} threads`, median(seconds.import), copy, bytes),
    ...(input.operations === 1 ? [] : [makeRow('the same import', median(seconds.import), bare, bytes)]),
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
