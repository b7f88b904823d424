import { fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BenchRow } from './bench-row.ts'
import { type BenchResult, formatTable, saveResult } from './report.ts'

/*
 * `npm run bench`: every *.bench.ts, one process after the other, or those whose path holds one of the
 * arguments. What all of them answer goes into bench/results and docs/BENCHMARKS.md, of some with `--save`.
 */

/** As bin/massa-storage.js and bin/launch.js start the sidecar: otherwise allocator and heap keep what was freed. Theirs too, who fork again. */
const MALLOC = { MALLOC_MMAP_THRESHOLD_: '131072' }
const HEAP = ['--max-semi-space-size=4', '--heap-growing-percent=50']

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const words = process.argv.slice(2)
const wanted = words.filter((word) => word !== '--save')
const isSaved = wanted.length === 0 || words.includes('--save')
const files = listFiles(join(root, 'bench')).filter(
  (file) => wanted.length === 0 || wanted.some((part) => file.includes(part)),
)
let failed = 0
for (const file of files) {
  console.log(`\n${file}`)
  const result = await runFile(file)
  if (!result) failed++
  else {
    console.log(formatTable(result.rows))
    if (isSaved) console.log(relative(root, saveResult(result)))
  }
}
if (files.length === 0) throw new Error(`no benchmark is called ${wanted.join(' or ')}`)
process.exitCode = failed === 0 ? 0 : 1

function listFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.bench.ts'))
    .map((name) => relative(root, join(folder, name)))
    .sort()
}

/** In a process of its own; `undefined` when it failed, which it has said itself. */
async function runFile(file: string): Promise<BenchResult | undefined> {
  const date = new Date().toISOString()
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
  return { file, date, ...describeMachine(), seconds, loadBefore, loadAfter: loadavg()[0] ?? 0, rows }
}

function describeMachine(): Pick<BenchResult, 'commit' | 'node' | 'cpu' | 'cores' | 'memoryBytes'> {
  const commit = git('rev-parse', '--short', 'HEAD') || 'unknown'
  return {
    commit: git('status', '--porcelain', '--', '.', ':!bench/results', ':!docs') ? `${commit}-dirty` : commit,
    node: process.version,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
  }
}

function git(...words: string[]): string {
  return spawnSync('git', words, { cwd: root, encoding: 'utf8' }).stdout?.trim() ?? ''
}
