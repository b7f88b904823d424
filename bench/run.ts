import { fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BenchRow } from './bench-row.ts'
import { type BenchFile, type BenchResult, formatTable, RESULTS_DIR, writeReport } from './report.ts'

/*
 * `npm run bench`: every *.bench.ts, one process after the other, or those whose path holds one of the
 * arguments. A run of all of them goes into bench/results and docs/BENCHMARKS.md.
 */

/** As bin/massa-storage.js and bin/launch.js start the sidecar: otherwise allocator and heap keep what was freed. Theirs too, who fork again. */
const MALLOC = { MALLOC_MMAP_THRESHOLD_: '131072' }
const HEAP = ['--max-semi-space-size=4', '--heap-growing-percent=50']

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const wanted = process.argv.slice(2)
const files = listFiles(join(root, 'bench')).filter(
  (file) => wanted.length === 0 || wanted.some((part) => file.includes(part)),
)
const startedAt = new Date()
const results: BenchFile[] = []
let failed = 0
for (const file of files) {
  console.log(`\n${file}`)
  const result = await runFile(file)
  if (!result) failed++
  else {
    results.push(result)
    console.log(formatTable(result.rows))
  }
}
if (files.length === 0) throw new Error(`no benchmark is called ${wanted.join(' or ')}`)
if (wanted.length === 0 && failed === 0) save(results)
process.exitCode = failed === 0 ? 0 : 1

function listFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.bench.ts'))
    .map((name) => relative(root, join(folder, name)))
    .sort()
}

/** In a process of its own; `undefined` when it failed, which it has said itself. */
async function runFile(file: string): Promise<BenchFile | undefined> {
  const started = performance.now()
  const child = fork(fileURLToPath(new URL('./run-file.ts', import.meta.url)), [join(root, file)], {
    env: { ...process.env, ...MALLOC },
    execArgv: [...process.execArgv, ...HEAP],
  })
  const loadBefore = loadavg()[0] ?? 0
  let rows: BenchRow[] | undefined
  child.on('message', (message) => {
    rows = message as BenchRow[]
  })
  const [code] = await once(child, 'exit')
  if (code !== 0 || !rows) return undefined
  const seconds = (performance.now() - started) / 1000
  return { file, seconds, loadBefore, loadAfter: loadavg()[0] ?? 0, rows }
}

function save(benchFiles: readonly BenchFile[]): void {
  const commit = git('rev-parse', '--short', 'HEAD') || 'unknown'
  const result: BenchResult = {
    date: startedAt.toISOString(),
    commit: git('status', '--porcelain', '--', '.', ':!bench/results', ':!docs') ? `${commit}-dirty` : commit,
    node: process.version,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    files: benchFiles,
  }
  mkdirSync(RESULTS_DIR, { recursive: true })
  const path = join(RESULTS_DIR, `${result.date.slice(0, 10)}-${result.commit}.json`)
  writeFileSync(path, `${JSON.stringify(result, undefined, 2)}\n`)
  console.log(`\n${relative(root, path)}\n${relative(root, writeReport())}`)
}

function git(...words: string[]): string {
  return spawnSync('git', words, { cwd: root, encoding: 'utf8' }).stdout?.trim() ?? ''
}
